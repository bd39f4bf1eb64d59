package mesh

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/pion/webrtc/v4"
)

// addressTTL is how long a viewer believes in its addresses; a laptop changes networks.
const addressTTL = 5 * time.Second

var loopback4 = netip.AddrFrom4([4]byte{127, 0, 0, 1})

// Documentation addresses: dialling UDP sends nothing, it only asks the routing table.
var routeProbes = map[string]string{"udp4": "192.0.2.1:9", "udp6": "[2001:db8::1]:9"}

// addressPlan says where to listen and what to say instead.
type addressPlan struct {
	listen  []netip.Addr
	rewrite []webrtc.ICEAddressRewriteRule
}

// planAddresses picks at most one address per family, so that five offers stay below the 16 KiB that some
// trackers take, plus loopback if asked for, plus every advertised address that is this machine's own.
func planAddresses(cfg NodeConfig) (addressPlan, error) {
	var plan addressPlan
	primary := primaryAddresses()
	advertised := make([]netip.Addr, 0, len(cfg.Advertise))
	for _, text := range cfg.Advertise {
		a, err := netip.ParseAddr(text)
		if err != nil {
			return plan, fmt.Errorf("parsing advertised address: %w", err)
		}
		advertised = append(advertised, a.Unmap())
	}
	if len(advertised) == 0 {
		plan.listen = primary
		if cfg.Loopback {
			plan.listen = append(plan.listen, loopback4)
		}
		return plan, nil
	}
	local := localAddresses()
	behind := map[netip.Addr][]string{}
	for _, a := range advertised {
		if slices.Contains(local, a) {
			plan.listen = append(plan.listen, a)
			continue
		}
		base, ok := sameFamily(primary, a)
		if !ok && a.Is4() && cfg.Loopback {
			base, ok = loopback4, true
		}
		if !ok {
			return plan, fmt.Errorf("advertising %s: this machine has no address of that family", a)
		}
		behind[base] = append(behind[base], a.String())
	}
	for base, external := range behind {
		if slices.Contains(plan.listen, base) {
			external = append(external, base.String())
		} else {
			plan.listen = append(plan.listen, base)
		}
		plan.rewrite = append(plan.rewrite, webrtc.ICEAddressRewriteRule{
			External:        external,
			Local:           base.String(),
			AsCandidateType: webrtc.ICECandidateTypeHost,
			Mode:            webrtc.ICEAddressRewriteReplace,
		})
	}
	return plan, nil
}

func sameFamily(addrs []netip.Addr, like netip.Addr) (netip.Addr, bool) {
	for _, a := range addrs {
		if a.Is4() == like.Is4() {
			return a, true
		}
	}
	return netip.Addr{}, false
}

// OfOwnFamilies returns those of some addresses whose family this machine has a usable address of.
func OfOwnFamilies(addrs []netip.Addr) []netip.Addr {
	primary := primaryAddresses()
	var own []netip.Addr
	for _, a := range addrs {
		if _, ok := sameFamily(primary, a); ok || a.IsLoopback() {
			own = append(own, a)
		}
	}
	return own
}

// primaryAddresses are the source addresses of the default routes, else the first usable address of a
// family. The IPv4 one comes first.
func primaryAddresses() []netip.Addr {
	var addrs []netip.Addr
	for _, network := range []string{"udp4", "udp6"} {
		a, ok := routeSource(network)
		if !ok {
			a, ok = firstGlobal(network == "udp4")
		}
		if ok {
			addrs = append(addrs, a)
		}
	}
	return addrs
}

func routeSource(network string) (netip.Addr, bool) {
	conn, err := new(net.Dialer).DialContext(context.Background(), network, routeProbes[network]) // sends nothing, so never waits
	if err != nil {
		return netip.Addr{}, false
	}
	defer func() { _ = conn.Close() }() // nothing was sent
	udp, ok := conn.LocalAddr().(*net.UDPAddr)
	if !ok {
		return netip.Addr{}, false
	}
	a := udp.AddrPort().Addr().Unmap()
	return a, usable(a)
}

func firstGlobal(v4 bool) (netip.Addr, bool) {
	for _, a := range localAddresses() {
		if a.Is4() == v4 && usable(a) {
			return a, true
		}
	}
	return netip.Addr{}, false
}

func usable(a netip.Addr) bool {
	return a.IsValid() && !a.IsUnspecified() && !a.IsLoopback() && !a.IsLinkLocalUnicast() && a.Zone() == ""
}

func localAddresses() []netip.Addr {
	ifaceAddrs, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	addrs := make([]netip.Addr, 0, len(ifaceAddrs))
	for _, ifaceAddr := range ifaceAddrs {
		if ipNet, ok := ifaceAddr.(*net.IPNet); ok {
			if a, ok := netip.AddrFromSlice(ipNet.IP); ok {
				addrs = append(addrs, a.Unmap())
			}
		}
	}
	return addrs
}

// addressFilter is what a viewer gives to ICE: it keeps the planned addresses only.
type addressFilter struct {
	cfg NodeConfig

	mu   sync.Mutex
	keep []netip.Addr
	at   time.Time
}

func (f *addressFilter) allows(ip net.IP) bool {
	a, ok := netip.AddrFromSlice(ip)
	if !ok {
		return false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if now := time.Now(); f.keep == nil || now.Sub(f.at) > addressTTL {
		if plan, err := planAddresses(f.cfg); err == nil {
			f.keep, f.at = plan.listen, now
		}
	}
	return slices.Contains(f.keep, a.Unmap())
}
