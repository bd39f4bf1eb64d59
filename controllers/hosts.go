package controllers

import (
	"context"
	"maps"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/controllers/exposure"
)

const (
	// hostsEvery is how old what a host resolves to may be.
	hostsEvery = 30 * time.Second
	// hostTimeout bounds a lookup, and hostsAtOnce how many there are at a time.
	hostTimeout = 5 * time.Second
	hostsAtOnce = 4
	// maxHosts bounds the hosts that are remembered, and maxResolved the addresses of each.
	maxHosts    = 1024
	maxResolved = 16
)

// hosts finds out what the hosts of trackers resolve to. Lookups run beside the loop: a DNS server that does not answer holds up no
// stream, and the answer is used by the next run.
type hosts struct {
	lookup func(ctx context.Context, host string) ([]netip.Addr, error)
	now    func() time.Time

	mu      sync.Mutex
	known   map[string]*hostRead
	running int
}

// hostRead is the last answer about one host.
type hostRead struct {
	asked     time.Time
	addresses []string
}

// lookupHost asks the resolver of the operator's pod.
func lookupHost(ctx context.Context, host string) ([]netip.Addr, error) {
	return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
}

// of returns the addresses of the tracker's host as last seen; none when nothing is known, or there is no such host.
func (h *hosts) of(stream *v1.P2PStream) []string {
	host := exposure.NamedHost(&stream.Spec)
	if host == "" {
		return nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	now := h.now()
	r := h.known[host]
	if (r == nil || now.Sub(r.asked) >= hostsEvery) && h.running < hostsAtOnce {
		if r == nil {
			h.makeRoom(now)
			r = &hostRead{}
			h.known[host] = r
		}
		r.asked = now
		h.running++
		go h.ask(host, r)
	}
	if r == nil {
		return nil
	}
	return slices.Clone(r.addresses)
}

// makeRoom forgets hosts that nothing has asked for lately, and all when these do not suffice: they are found out again.
func (h *hosts) makeRoom(now time.Time) {
	if len(h.known) >= maxHosts {
		maps.DeleteFunc(h.known, func(_ string, r *hostRead) bool { return now.Sub(r.asked) >= 4*hostsEvery })
	}
	if h.known == nil || len(h.known) >= maxHosts {
		h.known = map[string]*hostRead{}
	}
}

// ask looks a host up. Without an answer nothing is known of it.
func (h *hosts) ask(host string, r *hostRead) {
	ctx, cancel := context.WithTimeout(context.Background(), hostTimeout)
	defer cancel()
	found, err := h.lookup(ctx, host+".") // no search domains of the cluster
	var addresses []string
	if err == nil {
		for _, a := range found[:min(len(found), maxResolved)] {
			addresses = append(addresses, a.Unmap().String())
		}
		slices.Sort(addresses)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.running--
	r.addresses = addresses
}
