package sites

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
)

// TestColumns reads the forms in which network teams have their subnets.
func TestColumns(t *testing.T) {
	for name, text := range map[string]string{
		"Microsoft eCDN":      "Berlin,10.1.0.0/16 10.2.0.0/16,On,Off,HQ,DE\nVPN,10.9.0.0/16,Off\nWiFi,\"10.3.0.0/16,10.4.0.0/16\",Leech,,guests\n",
		"with a header":       "Group Id,Subnets,P2P,WAN,Label,Country\nBerlin,10.1.0.0/16 10.2.0.0/16,On,Off,HQ,DE\nVPN,10.9.0.0/16,Off,,,\nWiFi,\"10.3.0.0/16, 10.4.0.0/16\",Leech,,,\n",
		"by Excel in Germany": "\xef\xbb\xbfGroup Id;Subnets;P2P;WAN\r\nBerlin;10.1.0.0/16,10.2.0.0/16;On;Off\r\nVPN;10.9.0.0/16;Off;\r\nWiFi;10.3.0.0/16,10.4.0.0/16;Leech;\r\n;;;\r\n",
		"ours":                "peering,site,cidrs\nFull,Berlin,10.1.0.0/16 10.2.0.0/16\n\n# remote access\nOff,VPN,10.9.0.0/16\nReceiveOnly,WiFi,10.3.0.0/16 10.4.0.0/16",
		"tabs":                "site\tcidrs\tpeering\nBerlin\t10.1.0.0/16 10.2.0.0/16\t\nVPN\t10.9.0.0/16\tOFF\nWiFi\t10.3.0.0/16 10.4.0.0/16\tleech\n",
		"a cell with lines":   "Berlin,\"10.1.0.0/16\n10.2.0.0/16\",On\nVPN,10.9.0.0/16,Off\nWiFi,\"10.3.0.0/16\r\n10.4.0.0/16\",Leech\n",
		"several lines":       "Berlin,10.1.0.0/16,On\nVPN,10.9.0.0/16,Off\nBerlin,10.2.0.0/16,On\nWiFi,10.3.0.0/16,Leech\nWiFi,10.4.7.1/16,Leech\n",
	} {
		m := made(t, Config{}, text)
		if r := m.Report(); r.Ignored > 0 || r.Prefixes != 5 {
			t.Errorf("%s: %+v", name, r)
		}
		for address, want := range map[string]Site{
			"10.1.0.1": {Name: "Berlin", Peering: Full}, "10.2.255.1": {Name: "Berlin", Peering: Full},
			"10.9.1.1": {Name: "VPN", Peering: Off}, "10.4.1.1": {Name: "WiFi", Peering: ReceiveOnly},
		} {
			if got := m.Lookup(netip.MustParseAddr(address)); *got != want {
				t.Errorf("%s: %s is in %+v", name, address, *got)
			}
		}
	}
}

func TestOwnColumns(t *testing.T) {
	m := made(t, Config{List: []Entry{{Name: "lab", CIDRs: []string{"192.168.0.0/24"}, Gateways: 7}}},
		"site,cidrs,peering,crossSite,gateways\na,10.1.0.0/16,Full,true,2\na,10.2.0.0/16,,,\na,10.3.0.0/16,,false,4\nlab,192.168.1.0/24,Off,,\n")
	for address, want := range map[string]Site{
		"10.1.0.1": {Name: "a", Peering: Full, CrossSite: true, Gateways: 2}, "10.2.0.1": {Name: "a", Peering: Full, CrossSite: true, Gateways: 2},
		"10.3.0.1": {Name: "a", Peering: Full, CrossSite: true, Gateways: 2}, "192.168.1.1": {Name: "lab", Peering: Off, Gateways: 7},
	} {
		if got := m.Lookup(netip.MustParseAddr(address)); *got != want {
			t.Errorf("%s is in %+v, want %+v", address, *got, want)
		}
	}
	if r := m.Report(); r.Warnings != 2 || r.Problems[0].Line != 4 || r.Ignored != 0 {
		t.Errorf("%+v", r)
	}
}

