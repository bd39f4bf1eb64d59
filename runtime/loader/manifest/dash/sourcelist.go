package dash

import (
	"strings"
)

// readList reads a SegmentList. Source: shaka-player 4.16.9, SegmentList.
func (m *mpd) readList(r *representation) (source, error) {
	chain := r.chain(func(f *frame) *node { return f.list })
	s, err := m.readInfo(r, chain)
	if err != nil {
		return s, err
	}
	s.addressing = byList
	if s.init, err = r.initialization(chain); err != nil {
		return s, err
	}
	for _, n := range chain {
		if s.list = m.segmentURLs(n); len(s.list) > 0 {
			break
		}
	}
	if s.number == 0 {
		s.number = 1
	}
	if key := r.spanKey(s); !m.listKeys[key] {
		m.listKeys[key] = true
		if m.entries -= len(s.list); m.entries < 0 {
			return s, fail(ReasonTooLarge, "lists and timelines of more than %d segments", maxEntries)
		}
	}
	switch {
	case s.line != nil && s.line.count == 0:
		return s, fail(ReasonInvalid, "a SegmentList with an empty SegmentTimeline")
	case s.duration == 0 && s.line == nil && (len(s.list) > 1 || (len(s.list) == 1 && r.period.duration == 0)):
		return s, fail(ReasonInvalid, "a SegmentList without durations")
	}
	return s, nil
}

// segmentURLs are those of one element, which many representations can share.
func (m *mpd) segmentURLs(n *node) []listed {
	if list, ok := m.lists[n]; ok {
		return list
	}
	var list []listed
	for _, u := range n.all("SegmentURL") {
		l := listed{media: u.attr("media"), whole: true}
		if part, ok := parseRange(u.attr("mediaRange")); ok {
			l.part, l.whole = part, false
		}
		list = append(list, l)
	}
	m.lists[n] = list
	return list
}

// readBase reads a SegmentBase. Source: shaka-player 4.16.9, SegmentBase.
func (m *mpd) readBase(r *representation) (source, error) {
	chain := r.chain(func(f *frame) *node { return f.index })
	s, err := m.readInfo(r, chain)
	if err != nil {
		return s, err
	}
	s.addressing, s.line, s.duration = byIndex, nil, 0
	if s.init, err = r.initialization(chain); err != nil {
		return s, err
	}
	if err := s.checkContainer(r); err != nil {
		return s, err
	}
	s.index = &named{urls: r.base}
	part, ok := parseRange(inherited(chain, "indexRange"))
	if n := inheritedChild(chain, "RepresentationIndex"); n != nil {
		if own, has := parseRange(n.attr("range")); has {
			part, ok = own, true
		}
		if url := n.attr("sourceURL"); url != "" {
			if s.index.urls, err = r.resolve(url, true); err != nil {
				return s, err
			}
		}
	}
	if !ok {
		return s, fail(ReasonInvalid, "a SegmentBase without the range of an index")
	}
	s.index.part = part
	return s, nil
}

// checkContainer refuses what players cannot read an index of.
func (s *source) checkContainer(r *representation) error {
	_, container, _ := strings.Cut(r.mimeType, "/")
	container, _, _ = strings.Cut(container, "/")
	s.webm = container == "webm"
	if r.contentType != kindText && container != "mp4" && !s.webm {
		return fail(ReasonInvalid, "an index in a container other than MP4 and WebM")
	}
	if s.webm && s.init == nil {
		return fail(ReasonInvalid, "an index of WebM without an initialization segment")
	}
	return nil
}

// initialization reads an Initialization element.
func (r *representation) initialization(chain []*node) (*named, error) {
	n := inheritedChild(chain, "Initialization")
	if n == nil {
		return nil, nil //nolint:nilnil // there need not be one
	}
	init := &named{urls: r.base, whole: true}
	if url := n.attr("sourceURL"); url != "" {
		var err error
		if init.urls, err = r.resolve(url, true); err != nil {
			return nil, err
		}
	}
	if part, ok := parseRange(n.attr("range")); ok {
		init.part, init.whole = part, false
	}
	return init, nil
}

// resource is what is named, by its first URL.
func (n *named) resource() Resource {
	out := Resource{URL: n.urls[0], Alternatives: n.urls[1:]}
	if !n.whole {
		part := n.part
		out.Range = &part
	}
	return out
}
