package host

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseStat(t *testing.T) {
	// The name of a program may hold anything, also what looks like the end of a name.
	stat := []byte("4242 (a) b) (c) S 1 4242 4242 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 9 0 123456 1000 200 18446744073709551615")
	start, state, err := parseStat(stat)
	if err != nil || start != 123456 || state != 'S' {
		t.Errorf("got start %d, state %c, %v", start, state, err)
	}
	for _, bad := range []string{"", "1 sh S 1", "1 (sh) S 1 2 3"} {
		if _, _, err := parseStat([]byte(bad)); err == nil {
			t.Errorf("parseStat(%q) succeeds", bad)
		}
	}
}

func TestMountsBelow(t *testing.T) {
	info := `22 1 0:20 / /proc rw - proc proc rw
30 1 8:1 / / rw - ext4 /dev/sda1 rw
31 30 0:30 / /state/a rw - tmpfs tmpfs rw
32 31 0:31 / /state/a/with\040space rw - tmpfs tmpfs rw
33 30 0:32 / /state/ab rw - tmpfs tmpfs rw
short
`
	if diff := cmp.Diff([]string{"/state/a", "/state/a/with space"}, mountsBelow(info, "/state/a")); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestParseRoutes(t *testing.T) {
	got, err := parseRoutes(`[{"dst":"default","gateway":"192.0.2.1"},{"dst":"192.0.2.0/24","dev":"eth0"},{"type":"local","dst":"127.0.0.1","table":"local"}]`)
	want := []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("127.0.0.1/32")}
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })); err != nil || diff != "" {
		t.Errorf("%v (-want +got)\n%s", err, diff)
	}
	if got, err := parseRoutes("\n"); err != nil || got != nil {
		t.Errorf("a machine without routes: %v, %v", got, err)
	}
	if _, err := parseRoutes("Error"); err == nil {
		t.Error("what is not JSON is taken")
	}
}

func TestParseCounters(t *testing.T) {
	got, err := parseCounters(`[{"ifname":"lo","stats64":{"rx":{"bytes":1},"tx":{"bytes":1}}},{"ifname":"o-paris","stats64":{"rx":{"bytes":20},"tx":{"bytes":5000000000}}}]`)
	want := map[string]Traffic{"lo": {1, 1}, "o-paris": {20, 5_000_000_000}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got)\n%s", err, diff)
	}
}