// TestBadLines: each is named by its number, and all others are in force.
func TestBadLines(t *testing.T) {
	text := "a,10.1.0.0/16,On\n" + // 1
		"b,10.2.0.0/33,On\n" + // 2
		"c,10.3.0.0/16,Perhaps\n" + // 3
		"\n" + // 4
		"d,\"10.4.0.0/16,On\n" + // 5: an open quote
		"e,10.5.0.0/16,On\n" + // 6
		",10.6.0.0/16,On\n" + // 7
		"g,,On\n" + // 8
		"K\xf6ln,10.8.0.0/16,On\n" + // 9: Latin-1
		"h,10.9.0.0/16,10.10.0.0/16,On\n" + // 10: ranges that are not in quotes
		"i,10.11.0.0/16 fe80::1%eth0,On\n" + // 11
		strings.Repeat("x", MaxLineBytes) + ",10.12.0.0/16,On\n" + // 12
		"j,10.13.0.0/16,On\n" // 13
	m := made(t, Config{}, text)
	r := m.Report()
	var bad []int
	for _, p := range r.Problems {
		bad = append(bad, p.Line)
		if !p.Ignored || len(p.Text) > 200 {
			t.Errorf("%+v", p)
		}
	}
	if fmt.Sprint(bad) != "[2 3 5 7 8 9 10 11 12]" || r.Ignored != 9 || r.Lines != 12 {
		t.Errorf("%v %+v", bad, r)
	}
	for address, want := range map[string]string{"10.1.0.1": "a", "10.5.0.1": "e", "10.13.0.1": "j", "10.4.0.1": "", "10.2.0.1": ""} {
		if got := m.Lookup(netip.MustParseAddr(address)).Name; got != want {
			t.Errorf("%s is in %q, want %q", address, got, want)
		}
	}
	if p, ok := m.FirstIgnored(); !ok || p.Line != 2 || !strings.Contains(p.Text, "10.2.0.0/33") {
		t.Errorf("%+v", p)
	}
}

func TestBounds(t *testing.T) {
	if _, err := Parse(make([]byte, MaxBytes+1)); !errors.Is(err, ErrTooLarge) {
		t.Error(err)
	}
	if _, err := Parse([]byte("\xff\xfea\x00,\x00")); !errors.Is(err, ErrEncoding) {
		t.Error(err)
	}
	f, err := Parse(bytes.Repeat([]byte("a,10.0.0.1,On\n"), MaxLines+1000))
	if err != nil || f.Read != MaxLines+1 || f.problems.ignored != 1 || f.problems.kept[0].Line != MaxLines+1 {
		t.Errorf("%v %d %+v", err, f.Read, f.problems)
	}
	f, err = Parse(bytes.Repeat([]byte("a,"+strings.Repeat("10.0.0.1 ", 4000)+",On\n"), 30))
	if err != nil || f.problems.ignored != 30-MaxPrefixes/4000 {
		t.Errorf("%v %+v", err, f.problems.ignored)
	}
	// Problems are counted, and only some are kept.
	f, err = Parse(bytes.Repeat([]byte("a\n"), 10_000))
	if err != nil || f.problems.ignored != 10_000 || len(f.problems.kept) != maxProblems {
		t.Errorf("%v %d %d", err, f.problems.ignored, len(f.problems.kept))
	}
	// Open quotes cost no more than other lines.
	if f, err = Parse(bytes.Repeat([]byte("\"\n"), 60_001)); err != nil || f.Read == 0 {
		t.Error(err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("Group Id,Subnets,P2P,WAN,Label,Country\nBerlin,10.1.0.0/16 10.2.0.0/16,On,Off,HQ,DE\n"))
	f.Add([]byte("a;10.1.0.0/16,10.2.0.0/24;Leech\n\"b\"\"\";2001:db8::/32;Off\n"))
	f.Add([]byte("a,\"10.1.0.0/16\n10.2.0.0/24\",Leech\n\"b,2001:db8::/32,Off\n#\n,,,\n"))
	f.Add([]byte("site\tcidrs\tgateways\tcrossSite\na\t10.0.0.1\t3\ttrue\na\t10.0.0.2\t4\tfalse\n"))
	f.Add([]byte("\xef\xbb\xbf\xff\x00,::ffff:1.2.3.4/96,on"))
	f.Fuzz(func(t *testing.T, text []byte) {
		file, err := Parse(text)
		if err != nil {
			return
		}
		m, err := New(Config{Mask: Mask{IPv4: 24}}, file)
		if err != nil {
			t.Fatal(err)
		}
		r := m.Report()
		if r.Ignored > r.Lines || r.Ignored+len(file.lines) != r.Lines {
			t.Fatalf("%d lines, %d ignored, %d used", r.Lines, r.Ignored, len(file.lines))
		}
		n := bytes.Count(text, []byte("\n")) + 1
		for _, p := range r.Problems {
			if p.Line < 1 || p.Line > n || len(p.Text) > 400 {
				t.Fatalf("%+v", p)
			}
		}
		for _, l := range file.lines {
			if checkName(l.name) != nil || len(l.prefixes) == 0 {
				t.Fatalf("%+v", l)
			}
			for _, p := range l.prefixes {
				name, peering := naive(file.lines, p.Addr())
				if got := m.Lookup(p.Addr()); len(file.lines) < 100 && (got.Name != name || got.Peering != peering) {
					t.Fatalf("%s is in %+v, want %s %s", p.Addr(), *got, name, peering)
				}
			}
		}
	})
}
