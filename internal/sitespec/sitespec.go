// Package sitespec translates the sites of a resource into those of a tracker's configuration. It is pure.
package sitespec

import (
	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/runtime/sites"
)

// Config returns the list, the mask and the fallback; spec may be nil.
func Config(spec *v1.SitesSpec) (c sites.Config) {
	if spec == nil {
		return c
	}
	if m := spec.Mask; m != nil {
		c.Mask = sites.Mask{IPv4: number(m.IPv4), IPv6: number(m.IPv6)}
	}
	if f := spec.Fallback; f != nil {
		c.Fallback.Peering = peering(f.Peering)
	}
	c.Gateways, c.CellSize = number(spec.Gateways), number(spec.CellSize)
	for _, s := range spec.List {
		e := sites.Entry{Name: string(s.Name), Peering: peering(s.Peering), CrossSite: s.CrossSite, Gateways: number(s.Gateways)}
		for _, r := range s.CIDRs {
			e.CIDRs = append(e.CIDRs, string(r))
		}
		for _, id := range s.Revoked {
			e.Revoked = append(e.Revoked, string(id))
		}
		c.List = append(c.List, e)
	}
	return c
}

// peering knows the second name of Off.
func peering(p v1.Peering) sites.Peering {
	if p == v1.PeeringDisabled {
		return sites.Off
	}
	return sites.Peering(p)
}

func number(n *int32) int {
	if n == nil {
		return 0
	}
	return int(*n)
}
