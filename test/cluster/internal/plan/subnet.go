package plan

import (
	"errors"
	"net/netip"
)

// ErrNoSubnet means that every 10.x.0.0/16 the launcher may take is in use on this machine.
var ErrNoSubnet = errors.New("no free 10.100.0.0/16 to 10.254.0.0/16 is left on this machine: take another cluster down, or remove a route")

// ChooseNet picks the second octet of a free 10.x.0.0/16, from 200 up, given every prefix that the
// host routes to or has, and every block that other clusters hold.
//
// A route wider than a /16 (a VPN that claims all of 10.0.0.0/8) does not make a block unusable, since
// the cluster's own routes are narrower; such blocks are taken only when nothing else is free.
func ChooseNet(used []netip.Prefix) (int, error) {
	for _, ignoreWide := range []bool{false, true} {
		for _, net := range candidates() {
			if isFree(wholeBlock(net), used, ignoreWide) {
				return net, nil
			}
		}
	}
	return 0, ErrNoSubnet
}

func candidates() []int {
	var all []int
	for net := 200; net <= 254; net++ {
		// Pods live in 10.244.0.0/16 inside the cluster; the WAN must not be the same.
		if net != 244 {
			all = append(all, net)
		}
	}
	for net := 100; net < 200; net++ {
		all = append(all, net)
	}
	return all
}

func isFree(block netip.Prefix, used []netip.Prefix, ignoreWide bool) bool {
	for _, u := range used {
		if u.Bits() == 0 || (ignoreWide && u.Bits() < block.Bits()) {
			continue
		}
		if block.Overlaps(u) {
			return false
		}
	}
	return true
}
