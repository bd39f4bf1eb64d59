package sites

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
)

func made(t testing.TB, c Config, text string) *Map {
	t.Helper()
	file, err := Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	m, err := New(c, file)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestLookup(t *testing.T) {
	m := made(t, Config{
		Mask: Mask{IPv6: 56}, Fallback: Fallback{Peering: ReceiveOnly},
		List: []Entry{
			{Name: "berlin", CIDRs: []string{"10.1.0.0/16", "2001:db8:1::/48"}, Gateways: 5},
			{Name: "vpn", CIDRs: []string{"10.1.9.0/24", "10.200.0.0/16"}, Peering: Off},
			{Name: "rest", CIDRs: []string{"10.0.0.0/8"}, CrossSite: true},
		},
	}, "wifi,10.2.0.0/16,Leech\nparis,172.16.0.0/16,On\nparis,172.16.7.0/24,Leech\n")
	for address, want := range map[string]Site{
		"10.1.2.3":             {Name: "berlin", Peering: Full, Gateways: 5},
		"10.1.9.3":             {Name: "berlin", Peering: Full, Gateways: 5}, // the first site wins
		"10.200.1.1":           {Name: "vpn", Peering: Off},
		"10.2.0.1":             {Name: "rest", Peering: Full, CrossSite: true}, // the list comes before the file
		"::ffff:10.1.2.3":      {Name: "berlin", Peering: Full, Gateways: 5},
		"2001:db8:1::1":        {Name: "berlin", Peering: Full, Gateways: 5},
		"2001:db8:1::1%eth0":   {Name: "berlin", Peering: Full, Gateways: 5},
		"172.16.1.1":           {Name: "paris", Peering: Full},
		"172.16.7.1":           {Name: "paris", Peering: ReceiveOnly}, // the longest prefix inside a site
		"192.0.2.1":            {Peering: ReceiveOnly},
		"2001:db8:2:12ab::1":   {Name: "2001:db8:2:1200::/56", Peering: Full},
		"::ffff:192.0.2.1":     {Peering: ReceiveOnly},
		"2001:db8:2:12ff::1%a": {Name: "2001:db8:2:1200::/56", Peering: Full},
	} {
		if got := m.Lookup(netip.MustParseAddr(address)); *got != want {
			t.Errorf("%s: %+v, want %+v", address, *got, want)
		}
	}
	if got := m.Lookup(netip.Addr{}); *got != (Site{Peering: ReceiveOnly}) {
		t.Errorf("no address: %+v", *got)
	}
	var none *Map
	if got := none.Lookup(netip.MustParseAddr("10.0.0.1")); *got != (Site{Peering: Full}) {
		t.Errorf("no map: %+v", *got)
	}
	r := m.Report()
	if r.Shadowed != 2 || len(r.Shadows) != 2 || r.Shadows[0].Site != "wifi" || r.Shadows[0].BySite != "rest" || r.Shadows[0].Line != 1 ||
		r.Shadows[1].Site != "vpn" || r.Shadows[1].By.String() != "10.1.0.0/16" {
		t.Errorf("shadows %+v", r.Shadows)
	}
	if r.Prefixes != 6 || len(r.Sites) != 5 || r.Sites[4].Name != "paris" || r.Sites[4].Prefixes[ReceiveOnly] != 1 {
		t.Errorf("%+v", r)
	}
}

func TestInvalidConfigurations(t *testing.T) {
	one := func(e Entry) Config { return Config{List: []Entry{e}} }
	for want, c := range map[string]Config{
		"sites.mask.ipv4: 33":                          {Mask: Mask{IPv4: 33}},
		"sites.mask.ipv6: 8 ":                          {Mask: Mask{IPv6: 8}},
		"sites.fallback.peering":                       {Fallback: Fallback{Peering: "On"}},
		"sites.list[0].name: the site has no name":     one(Entry{CIDRs: []string{"10.0.0.0/8"}}),
		"sites.list[0].name: the name \"a\\x00\"":      one(Entry{Name: "a\x00", CIDRs: []string{"10.0.0.0/8"}}),
		"sites.list[0].name: the name has 65":          one(Entry{Name: strings.Repeat("a", 65), CIDRs: []string{"10.0.0.0/8"}}),
		"sites.list[0].peering":                        one(Entry{Name: "a", Peering: "on", CIDRs: []string{"10.0.0.0/8"}}),
		"sites.list[0].gateways: -1":                   one(Entry{Name: "a", Gateways: -1, CIDRs: []string{"10.0.0.0/8"}}),
		"sites.list[0].cidrs: \"10.0.0.0/33\"":         one(Entry{Name: "a", CIDRs: []string{"10.0.0.0/33"}}),
		"sites.list[0].cidrs: \"::ffff:10.0.0.0/104\"": one(Entry{Name: "a", CIDRs: []string{"::ffff:10.0.0.0/104"}}),
		"sites.list[0].cidrs: is empty":                one(Entry{Name: "a"}),
		"sites.list[1].name: there are two":            {List: []Entry{{Name: "a", CIDRs: []string{"10.0.0.0/8"}}, {Name: "a", CIDRs: []string{"11.0.0.0/8"}}}},
		"sites.list: has 1025":                         {List: make([]Entry, MaxListed+1)},
	} {
		if _, err := New(c, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// naive is the rule in the simplest words: the first site that holds the address, and of it the longest prefix.
func naive(lines []line, addr netip.Addr) (name string, peering Peering) {
	order := []string{}
	for _, l := range lines {
		order = append(order, l.name)
	}
	for _, site := range order {
		best := -1
		for _, l := range lines {
			for _, p := range l.prefixes {
				if l.name == site && p.Contains(addr) && p.Bits() > best {
					best, peering = p.Bits(), l.peering
				}
			}
		}
		if best >= 0 {
			return site, peering
		}
	}
	return "", Full
}

// TestAgainstTheNaiveWay compares random maps, in which most prefixes overlap, with the rule.
func TestAgainstTheNaiveWay(t *testing.T) {
	for seed := range uint64(300) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		var text strings.Builder
		for range rnd.IntN(40) {
			ranges := []string{}
			for range 1 + rnd.IntN(4) {
				bits := rnd.IntN(9)
				if rnd.IntN(3) == 0 {
					ranges = append(ranges, fmt.Sprintf("2001:db8::%x/%d", rnd.IntN(256), 120+bits))
				} else {
					ranges = append(ranges, fmt.Sprintf("10.0.0.%d/%d", rnd.IntN(256), 24+bits))
				}
			}
			fmt.Fprintf(&text, "site%d,%s,%s\n", rnd.IntN(6), strings.Join(ranges, " "), []string{"On", "Off", "Leech"}[rnd.IntN(3)])
		}
		file, err := Parse([]byte(text.String()))
		if err != nil || file.problems.ignored > 0 {
			t.Fatal(err, file.problems)
		}
		m, err := New(Config{}, file)
		if err != nil {
			t.Fatal(err)
		}
		for i := range 256 {
			for _, addr := range []netip.Addr{netip.AddrFrom4([4]byte{10, 0, 0, byte(i)}), netip.MustParseAddr(fmt.Sprintf("2001:db8::%x", i))} {
				got := m.Lookup(addr)
				if name, peering := naive(file.lines, addr); got.Name != name || got.Peering != peering {
					t.Fatalf("seed %d: %s is in %q %s, want %q %s\n%s", seed, addr, got.Name, got.Peering, name, peering, text.String())
				}
				if p, _, ok := m.Match(addr); ok != (got.Name != "") || ok && !p.Contains(addr) {
					t.Fatalf("seed %d: %s matches %s", seed, addr, p)
				}
			}
		}
	}
}

// large is a map of n prefixes in n/20 sites, and addresses to look up.
func large(t testing.TB, n int) (*Map, []netip.Addr) {
	rnd := rand.New(rand.NewPCG(1, 2))
	var text strings.Builder
	var addrs []netip.Addr
	for i := range n {
		a := netip.AddrFrom4([4]byte{10, byte(rnd.IntN(256)), byte(rnd.IntN(256)), byte(rnd.IntN(256))})
		p, _ := a.Prefix(16 + rnd.IntN(13))
		fmt.Fprintf(&text, "site %d,%s,On\n", i/20, p)
		addrs = append(addrs, a)
	}
	return made(t, Config{}, text.String()), addrs
}

func BenchmarkLookup10000Prefixes(b *testing.B) {
	m, addrs := large(b, 10_000)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		m.Lookup(addrs[i%len(addrs)])
	}
}

// BenchmarkSites100000Sockets is what one change of the map costs a tracker with as many sockets.
func BenchmarkSites100000Sockets(b *testing.B) {
	m, addrs := large(b, 10_000)
	for b.Loop() {
		for i := range 100_000 {
			m.Lookup(addrs[i%len(addrs)])
		}
	}
}

func BenchmarkMaskLookup(b *testing.B) {
	m := made(b, Config{Mask: Mask{IPv4: 24}}, "")
	addr := netip.MustParseAddr("10.1.2.3")
	b.ReportAllocs()
	for b.Loop() {
		m.Lookup(addr)
	}
}

func BenchmarkParse10000Lines(b *testing.B) {
	var text strings.Builder
	for i := range 10_000 {
		fmt.Fprintf(&text, "Site %d,10.%d.%d.0/24,On,Off,label,DE\n", i, i/256, i%256)
	}
	for b.Loop() {
		made(b, Config{}, text.String())
	}
}

// TestNamed: sites of the list, of the file and of the mask, and no others.
func TestNamed(t *testing.T) {
	m := made(t, Config{Mask: Mask{IPv4: 24, IPv6: 56}, List: []Entry{
		{Name: "Bern", CIDRs: []string{"10.1.0.0/16"}, Peering: Off, CrossSite: true, Gateways: 5},
	}}, "Rome,10.2.0.0/16,Leech\n")
	for name, want := range map[string]Site{
		"Bern": {Name: "Bern", Peering: Full, CrossSite: true, Gateways: 5}, "Rome": {Name: "Rome", Peering: Full},
		"10.9.7.0/24": {Name: "10.9.7.0/24", Peering: Full}, "2001:db8:1::/56": {Name: "2001:db8:1::/56", Peering: Full},
	} {
		if got, ok := m.Named(name); !ok || got != want {
			t.Errorf("%s: %+v, %v", name, got, ok)
		}
	}
	for _, name := range []string{"", "bern", "10.9.7.1/24", "10.9.0.0/16", "010.9.7.0/24", "2001:db8:1:0::/56", strings.Repeat("x", MaxNameBytes+1)} {
		if got, ok := m.Named(name); ok {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if _, ok := (*Map)(nil).Named("Bern"); ok || (*Map)(nil).Revoked("x") {
		t.Error("without a map there is a site")
	}
}

func TestRevoked(t *testing.T) {
	const id = "3f0c9a51d2e47b86"
	entry := func(ids ...string) Config {
		return Config{List: []Entry{{Name: "Bern", CIDRs: []string{"10.1.0.0/16"}, Revoked: ids}}}
	}
	if m := made(t, entry(id), ""); !m.Revoked(id) || m.Revoked("3f0c9a51d2e47b87") || m.Revoked("") {
		t.Error("the wrong ids are revoked")
	}
	for _, ids := range [][]string{{""}, {"3F0C9A51D2E47B86"}, {"3f0c9a51d2e47b8"}, {"3f0c9a51d2e47b8g"}, make([]string, MaxRevoked+1)} {
		if err := entry(ids...).Validate("sites"); err == nil || !strings.Contains(err.Error(), "sites.list[0].revoked") {
			t.Errorf("%.60q: %v", ids, err)
		}
	}
}
