package dash

import (
	"slices"
	"strings"
)

// representation is one representation of one period: a stream, as the player calls it.
type representation struct {
	frame
	node      *node
	period    *period
	set       *adaptation
	bandwidth float64
	systems   []string // key systems
	key       string   // id of the default key
	hdr       string
	encrypted bool
	dependent bool // on another representation
	source    source
	keyText   string // for combining periods
	family    string // of codecs
	params    urlQuery
}

// uhdProfile makes two codecs HDR.
const uhdProfile = "http://dashif.org/guidelines/dash-if-uhd#hevc-hdr-pq10"

// readRepresentation reads a representation. It is nil if players pass over it: one without segment information.
// Source: shaka-player 4.16.9, DashParser.parseRepresentation_.
func (m *mpd) readRepresentation(p *period, a *adaptation, n *node, g *guard) (*representation, error) {
	r := &representation{node: n, period: p, set: a, dependent: n.attr("dependencyId") != ""}
	var err error
	if r.frame, err = m.newFrame(n, &a.frame); err != nil {
		return nil, err
	}
	r.id += n.attr(supplement)
	m.lowest(r.frame)
	isText := r.contentType == kindText || r.contentType == kindApplication
	switch {
	case r.index != nil:
		r.list, r.template = nil, nil
	case r.list != nil:
		r.template = nil
	case r.template == nil && !isText:
		return nil, nil
	}
	r.bandwidth, _ = n.wholeAttr("bandwidth", 1)
	for _, kind := range []string{"EssentialProperty", "SupplementalProperty"} {
		at := slices.IndexFunc(n.all(kind), func(p *node) bool { return p.attr("schemeIdUri") == queryScheme })
		if at >= 0 {
			m.readQuery(n.all(kind)[at])
			break
		}
	}
	r.params = m.params
	elements := n.all("ContentProtection")
	a.encrypted = a.encrypted || len(elements) > 0
	r.encrypted = a.encrypted
	if r.source, err = m.readSource(r); err != nil {
		if (isText || r.contentType == kindImage) && ReasonOf(err) == ReasonInvalid {
			return nil, nil // players pass over such text
		}
		return nil, err
	}
	own, err := m.protection(elements)
	if err != nil {
		return nil, err
	}
	if r.key, err = g.add(own); err != nil {
		return nil, err
	}
	r.systems, r.family = g.systems, codecFamily(r.codecs)
	r.hdr = a.hdr
	if slices.Contains(m.profiles, uhdProfile) && (strings.Contains(r.codecs, "hvc1.2.4.L153.B0") || strings.Contains(r.codecs, "hev1.2.4.L153.B0")) {
		r.hdr = "PQ"
	}
	return r, nil
}
