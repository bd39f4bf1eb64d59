package dash

import (
	"math"
	"strconv"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
)

// period is one period of the MPD.
type period struct {
	frame
	node *node
	// named is set if the MPD gives it an id, placed if the MPD says where it starts.
	named, placed bool
	start         float64
	// duration is 0 if it is not known.
	duration float64
	last     bool // of the MPD, or its duration is not known
	sets     []*adaptation
}

// end is infinite if it is not known.
func (p *period) end() float64 {
	if p.duration == 0 {
		return math.Inf(1)
	}
	return p.start + p.duration
}

// readPeriods reads all periods that a player would, in order. A start that is not written is the end of the period
// before, or 0. Source: shaka-player 4.16.9, DashParser.parsePeriods_.
func (m *mpd) readPeriods() error {
	nodes := m.doc.root.all("Period")
	if len(nodes) > maxPeriods {
		return fail(ReasonTooLarge, "more than %d periods", maxPeriods)
	}
	total, hasTotal := m.doc.root.durationAttr("mediaPresentationDuration")
	m.length, m.derived = math.Inf(1), !hasTotal
	previous, known := 0.0, true // the end of the period before
	largest := math.Inf(-1)
	for i, n := range nodes {
		p := &period{node: n}
		p.start, p.placed = n.durationAttr("start")
		if !p.placed {
			p.start = previous
		}
		given, hasGiven := n.durationAttr("duration")
		has := false
		if i+1 < len(nodes) {
			if next, ok := nodes[i+1].durationAttr("start"); ok {
				p.duration, has = next-p.start, true
			}
		} else if hasTotal {
			p.duration, has = total-p.start, true
		}
		if !has {
			p.duration, has = given, hasGiven
		}
		if p.start < largest && i+1 != len(nodes) {
			continue // the player skips what begins before something it has seen
		}
		largest = math.Max(largest, p.start)
		p.last = !has || i+1 == len(nodes)
		if err := m.readPeriod(p, n); err != nil {
			return err
		}
		m.periods = append(m.periods, p)
		if known = has; !has {
			break // nothing says where the next one starts
		}
		previous = p.start + p.duration
	}
	switch {
	case hasTotal && total != 0:
		m.length = total
	case !hasTotal && known && len(nodes) > 0 && previous != 0 && m.static:
		m.length = previous
	}
	return nil
}

func (m *mpd) readPeriod(p *period, n *node) error {
	var err error
	if p.frame, err = m.newFrame(n, nil); err != nil {
		return err
	}
	if p.named = p.id != ""; !p.named {
		p.id = "__shaka_period_" + identity.FormatNumber(p.start)
	}
	for _, property := range n.all("SupplementalProperty") {
		m.readQuery(property)
	}
	nodes := n.all("AdaptationSet")
	if len(nodes) > maxSets {
		return fail(ReasonTooLarge, "more than %d adaptation sets in a period", maxSets)
	}
	ids, shared, tracks := map[string]bool{}, 0, 0
	for _, sn := range nodes {
		a, err := m.readSet(p, sn, &tracks)
		if err != nil {
			return err
		}
		if a == nil {
			continue
		}
		p.sets = append(p.sets, a)
		for _, id := range a.ids {
			if ids[id] && !m.static {
				return fail(ReasonInvalid, "two representations of a period have the id %s", clip(id))
			}
			ids[id] = true
		}
		if !a.trick && (a.kind == kindVideo || a.kind == kindAudio) {
			shared += len(a.tracks)
		}
	}
	if shared == 0 {
		return fail(ReasonInvalid, "period %s has no video or audio track", clip(strconv.Quote(p.id)))
	}
	return nil
}

// others are the tracks that are not shared.
func (m *mpd) others() []Track {
	var all []Track
	seen := map[string]bool{}
	for _, p := range m.periods {
		for _, a := range p.sets {
			t := Track{Kind: a.kind, Language: a.language, Label: a.label, Roles: a.roles}
			if a.trick {
				t.Kind = "trick"
			}
			key := t.Kind + "\x00" + t.Language + "\x00" + t.Label
			if shared := t.Kind == kindVideo || t.Kind == kindAudio; shared || seen[key] {
				continue
			}
			seen[key] = true
			all = append(all, t)
		}
	}
	return all
}
