package manifest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/manifest/dash"
)

// Bounds of what is kept and asked for beside an MPD.
const (
	maxIndexes    = 1_000    // segment indexes of one rendition
	maxIndexBytes = 1 << 20  // of one
	maxIndexTotal = 64 << 20 // of all that are kept
	maxTimeBytes  = 1 << 10  // of what a clock answers
	clockEvery    = 10 * time.Minute
	clockRetry    = 30 * time.Second
	clockSlow     = 200 * time.Millisecond // a first answer that took longer is asked for again like none
)

// mpdState is what a Source knows of an MPD beside its catalog. Its fields are guarded by mu.
type mpdState struct {
	mu     sync.Mutex
	serial int                   // of listings
	lists  map[string]mpdListing // the last one of each rendition, by name
	index  map[string][]byte     // segment indexes, by key
	bytes  int                   // of index
	parsed *dash.Presentation    // that index and lists belong to

	ahead  time.Duration // of the origin's clock before ours
	asking chan struct{} // held while the clock is asked for the first time
	asked  time.Time     // when the clock was asked last
	told   bool          // it answered
	ticked bool          // it answered, soon or for the second time
}

// mpdListing is a playlist that was made, and what of.
type mpdListing struct {
	from     *dash.Presentation
	playlist *Playlist
	tag      string // stands for it in validators
}

