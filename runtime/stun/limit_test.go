package stun

import (
	"net/netip"
	"testing"
	"time"
)

func TestLimiter(t *testing.T) {
	a, b := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	l := newLimiter(10, 3, 1024)
	now := int64(time.Second)
	take := func(addr netip.Addr, want ...bool) {
		t.Helper()
		for i, w := range want {
			if got := l.allow(addr, now); got != w {
				t.Fatalf("request %d at %v: %v, want %v", i, time.Duration(now), got, w)
			}
		}
	}
	take(a, true, true, true, false)
	take(b, true) // another source has tokens of its own
	now += int64(101 * time.Millisecond)
	take(a, true, false)
	now += int64(time.Hour)
	take(a, true, true, true, false) // no more than the burst is saved up
	now -= int64(time.Minute)
	take(a, false) // a clock that went back gives nothing
}

func TestLimiterSources(t *testing.T) {
	for _, c := range []struct {
		name, a, b string
		same       bool
	}{
		{"one address", "192.0.2.1", "192.0.2.1", true},
		{"mapped", "192.0.2.1", "::ffff:192.0.2.1", true},
		{"neighbours", "192.0.2.1", "192.0.2.0", false},
		{"one /64", "2001:db8::1", "2001:db8::ffff:1", true},
		{"two /64", "2001:db8::1", "2001:db8:0:1::1", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newLimiter(1, 1, 1024)
			l.allow(netip.MustParseAddr(c.a), 1)
			if got := l.allow(netip.MustParseAddr(c.b), 1); got == c.same {
				t.Errorf("%s after %s: allowed %v", c.b, c.a, got)
			}
		})
	}
}

func TestLimiterIsBounded(t *testing.T) {
	const size = 1024
	l := newLimiter(1, 1, size)
	for i := range uint32(10 * size) {
		a := netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
		if !l.allow(a, int64(i)+1) {
			t.Fatalf("the first request of source %d is refused", i)
		}
	}
	held := 0
	for i := range l.shards {
		held += len(l.shards[i].buckets)
	}
	if held != size {
		t.Errorf("room for %d sources, want %d", held, size)
	}
	if e := l.evictions(); e < 9*size || e >= 10*size {
		t.Errorf("%d evictions of %d sources", e, 10*size)
	}
}

func TestNoLimit(t *testing.T) {
	l := newLimiter(-1, 1, 1024)
	for range 1000 {
		if !l.allow(from4.Addr(), 1) {
			t.Fatal("refused")
		}
	}
	if l.evictions() != 0 {
		t.Fatal("evictions without a table")
	}
}

func BenchmarkLimiter(b *testing.B) {
	l := newLimiter(1e9, 1e9, 65536)
	b.ReportAllocs()
	now := int64(0)
	for b.Loop() {
		now++
		l.allow(from4.Addr(), now)
	}
}
