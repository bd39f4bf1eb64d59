package dash

import (
	"math"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
)

// addressing is how the segments of a representation are named.
type addressing int

const (
	byNothing  addressing = iota // text in one file
	byNumber                     // SegmentTemplate with a duration
	byTimeline                   // SegmentTemplate with a SegmentTimeline
	byList                       // SegmentList
	byIndex                      // SegmentBase, or SegmentTemplate with an index
)

// source is what tells the segments of a representation.
type source struct {
	addressing addressing
	// timescale in units per second; number is the first segment's. offset is presentationTimeOffset in units.
	timescale, number, offset float64
	// duration of a segment in units, 0 if there is none.
	duration float64
	parts    bool // segments are in parts of their own
	line     *timeline
	media    template
	list     []listed
	// init is nil without; index is that of byIndex.
	init, index *named
	webm        bool
}

// named is a resource with all of its URLs.
type named struct {
	urls  []string
	whole bool
	part  ByteRange
}

// listed is one SegmentURL.
type listed struct {
	media string
	whole bool
	part  ByteRange
}

// chain are the elements of one kind from the representation up to the period.
func (r *representation) chain(of func(*frame) *node) []*node {
	var nodes []*node
	for f := &r.frame; f != nil; f = f.parent {
		if n := of(f); n != nil {
			nodes = append(nodes, n)
		}
	}
	return nodes
}

func inherited(chain []*node, name string) string {
	for _, n := range chain {
		if value := n.attr(name); value != "" {
			return value
		}
	}
	return ""
}

func inheritedChild(chain []*node, name string) *node {
	for _, n := range chain {
		if child := n.onlyChild(name); child != nil {
			return child
		}
	}
	return nil
}

type timelineKey struct {
	node                        *node
	timescale, offset, duration float64
}

// readSource reads the segment information of r.
func (m *mpd) readSource(r *representation) (source, error) {
	switch {
	case r.index != nil:
		return m.readBase(r)
	case r.list != nil:
		return m.readList(r)
	case r.template != nil:
		return m.readTemplate(r)
	}
	return source{}, nil
}

// readInfo reads what templates and lists have in common.
// Source: shaka-player 4.16.9, MpdUtils.parseSegmentInfo.
func (m *mpd) readInfo(r *representation, chain []*node) (source, error) {
	s := source{timescale: 1, number: 1}
	if v, ok := whole(inherited(chain, "timescale")); ok && v > 0 {
		s.timescale = v
	}
	if v, ok := whole(inherited(chain, "duration")); ok && v > 0 {
		s.duration = v
	}
	if text := inherited(chain, "startNumber"); text != "" {
		if v, ok := whole(text); ok && v >= 0 {
			s.number = v
		}
	}
	if v, ok := identity.ParseNumber(inherited(chain, "presentationTimeOffset")); ok && !math.IsInf(v, 0) {
		s.offset = v
	}
	n := inheritedChild(chain, "SegmentTimeline")
	if n == nil {
		return s, nil
	}
	duration := r.period.duration
	if duration == 0 {
		duration = math.Inf(1)
	}
	// Many representations share one timeline.
	key := timelineKey{n, s.timescale, s.offset, duration}
	if s.line = m.timelines[key]; s.line == nil {
		var err error
		if s.line, err = readTimeline(n.points, s.timescale, s.offset, duration, &m.entries); err != nil {
			return s, err
		}
		m.timelines[key] = s.line
	}
	return s, nil
}

func (m *mpd) readTemplate(r *representation) (source, error) {
	chain := r.chain(func(f *frame) *node { return f.template })
	s, err := m.readInfo(r, chain)
	if err != nil {
		return s, err
	}
	if text := inherited(chain, "initialization"); text != "" {
		t, err := newTemplate(text)
		if err != nil {
			return s, err
		}
		urls, err := r.resolve(t.fill(r.values()), true)
		if err != nil {
			return s, err
		}
		s.init = &named{urls: urls, whole: true}
	}
	s.parts = orZero(identity.ParseLeadingInt(inherited(chain, "k"))) != 0
	switch index := inherited(chain, "index"); {
	case index != "":
		s.addressing, s.line, s.duration = byIndex, nil, 0
		t, err := newTemplate(index)
		if err != nil {
			return s, err
		}
		urls, err := r.resolve(t.fill(r.values()), false)
		if err != nil {
			return s, err
		}
		s.index = &named{urls: urls, whole: true}
		return s, s.checkContainer(r)
	case s.line != nil:
		s.addressing, s.duration = byTimeline, 0
	case s.duration != 0:
		s.addressing = byNumber
	default:
		return s, fail(ReasonInvalid, "a SegmentTemplate without duration, SegmentTimeline and index")
	}
	media := inherited(chain, "media")
	if media == "" {
		return s, fail(ReasonInvalid, "a SegmentTemplate without media")
	}
	s.media, err = newTemplate(media)
	if s.addressing == byTimeline {
		s.parts = s.media.has("SubNumber")
	}
	return s, err
}

// values are those that are the same for all segments.
func (r *representation) values() values {
	return values{id: r.original, bandwidth: r.bandwidth}
}

// resolve resolves a URL against each base.
func (r *representation) resolve(ref string, withParams bool) ([]string, error) {
	out := make([]string, 0, len(r.base))
	for _, base := range r.base {
		u, err := resolveOne(base, ref)
		if err != nil {
			return nil, err
		}
		if withParams && r.params != "" {
			u.query = escapeURI(string(r.params), "#?@")
		}
		text, err := webText(u)
		if err != nil {
			return nil, err
		}
		out = append(out, text)
	}
	return out, nil
}
