package descriptions

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/p2pstream/p2pstream/runtime/signaling"
)

const head = "v=0\r\no=- 4611731400430051336 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n" +
	"m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\n"

func offered(address string) string {
	return "a=candidate:3077952869 1 udp 2122265343 " + address + " 39155 typ host generation 0 network-id 2\r\n"
}

func spell(s string) signaling.Raw { return signaling.AppendText(nil, s) }

// escape spells every character as an escape.
func escape(s string) signaling.Raw {
	var b strings.Builder
	for _, r := range s {
		fmt.Fprintf(&b, `\u%04x`, r)
	}
	return signaling.Raw(`"` + b.String() + `"`)
}

func TestAddresses(t *testing.T) {
	for address, want := range map[string]bool{
		"192.0.2.10": true, "10.0.0.1": true, "100.64.0.1": true, "2001:db8::1": true, "fd00::1": true, "64:ff9b::c000:201": true,
		"0e9c3a1c-8f5d-4a47-9a3e-111111111111.local": true, "HOST.LOCAL": true,
		"127.0.0.1": false, "127.1.2.3": false, "::1": false, "::ffff:127.0.0.1": false, "169.254.169.254": false, "fe80::1": false,
		"224.0.0.1": false, "ff02::fb": false, "255.255.255.255": false, "0.0.0.0": false, "0.1.2.3": false, "::": false,
		"::7f00:1": false, "64:ff9b::7f00:1": false, "2002:7f00:1::": false, "2002:e000:1::": false, "fe80::1%eth0": false,
		"localhost": false, "victim.example.com": false, ".local": false, "a.b.local": false, "a_b.local": false,
		"a.local.": false, "a.local.example": false, "010.0.0.1": false, "10.1": false, "0x7f000001": false,
		strings.Repeat("a", 60) + ".local": false,
	} {
		for how, s := range map[string]signaling.Raw{"plain": spell(head + offered(address)), "escaped": escape(head + offered(address))} {
			got, err := Clean(s, Rules{})
			if err != nil {
				t.Fatal(err)
			}
			text, err := got.SDP.Text()
			if err != nil {
				t.Fatalf("%s: %v", got.SDP, err)
			}
			if kept := strings.Contains(text, " "+address+" 39155"); kept != want || (got.Dropped == 0) != want || !strings.HasPrefix(text, head) || strings.Contains(text, "\n\n") {
				t.Errorf("%s, %s: kept %v, want %v, %d dropped: %q", address, how, kept, want, got.Dropped, text)
			}
		}
	}
}

