package controllers

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	v1 "github.com/p2pstream/p2pstream/api/v1"
)

// named is a stream whose tracker has a host.
func named(host string) *v1.P2PStream {
	return &v1.P2PStream{Spec: v1.P2PStreamSpec{Tracker: &v1.TrackerSpec{Exposure: &v1.TrackerExposure{Type: v1.ExposureIngress, Host: v1.Host(host)}}}}
}

// TestHosts: lookups hold up no run, a failed one leaves nothing known, and an answer is asked for again when it is old.
func TestHosts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked, broken := 0, false
		h := &hosts{now: time.Now, lookup: func(ctx context.Context, host string) ([]netip.Addr, error) {
			asked++
			if host != "p2p.example.com." {
				t.Errorf("looked up %q", host)
			}
			if _, bounded := ctx.Deadline(); !bounded {
				t.Error("a lookup without a bound")
			}
			if broken {
				return nil, errors.New("no such host")
			}
			return []netip.Addr{netip.MustParseAddr("::ffff:203.0.113.10"), netip.MustParseAddr("192.0.2.1")}, nil
		}}
		live := named("P2P.example.com")
		if got := h.of(live); got != nil {
			t.Errorf("known before it was asked: %v", got)
		}
		synctest.Wait()
		if got := h.of(live); !slices.Equal(got, []string{"192.0.2.1", "203.0.113.10"}) {
			t.Errorf("known: %v", got)
		}
		broken = true
		time.Sleep(hostsEvery)
		h.of(live)
		synctest.Wait()
		if got := h.of(live); got != nil || asked != 2 {
			t.Errorf("after a failure %v is known; asked %d times", got, asked)
		}
		for _, other := range []*v1.P2PStream{named("192.0.2.1"), named(""), {}} {
			if h.of(other) != nil {
				t.Error("something is known of a stream without a name")
			}
		}
		synctest.Wait()
		if asked != 2 {
			t.Errorf("asked %d times", asked)
		}
	})
}

// TestHostsAreBounded: a DNS server that hangs takes few goroutines, and many hosts little memory.
func TestHostsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hang := make(chan struct{})
		running := make(chan struct{}, 100)
		h := &hosts{now: time.Now, lookup: func(context.Context, string) ([]netip.Addr, error) {
			running <- struct{}{}
			<-hang
			return nil, nil
		}}
		for i := range 50 {
			h.of(named(fmt.Sprintf("h%d.example.com", i)))
		}
		synctest.Wait()
		if len(running) != hostsAtOnce {
			t.Errorf("%d lookups at once", len(running))
		}
		close(hang)
		synctest.Wait()
		for i := range 2*maxHosts + 10 {
			h.of(named(fmt.Sprintf("h%d.example.com", i)))
			synctest.Wait()
			<-running
			if len(h.known) > maxHosts {
				t.Fatalf("%d hosts are remembered", len(h.known))
			}
		}
	})
}
