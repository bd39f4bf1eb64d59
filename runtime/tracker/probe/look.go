package probe

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/p2pstream/p2pstream/runtime/integrity"
	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
)

const (
	// atOnce is how many requests run at a time.
	atOnce = 4
	// maxPairs bounds how many pairs of renditions with one identity are compared.
	maxPairs = 64
	// The two sessions.
	mine, yours = 0, 1
)

// look is one look at the stream.
type look struct {
	*Prober
	sessions [2]Session
	masters  [2]*manifest.Presentation
	lists    [2]map[string]*manifest.Playlist // by Rendition.Name
	spent    atomic.Int64                     // bytes of segments

	mu      sync.Mutex // guards results and lists while requests run
	results map[request]*result
}

// request is a segment in one session.
type request struct {
	session   int
	rendition string
	sequence  int64
	url, span string // span tells ranges of one file apart
}

// result is what came of a request.
type result struct {
	sum     [sha256.Size]byte // SHA-256
	bytes   int64
	partial bool  // only the first bytes were read
	total   int64 // as the origin says, −1 if it does not
	err     error // the segment cannot be compared
}

func requestOf(session int, rendition string, s manifest.Segment) request {
	return request{session, rendition, s.Sequence, s.URL, name(s)}
}

// read loads manifest and playlists in both sessions. Only a failure of the first manifest is an error: what the second
// session does not get is not compared.
func (l *look) read(ctx context.Context) error {
	var err error
	if l.masters[mine], err = l.sessions[mine].Load(ctx); err != nil {
		return err
	}
	l.masters[yours], _ = l.sessions[yours].Load(ctx) // nil: not compared
	group := new(errgroup.Group)
	group.SetLimit(atOnce)
	for i, master := range l.masters {
		l.lists[i] = map[string]*manifest.Playlist{}
		if master == nil {
			continue
		}
		if more := len(master.Renditions) - l.cfg.MaxRenditions; more > 0 {
			l.metrics.skipped.WithLabelValues(limitRenditions).Add(float64(more))
		}
		for _, r := range master.Renditions[:min(len(master.Renditions), l.cfg.MaxRenditions)] {
			group.Go(func() error {
				p, err := l.sessions[i].LoadPlaylist(ctx, r)
				if err != nil {
					return nil // a rendition that cannot be read is not judged
				}
				l.mu.Lock()
				defer l.mu.Unlock()
				p.Text = nil // not used
				l.lists[i][r.Name] = p
				return nil
			})
		}
	}
	return group.Wait()
}

// fetch fetches one segment of each rendition, and those that it is compared with.
func (l *look) fetch(ctx context.Context) {
	group := new(errgroup.Group)
	group.SetLimit(atOnce)
	want := func(session int, rendition string, s manifest.Segment) {
		key := requestOf(session, rendition, s)
		if _, again := l.results[key]; again {
			return
		}
		r := &result{err: errSkipped}
		l.results[key] = r
		group.Go(func() error {
			*r = l.segment(ctx, l.sessions[session], s)
			return nil
		})
	}
	for _, c := range l.comparisons() {
		if c.twins && (!c.both || c.one.url == c.two.url && c.one.span == c.two.span) {
			continue // there is nothing to compare
		}
		want(c.one.session, c.one.rendition, c.x)
		if c.both {
			want(c.two.session, c.two.rendition, c.y)
		}
	}
	_ = group.Wait() // no function returns an error
}

// comparison is a pair of segments that should be the same, or one segment that is only fetched.
type comparison struct {
	one, two request
	x, y     manifest.Segment
	both     bool
	twins    bool // two renditions; else two sessions
}

// comparisons says what to fetch: of each rendition one segment in the first session; in the second one those whose names
// differ, and the first rendition's whatever it is called, since a watermark leaves the name as it is; and of twins both.
func (l *look) comparisons() []comparison {
	var out []comparison
	for i, r := range l.renditions() {
		a := l.lists[mine][r.Name]
		if b := l.lists[yours][r.Name]; b != nil && sameIdentity(l.masters[yours], r) {
			if x, y, named, ok := pick(a, b); ok {
				out = append(out, comparison{one: requestOf(mine, r.Name, x), two: requestOf(yours, r.Name, y), x: x, y: y, both: i == 0 || !named})
				continue
			}
		}
		if x, ok := alone(a); ok {
			out = append(out, comparison{one: requestOf(mine, r.Name, x), x: x})
		}
	}
	return append(out, l.twins()...)
}