// currentMPD returns the presentation as it was at most maxAge ago. A caller that waits for a load that began meanwhile shares its
// result. One that asks for a whole load goes by loads whose answer was one.
func (s *Source) currentMPD(ctx context.Context, maxAge time.Duration, whole bool) (*Presentation, error) {
	c := &s.catalog
	asked := time.Now()
	fresh := func() *Presentation {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.presentation == nil || c.err != nil || asked.Sub(c.began) > maxAge || (whole && asked.Sub(c.readAt) > maxAge) {
			return nil
		}
		return c.presentation
	}
	if p := fresh(); p != nil {
		return p, nil
	}
	select {
	case c.loading <- struct{}{}:
		defer func() { <-c.loading }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if p := fresh(); p != nil {
		return p, nil
	}
	c.mu.Lock()
	began, err := c.began, c.err
	c.mu.Unlock()
	if err != nil && began.After(asked) {
		return nil, err
	}
	return s.refresh(ctx, whole)
}

var errNotDASH = errors.New("the manifest is no MPD any more")

// readMPD makes the playlist of r from the MPD. It is nil if nothing has changed since known.
func (s *Source) readMPD(ctx context.Context, r Rendition, known validators) (*Playlist, validators, error) {
	m := &s.mpd
	m.mu.Lock()
	maxAge := shareLoad
	if m.parsed != nil && known.etag != "" {
		maxAge = freshFor(m.parsed)
	}
	if known.whole {
		maxAge = min(maxAge, shareLoad)
	}
	m.mu.Unlock()
	p, err := s.currentMPD(ctx, maxAge, known.whole)
	if err != nil {
		return nil, validators{}, err
	}
	if p.mpd == nil {
		return nil, validators{}, fail(ReasonInvalid, p.URL, errNotDASH)
	}
	found, ok := p.Match(r)
	if !ok {
		return nil, validators{}, fail(ReasonInvalid, p.URL, ErrNotNamed)
	}
	now := s.originTime(ctx, p.mpd)
	m.mu.Lock()
	if m.parsed != p.mpd {
		m.parsed, m.index, m.bytes = p.mpd, nil, 0
	}
	last := m.lists[found.Name]
	m.mu.Unlock()
	d := mpdRendition(p.mpd, found.Name)
	byTime := p.mpd.Dynamic && d.ByClock()
	if last.playlist != nil && last.from == p.mpd && known.etag == last.tag && (!byTime || now.Before(last.playlist.due)) {
		return nil, known, nil
	}
	indexes, err := s.indexes(ctx, p.mpd, d)
	if err != nil {
		return nil, validators{}, err
	}
	found.paths = s.cfg.SignedPaths
	var out *Playlist
	cost := time.Duration(0)
	if err := s.inTurn(&cost, func() error {
		list, err := p.mpd.Playlist(d, now, indexes)
		if err != nil {
			return mpdError(p.URL, err)
		}
		out, err = playlistOf(p.mpd, found, list, last.playlist)
		return err
	}); err != nil {
		return nil, validators{}, err
	}
	out.FetchedAt, out.cost = time.Now(), cost+p.cost
	if out.Omitted > 0 {
		s.metrics.shortened.WithLabelValues(boundSegments).Inc()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.serial++
	tag := "mpd-" + strconv.Itoa(m.serial)
	if m.lists == nil {
		m.lists = map[string]mpdListing{}
	}
	m.forgetLists(p.mpd)
	m.lists[found.Name] = mpdListing{p.mpd, out, tag}
	return out, validators{etag: tag}, nil
}

// forgetLists drops those of renditions that an MPD does not have.
func (m *mpdState) forgetLists(p *dash.Presentation) {
	if len(m.lists) <= 2*len(p.Renditions) {
		return
	}
	named := map[string]bool{}
	for _, r := range p.Renditions {
		named[r.Name] = true
	}
	for name := range m.lists {
		if !named[name] {
			delete(m.lists, name)
		}
	}
}

func mpdRendition(p *dash.Presentation, name string) dash.Rendition {
	for _, r := range p.Renditions {
		if r.Name == name {
			return r
		}
	}
	return dash.Rendition{}
}

// indexes fetches the segment indexes of a rendition that are not there yet.
func (s *Source) indexes(ctx context.Context, p *dash.Presentation, r dash.Rendition) (map[string][]byte, error) {
	if len(r.Indexes) == 0 {
		return nil, nil
	}
	if len(r.Indexes) > maxIndexes {
		return nil, fail(ReasonTooLarge, p.URL, fmt.Errorf("more than %d segment indexes in one rendition", maxIndexes))
	}
	m := &s.mpd
	out := make(map[string][]byte, len(r.Indexes))
	for _, index := range r.Indexes {
		key := index.Key()
		m.mu.Lock()
		data, ok := m.index[key]
		m.mu.Unlock()
		if !ok {
			var err error
			if data, err = s.fetchIndex(ctx, *resourceOf(&index)); err != nil {
				return nil, err
			}
			m.mu.Lock()
			if m.parsed == p && m.bytes+len(data) <= maxIndexTotal {
				if m.index == nil {
					m.index = map[string][]byte{}
				}
				m.index[key] = data
				m.bytes += len(data)
			}
			m.mu.Unlock()
		}
		out[key] = data
	}
	return out, nil
}

func (s *Source) fetchIndex(ctx context.Context, r Resource) ([]byte, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, s.cfg.PlaylistTimeout, errTooSlow)
	defer cancel()
	body, _, err := s.FetchResource(ctx, r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = body.Close() }() // read to its end, or given up
	data, err := io.ReadAll(io.LimitReader(body, maxIndexBytes+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxIndexBytes {
		return nil, fail(ReasonTooLarge, r.URL, fmt.Errorf("a segment index of more than %d bytes", maxIndexBytes))
	}
	return data, nil
}

// originTime is the time by the clock that a live MPD names, else by ours. A clock that does not answer, or whose first
// answer was slow, is asked again soon.
func (s *Source) originTime(ctx context.Context, p *dash.Presentation) time.Time {
	if !p.Dynamic || len(p.Clocks) == 0 {
		return time.Now()
	}
	m := &s.mpd
	select {
	case m.asking <- struct{}{}: // until the clock was asked for the first time, all wait for that
	case <-ctx.Done():
		return time.Now()
	}
	m.mu.Lock()
	every := clockRetry
	if m.ticked {
		every = clockEvery
	}
	first := m.asked.IsZero()
	due := first || time.Since(m.asked) >= every
	if due {
		m.asked = time.Now()
	}
	m.mu.Unlock()
	if !first {
		<-m.asking
	}
	if due {
		s.setClock(ctx, p)
	}
	if first {
		<-m.asking
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return time.Now().Add(m.ahead)
}

// setClock asks the clocks of an MPD, one after the other, for as long as one answer may take.
func (s *Source) setClock(ctx context.Context, p *dash.Presentation) {
	ctx, cancel := context.WithTimeoutCause(ctx, s.cfg.StallTimeout, errTooSlow)
	defer cancel()
	for _, c := range p.Clocks {
		began := time.Now()
		at, ok := s.askClock(ctx, c)
		took := time.Since(began)
		if !ok {
			s.metrics.clocks.WithLabelValues(resultNoTime).Inc()
			continue
		}
		s.metrics.clocks.WithLabelValues(resultOK).Inc()
		s.mpd.mu.Lock()
		defer s.mpd.mu.Unlock()
		s.mpd.ticked = s.mpd.told || took <= clockSlow || c.Method == dash.ClockDirect
		s.mpd.ahead, s.mpd.told = time.Until(at), true
		return
	}
	s.cfg.Logger.Warn("no clock of the MPD answers, going by the last answer or by the clock of this machine", "clocks", len(p.Clocks))
}

// askClock asks for the time, always by GET: only what is asked for of the answer is read. Nothing is added for the time that
// the answer took: what the question took of it is not known, and a client that adds too much asks for segments that are not
// there yet, whose 404 a CDN may keep. So the time is never ahead of the origin's. Source: ISO/IEC 23009-1 §5.8.5.7.
func (s *Source) askClock(ctx context.Context, c dash.Clock) (time.Time, bool) {
	if c.Method == dash.ClockDirect {
		// Good when the MPD was made; players do not correct it either.
		return c.Time, !c.Time.IsZero()
	}
	if c.Method != dash.ClockHead && c.Method != dash.ClockGet {
		return time.Time{}, false
	}
	response, _, err := s.get(ctx, c.URL, func(http.Header) {})
	if err != nil {
		return time.Time{}, false
	}
	defer func() { _ = response.Body.Close() }() // what is behind the time is of no use
	if response.StatusCode != http.StatusOK {
		return time.Time{}, false
	}
	if c.Method == dash.ClockHead {
		at, err := http.ParseTime(response.Header.Get("Date"))
		return at, err == nil
	}
	text, err := io.ReadAll(io.LimitReader(response.Body, maxTimeBytes))
	if err != nil {
		return time.Time{}, false
	}
	return dash.ParseTime(string(text))
}

// until is how long it is to a time of the origin's clock.
func (s *Source) until(at time.Time) time.Duration {
	s.mpd.mu.Lock()
	defer s.mpd.mu.Unlock()
	return time.Until(at.Add(-s.mpd.ahead))
}
