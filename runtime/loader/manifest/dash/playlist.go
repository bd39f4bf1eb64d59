package dash

import (
	"math"
	"math/big"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
)

// raw is a segment before it has a URL.
type raw struct {
	start, end float64
	next       float64 // start of the one that follows, 0: end
	// written is where it begins for V3, which reads some MPDs otherwise, and writtenNext where the one that follows does.
	written, writtenNext float64
	number, time         float64
	exactTime            *big.Int
	media                string
	part                 *ByteRange
}

// listing are the segments of one representation that are there at one time.
type listing struct {
	r     *representation
	count int64
	first int64 // number of the first entry, if it is addressed by number
	// walk calls f for the entries from the given one on, until f fails.
	walk func(from int64, f func(raw) error) error
}

// Playlist is what a player that opens the MPD at this time lists of a rendition. now is the time by the origin's clock
// (Presentation.Clocks). indexes has the bytes of Rendition.Indexes by their keys. Errors are *Error.
func (p *Presentation) Playlist(r Rendition, now time.Time, indexes map[string][]byte) (*Playlist, error) {
	if len(r.parts) != len(p.periods) || len(r.parts) == 0 || r.parts[0].period != p.periods[0] {
		return nil, fail(ReasonUnknown, "the presentation has no such rendition")
	}
	at := p.doc.availability(now)
	var all []listing
	list := &Playlist{Live: p.Dynamic, Ended: !p.Dynamic}
	for _, part := range r.parts {
		l, err := p.doc.list(part, at, indexes)
		if err != nil {
			return nil, err
		}
		list.Entries += l.count
		all = append(all, l)
	}
	if len(all) == 1 && all[0].r.source.addressing == byNumber {
		list.Numbered, list.First = true, all[0].first
	}
	b := builder{m: p.doc, list: list, dynamic: p.Dynamic}
	skip := max(0, list.Entries-maxSegments)
	b.expect(int(list.Entries - skip))
	list.Omitted = skip
	for _, l := range all {
		if err := b.add(l, min(skip, l.count)); err != nil {
			return nil, err
		}
		skip -= min(skip, l.count)
	}
	b.end()
	return list, nil
}

// list lists one representation.
func (m *mpd) list(r *representation, at *availability, indexes map[string][]byte) (listing, error) {
	switch r.source.addressing {
	case byNumber:
		return r.listNumbers(at)
	case byTimeline:
		return r.listTimeline(!m.static), nil
	case byList:
		return r.listURLs(!m.static), nil
	case byIndex:
		return r.listIndex(!m.static, indexes)
	case byNothing:
	}
	return listing{r: r}, nil
}

// builder makes a playlist of listings.
type builder struct {
	m       *mpd
	list    *Playlist
	dynamic bool
	before  int64 // entries of the periods before
	seen    map[string]struct{}
	ids     map[int64]string
	named   int // bytes of URLs
}

// expect makes room for n segments.
func (b *builder) expect(n int) {
	b.seen, b.ids = make(map[string]struct{}, n), make(map[int64]string, n)
	b.list.Segments = make([]Segment, 0, n)
}

func (b *builder) add(l listing, from int64) error {
	s := l.r.source
	t := &b.list.traits
	position := b.before + from - 1
	b.before += l.count
	t.timeline = t.timeline || s.addressing == byTimeline
	t.parts = t.parts || (s.parts && l.count > 0)
	if s.parts || from >= l.count {
		return nil // the player has no URL of a whole segment
	}
	namer, err := newNamer(l.r)
	if err != nil {
		return err
	}
	var init *Resource
	if s.init != nil {
		init = new(Resource)
		*init = s.init.resource()
	}
	first := true
	return l.walk(from, func(w raw) error {
		position++
		if math.Abs(w.start) > maxInteger || math.IsNaN(w.start) || math.IsNaN(w.end) {
			return fail(ReasonInvalid, "a segment begins at a time beyond what a browser can count")
		}
		urls, err := namer.urls(w)
		if err != nil {
			return err
		}
		for _, url := range urls {
			b.named += len(url)
		}
		if b.named > maxNamed {
			return fail(ReasonTooLarge, "URLs of segments of more than %d bytes together", maxNamed)
		}
		t.manyURLs = t.manyURLs || len(urls) > 1
		if w.next == 0 {
			w.next = w.end
		}
		segment := Segment{
			IDs: numbersAt(w.start, w.written), Next: numbersAt(w.next, w.writtenNext), Position: position, URL: urls[0], Range: w.part, Alternatives: urls[1:], Init: init,
			Start: toDuration(w.start), Duration: toDuration(w.end - w.start), Encrypted: l.r.encrypted, First: first, start: w.start, end: w.end,
		}
		if l.r.period.named {
			segment.Period = l.r.period.id
		}
		if b.dynamic && s.addressing == byNumber {
			segment.Available = b.m.available(w.end)
		}
		b.put(segment)
		first = false
		return nil
	})
}

// numbersAt are the ids of a segment that begins at a time, and for V3 at written.
func numbersAt(start, written float64) identity.Numbers {
	id := identity.ShakaDASHSegmentID(start)
	return identity.Numbers{Counted: id, Listed: id, Written: identity.WrittenDASHSegmentID(written)}
}

// put adds a segment unless it is there already.
func (b *builder) put(s Segment) {
	key := s.Key()
	if _, again := b.seen[key]; again {
		b.list.traits.repeated++
		return
	}
	b.seen[key] = struct{}{}
	if other, taken := b.ids[s.IDs.Counted]; taken && other != key {
		b.list.traits.sharedIDs++
	}
	b.ids[s.IDs.Counted] = key
	b.list.Segments = append(b.list.Segments, s)
	if !math.IsInf(s.end, 0) {
		b.list.Target = max(b.list.Target, s.Duration)
	}
}

func (b *builder) end() {
	if n := len(b.list.Segments); n > 0 {
		b.list.Window = toDuration(b.list.Segments[n-1].end - b.list.Segments[0].start)
	}
}
