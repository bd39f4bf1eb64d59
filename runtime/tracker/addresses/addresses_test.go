package addresses

import (
	"net/netip"
	"testing"
	"time"
)

func TestOneAddress(t *testing.T) {
	for a, want := range map[string]string{
		"192.0.2.1:5": "192.0.2.1", "[::ffff:192.0.2.1]:5": "192.0.2.1",
		"[2001:db8::1]:5": "2001:db8::", "[2001:db8::ffff:ffff:ffff:ffff]:5": "2001:db8::",
		"[2001:db8:0:1::1]:5": "2001:db8:0:1::", "[fe80::1%eth0]:5": "fe80::",
	} {
		if got := Of(a); got != netip.MustParseAddr(want) {
			t.Errorf("%s counts as %s, want %s", a, got, want)
		}
	}
	if Of("nonsense").IsValid() {
		t.Error("nonsense is an address")
	}
}

func TestLimiter(t *testing.T) {
	l, now := NewLimiter(2, 3), time.Unix(1_700_000_000, 0)
	a, b := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	take := func(who netip.Addr) (n int) {
		for l.Allow(who, now) {
			n++
		}
		return n
	}
	if n := take(a); n != 3 {
		t.Errorf("%d at once, want 3", n)
	}
	if n := take(b); n != 3 {
		t.Errorf("%d at once for another, want 3", n)
	}
	now = now.Add(time.Second)
	if n := take(a); n != 2 {
		t.Errorf("%d after a second, want 2", n)
	}
	now = now.Add(-time.Hour)
	if l.Allow(a, now) {
		t.Error("a clock that is set back gives tokens")
	}
	if !NewLimiter(-1, 0).Allow(a, now) {
		t.Error("a limit that is lifted limits")
	}
}

// TestStrangersCannotMakeItGrow asks from more addresses than are remembered.
func TestStrangersCannotMakeItGrow(t *testing.T) {
	l, now := NewLimiter(1, 1), time.Unix(1_700_000_000, 0)
	for i := range 5 * Remembered {
		l.Allow(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), now)
	}
	if n := l.Size(); n > 2*Remembered {
		t.Errorf("%d addresses remembered", n)
	}
}