func TestRules(t *testing.T) {
	ranges := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8::/32")}
	for _, c := range []struct {
		rules   Rules
		address string
		want    bool
	}{
		{Rules{Ranges: ranges}, "10.1.2.3", true},
		{Rules{Ranges: ranges}, "::ffff:10.1.2.3", true},
		{Rules{Ranges: ranges}, "2001:db8:1::1", true},
		{Rules{Ranges: ranges}, "192.0.2.1", false},
		{Rules{Ranges: ranges}, "127.0.0.1", false},
		{Rules{Ranges: ranges, Loopback: true}, "127.0.0.1", true},
		{Rules{Ranges: []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0")}}, "169.254.169.254", false},
		{Rules{Loopback: true}, "::1", true},
		{Rules{Loopback: true}, "169.254.1.1", false},
	} {
		if got := c.rules.Allows(netip.MustParseAddr(c.address)); got != c.want {
			t.Errorf("%v, %s: %v", c.rules, c.address, got)
		}
	}
}

// TestSpellingsOfCandidates: what a lenient parser takes for a candidate is one.
func TestSpellingsOfCandidates(t *testing.T) {
	const victim = "127.0.0.7"
	for name, line := range map[string]string{
		"as browsers write it": offered(victim),
		"line feeds":           strings.ReplaceAll(offered(victim), "\r\n", "\n"),
		"carriage returns":     strings.ReplaceAll(offered(victim), "\r\n", "\r"),
		"capitals":             strings.Replace(offered(victim), "a=candidate", "A=Candidate", 1),
		"spaces":               strings.Replace(offered(victim), "a=candidate", " a=  candidate", 1),
		"more spaces":          strings.ReplaceAll(offered(victim), " ", "   "),
		"tabs":                 strings.ReplaceAll(offered(victim), " ", "\t"),
		"no space":             strings.Replace(offered(victim), " 1 udp", "\u00a01 udp", 1),
		"short":                "a=candidate:1 1 udp 1 " + victim + " 9\r\n",
		"tcp":                  strings.Replace(offered(victim), "udp", "tcp", 1),
		"remote":               "a=remote-candidates:1 " + victim + " 9\r\n",
		"connection":           "c=IN IP4 " + victim + "\r\n",
		"connection with ttl":  "c=IN IP4 224.2.36.42/127\r\n",
		"last":                 strings.TrimSuffix(offered(victim), "\r\n"),
	} {
		got, err := Clean(spell(head+line+offered("192.0.2.1")), Rules{})
		if name == "last" {
			got, err = Clean(spell(head+line), Rules{})
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if text, _ := got.SDP.Text(); strings.Contains(text, victim) || strings.Contains(text, "224.2.36.42") || got.Dropped != 1 ||
			name != "last" && !strings.HasSuffix(text, offered("192.0.2.1")) {
			t.Errorf("%s: %d dropped: %q", name, got.Dropped, text)
		}
	}
}

func TestBounds(t *testing.T) {
	for name, c := range map[string]struct {
		sdp  signaling.Raw
		want error
	}{
		"a browser's":         {spell(head + strings.Repeat(offered("192.0.2.1"), 15)), nil},
		"candidates":          {spell(head + strings.Repeat(offered("192.0.2.1"), MaxCandidates)), nil},
		"too many candidates": {spell(head + strings.Repeat(offered("192.0.2.1"), MaxCandidates+1)), ErrCandidates},
		"a thousand":          {spell(head + strings.Repeat("a=candidate:\r\n", 1000)), ErrCandidates},
		"bytes":               {spell(strings.Repeat("x", MaxBytes)), ErrBytes},
		"escaped bytes":       {escape(strings.Repeat("x", MaxBytes/6+1)), ErrBytes},
		"lines":               {spell(strings.Repeat("a=x\r\n", MaxLines+1)), ErrLines},
		"sections":            {spell(strings.Repeat("m=x\r\n", MaxSections+1)), ErrSections},
		"nothing":             {nil, ErrText},
		"no text":             {signaling.Raw(`{}`), ErrText},
		"empty":               {signaling.Raw(`""`), nil},
	} {
		if _, err := Clean(c.sdp, Rules{}); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	seen := map[string]bool{}
	for _, e := range Errors {
		if seen[e.Label()] || e.Error() == "" {
			t.Errorf("label %s of %q", e.Label(), e.Error())
		}
		seen[e.Label()] = true
	}
}

// TestAnHonestDescriptionIsNotTouched, and costs no memory.
func TestAnHonestDescriptionIsNotTouched(t *testing.T) {
	s := spell(head + offered("0e9c3a1c-8f5d-4a47-9a3e-111111111111.local") + offered("192.0.2.1") + "a=end-of-candidates\r\n")
	got, err := Clean(s, Rules{})
	if err != nil || got.Dropped != 0 || &got.SDP[0] != &s[0] || len(got.SDP) != len(s) {
		t.Fatalf("%+v, %v", got, err)
	}
}

func FuzzClean(f *testing.F) {
	f.Add([]byte(spell(head + offered("127.0.0.1") + offered("192.0.2.1"))))
	f.Add([]byte(escape(head + offered("fe80::1"))))
	f.Add([]byte(`"a=candidate:1 1 udp 1 127.0.0.1 1 typ host\\r\\n\n\\"`))
	f.Add([]byte(`"\u0061=candidate:\t1 1 udp 1 ::1 1 typ host"`))
	f.Fuzz(func(t *testing.T, b []byte) {
		raw := signaling.Raw(b)
		if _, err := raw.Text(); err != nil {
			// Parsers hand out only texts; others must not do harm.
			_, _ = Clean(raw, Rules{})
			return
		}
		got, err := Clean(raw, Rules{})
		if err != nil {
			return
		}
		text, err := got.SDP.Text()
		if err != nil {
			t.Fatalf("%q is no text: %v", got.SDP, err)
		}
		if len(got.SDP) > MaxBytes+64*MaxLines {
			t.Fatalf("%d bytes", len(got.SDP))
		}
		if got.Hosts > HostsHidden {
			t.Fatalf("hosts %d: %q", got.Hosts, text)
		}
		candidates := 0
		for line := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == '\r' || r == '\n' }) {
			rest, ok := strings.CutPrefix(line, "a=candidate:")
			if !ok {
				continue
			}
			candidates++
			fields := strings.Split(rest, " ")
			if len(fields) < 8 {
				t.Fatalf("malformed candidate %q", line)
			}
			if a, err := netip.ParseAddr(strings.Fields(rest)[4]); err == nil && (a.IsLoopback() || a.IsMulticast() || a.IsLinkLocalUnicast()) {
				t.Fatalf("candidate at %v", a)
			}
		}
		if candidates > MaxCandidates {
			t.Fatalf("%d candidates", candidates)
		}
		again, err := Clean(got.SDP, Rules{})
		if err != nil || again.Dropped != 0 || string(again.SDP) != string(got.SDP) || again.Hosts != got.Hosts {
			t.Fatalf("not clean: %+v after %+v, %v", again, got, err)
		}
	})
}

// BenchmarkClean is one description of a browser, 1.3 KiB with seven candidates.
func BenchmarkClean(b *testing.B) {
	s := spell(head + strings.Repeat(offered("192.0.2.10"), 4) + strings.Repeat(offered("0e9c3a1c-8f5d-4a47-9a3e-111111111111.local"), 3) +
		"a=ice-ufrag:abcd\r\na=ice-pwd:aaaaaaaaaaaaaaaaaaaaaaaa\r\na=fingerprint:sha-256 " + strings.Repeat("AA:", 31) + "AA\r\n" +
		"a=setup:actpass\r\na=mid:0\r\na=sctp-port:5000\r\na=max-message-size:262144\r\n")
	b.SetBytes(int64(len(s)))
	b.ReportAllocs()
	for b.Loop() {
		if d, err := Clean(s, Rules{}); err != nil || d.Dropped != 0 {
			b.Fatal(d.Dropped, err)
		}
	}
}