// twins are the pairs of renditions with one identity that can be compared.
func (l *look) twins() []comparison {
	var out []comparison
	pairs := manifest.Twins(l.masters[mine])
	for _, pair := range pairs[:min(len(pairs), maxPairs)] {
		a, b := l.lists[mine][pair[0].Name], l.lists[mine][pair[1].Name]
		if a == nil || b == nil {
			continue
		}
		c := comparison{one: request{rendition: pair[0].Name}, two: request{rendition: pair[1].Name}, twins: true}
		if x, y, _, ok := pick(a, b); ok {
			c.one, c.two, c.x, c.y, c.both = requestOf(mine, pair[0].Name, x), requestOf(mine, pair[1].Name, y), x, y, true
		}
		out = append(out, c)
	}
	return out
}

// renditions are those whose playlist was read.
func (l *look) renditions() []manifest.Rendition {
	var out []manifest.Rendition
	for _, r := range l.masters[mine].Renditions {
		if l.lists[mine][r.Name] != nil {
			out = append(out, r)
		}
	}
	return out
}

func sameIdentity(p *manifest.Presentation, r manifest.Rendition) bool {
	for _, other := range p.Renditions {
		if other.Name == r.Name {
			return other.Type == r.Type && other.ShortID == r.ShortID
		}
	}
	return false
}

// evidence is what the results amount to.
func (l *look) evidence(ctx context.Context) manifest.Evidence {
	e := manifest.Evidence{Playlists: l.lists[mine], Masters: []string{l.masters[mine].DefaultSwarmID}}
	if l.masters[yours] != nil {
		e.Masters = append(e.Masters, l.masters[yours].DefaultSwarmID)
	}
	doubted := false
	kinds := map[identity.StreamType]bool{}
	renditions := map[string]manifest.Rendition{}
	for _, r := range l.masters[mine].Renditions {
		renditions[r.Name] = r
	}
	for _, c := range l.comparisons() {
		one, two := l.results[c.one], l.results[c.two]
		if c.twins {
			switch {
			case !c.both: // no number is in both: what one calls 7 is not the other's
				e.Alike = append(e.Alike, manifest.Likeness{First: c.one.rendition, Second: c.two.rendition})
			case c.one.url == c.two.url && c.one.span == c.two.span:
				e.Alike = append(e.Alike, manifest.Likeness{First: c.one.rendition, Second: c.two.rendition, Equal: true})
			case one.err == nil && two.err == nil:
				e.Alike = append(e.Alike, manifest.Likeness{First: c.one.rendition, Second: c.two.rendition, Equal: one.equal(two)})
			}
			continue
		}
		r := renditions[c.one.rendition]
		e.Travel = append(e.Travel, travel(r.Name, one)...)
		if one.err != nil {
			continue
		}
		if c.both && two.err == nil && !one.equal(two) && !l.changed(ctx, c) {
			e.Differences = append(e.Differences, manifest.Difference{Rendition: r.Name, Sequence: c.x.Sequence})
		}
		if !doubted && l.denied(r, c.x, one) {
			doubted = true // one suffices, and each takes its time
			if l.confirmed(ctx, r, c.x) {
				e.Differences = append(e.Differences, manifest.Difference{Rendition: r.Name, Sequence: c.x.Sequence, Clients: true})
			}
		}
		if !kinds[r.Type] {
			kinds[r.Type] = true
			e.Travel = append(e.Travel, l.manners(ctx, r.Name, c.x, one)...)
		}
	}
	return e
}

func (r *result) equal(other *result) bool {
	return r.sum == other.sum && r.bytes == other.bytes && r.partial == other.partial
}

// changed asks both sessions once more, to tell a segment that differs by session from one that was just replaced or was
// still being written.
func (l *look) changed(ctx context.Context, c comparison) bool {
	one, two := l.segment(ctx, l.sessions[mine], c.x), l.segment(ctx, l.sessions[yours], c.y)
	return one.err != nil || two.err != nil || one.equal(&two)
}

// denied tells whether the seeders say that the segment is something else.
func (l *look) denied(r manifest.Rendition, s manifest.Segment, got *result) bool {
	if l.cfg.Hashes == nil || got.partial {
		return false
	}
	for _, h := range l.cfg.Hashes(r, s) {
		if h != integrity.Cut(got.sum) {
			return true
		}
	}
	return false
}

