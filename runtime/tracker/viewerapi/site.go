package viewerapi

import (
	"fmt"
	"net/netip"

	"github.com/p2pstream/p2pstream/runtime/sites"
	"github.com/p2pstream/p2pstream/runtime/telemetry"
)

// site returns the site of an address, never nil. Without sites it is the same for all.
func (h *Handler) site(addr netip.Addr) *sites.Site {
	if h.deps.Sites == nil {
		return (*sites.Map)(nil).Lookup(addr)
	}
	return h.deps.Sites().Lookup(addr)
}

// knowsSite tells whether the map has a site of that name.
func (h *Handler) knowsSite(name string) bool {
	if h.deps.Sites == nil {
		return false
	}
	_, ok := h.deps.Sites().Named(name)
	return ok
}

// edgeSite is the site of the edge seeder that reports; empty for all others.
func edgeSite(r telemetry.Report) string {
	if r.Seeder == nil {
		return ""
	}
	return r.Seeder.EdgeSite
}

// peeringOff says why a site's viewers do not use P2P, empty if they do.
func peeringOff(s *sites.Site) string {
	switch {
	case s.Peering != sites.Off:
		return ""
	case s.Name == "":
		return "peering is off for addresses outside of all sites"
	}
	return fmt.Sprintf("peering is off at the site %s", s.Name)
}

// enforce makes settings keep to a site's policy after the stream's owner has changed them: the owner's patch is for the
// stream as a whole. It changes settings, which are decoded JSON.
func enforce(settings any, s *sites.Site) {
	top, ok := settings.(map[string]any)
	if !ok || s.Peering == sites.Full {
		return
	}
	core, ok := top["core"].(map[string]any)
	if !ok {
		core = map[string]any{}
		top["core"] = core
	}
	option := "isP2PUploadDisabled"
	if s.Peering == sites.Off {
		option = "isP2PDisabled"
	}
	core[option] = true
	for _, kind := range []string{"mainStream", "secondaryStream"} { // what these say has precedence
		if stream, ok := core[kind].(map[string]any); ok {
			delete(stream, option)
		}
	}
}