// confirmed tells whether the seeders deny a segment still, after a while and another fetch.
func (l *look) confirmed(ctx context.Context, r manifest.Rendition, s manifest.Segment) bool {
	select {
	case <-ctx.Done():
		return false // the next look finds it
	case <-time.After(confirmAfter):
	}
	again := l.segment(ctx, l.sessions[mine], s)
	return again.err == nil && l.denied(r, s, &again)
}

// travel says what is odd about an answer.
func travel(rendition string, r *result) []manifest.Trouble {
	trouble := manifest.Trouble{Rendition: rendition}
	switch manifest.ReasonOf(r.err) {
	case manifest.ReasonEncoded:
		trouble.Reason, trouble.Detail = manifest.SegmentsEncoded, detail(r.err)
	case manifest.ReasonRangeIgnored:
		trouble.Reason = manifest.RangesIgnored
	case manifest.ReasonNoLength:
		trouble.Reason, trouble.Detail = manifest.NoContentLength, detail(r.err)
	default:
		if r.err != nil || r.total >= 0 {
			return nil
		}
		trouble.Reason = manifest.NoContentLength
	}
	return []manifest.Trouble{trouble}
}

// detail is an error's own text without the URL.
func detail(err error) string {
	var e *manifest.Error
	if errors.As(err, &e) && e.Err != nil {
		return strings.ToValidUTF8(e.Err.Error(), "?")
	}
	return ""
}

// manners tries what peers need of an origin besides whole segments: the rest of one, and one without cookies.
func (l *look) manners(ctx context.Context, rendition string, s manifest.Segment, whole *result) []manifest.Trouble {
	if whole.bytes < 2 {
		return nil
	}
	var out []manifest.Trouble
	err := l.open(ctx, l.sessions[mine], s, whole.bytes/2)
	if s.Range == nil && manifest.ReasonOf(err) == manifest.ReasonRangeIgnored {
		out = append(out, manifest.Trouble{Rendition: rendition, Reason: manifest.RangesIgnored})
	} else if err != nil {
		return nil // not even this session gets it again: a URL that is good for one request
	}
	bare, err := l.cfg.Open()
	if err != nil {
		return out
	}
	defer bare.Close()
	var refused *manifest.Error
	if errors.As(l.open(ctx, bare, s, 0), &refused) && (refused.Status == http.StatusUnauthorized || refused.Status == http.StatusForbidden) {
		out = append(out, manifest.Trouble{Rendition: rendition, Reason: manifest.NeedsCookie})
	}
	return out
}

// open asks for a segment and takes no byte of it.
func (l *look) open(ctx context.Context, from Session, s manifest.Segment, at int64) error {
	body, _, err := from.FetchSegment(ctx, s, at)
	if err != nil {
		return err
	}
	return body.Close()
}

var errSkipped = errors.New("left out")

// segment fetches a segment and hashes at most MaxSegmentBytes of it.
func (l *look) segment(ctx context.Context, from Session, s manifest.Segment) result {
	switch {
	case ctx.Err() != nil:
		l.metrics.skipped.WithLabelValues(limitTime).Inc()
		return result{err: errSkipped}
	case l.spent.Load() >= l.cfg.MaxBytes:
		l.metrics.skipped.WithLabelValues(limitBytes).Inc()
		return result{err: errSkipped}
	}
	body, total, err := from.FetchSegment(ctx, s, 0)
	if err != nil {
		return result{err: err}
	}
	defer func() { _ = body.Close() }() // read to its end, or as far as it is compared
	hash := sha256.New()
	n, err := io.Copy(hash, io.LimitReader(body, l.cfg.MaxSegmentBytes))
	l.spent.Add(n)
	l.metrics.bytes.Add(float64(n))
	if err != nil {
		return result{err: fmt.Errorf("reading segment: %w", err)}
	}
	r := result{bytes: n, total: total}
	if n == l.cfg.MaxSegmentBytes {
		extra, err := io.ReadFull(body, make([]byte, 1))
		r.partial = extra > 0
		if err != nil && !errors.Is(err, io.EOF) {
			return result{err: fmt.Errorf("reading segment: %w", err)}
		}
	}
	hash.Sum(r.sum[:0])
	return r
}
