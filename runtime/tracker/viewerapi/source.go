package viewerapi

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
)

// ManifestSource is what a StreamFollower reads; *manifest.Source is one.
type ManifestSource interface {
	Load(ctx context.Context) (*manifest.Presentation, error)
	Follow(ctx context.Context, r manifest.Rendition, pace manifest.Pace, on func(*manifest.Playlist, error)) error
}

// Prober looks at what the playlist of one rendition does not show; *probe.Prober is one. One goroutine calls it.
type Prober interface {
	// Look returns the evidence that it has, and when to look again.
	Look(ctx context.Context) (e manifest.Evidence, again time.Duration, err error)
	// Forget drops what earlier looks found, because a new event began.
	Forget()
}

// How often the manifest itself is read again: renditions may change while a stream is live, and a stream that has
// ended may start again under the same URL.
const (
	reloadAfter  = 5 * time.Minute
	endedRecheck = time.Minute
	firstRetry   = 500 * time.Millisecond
	slowestRetry = 15 * time.Second
	// lookEvery is how old the last look at a stream that has ended may be when a page joins; a look that took long rests
	// for lookRest times as long.
	lookEvery = time.Second
	lookRest  = 9
	// refusals is after how many refused playlists in a row the manifest is read again: its variants may have expired or
	// moved.
	refusals = 2
)

// How long a page that joins waits for facts, counted from when the tracker began to look.
const (
	lookWait  = 2 * time.Second
	doubtWait = 2 * time.Second
	probeWait = 3 * time.Second
)

// StreamFollower maintains the facts about one stream. It reads the manifest and one rendition's playlist as often as a
// player does. With a Prober it also looks at all renditions now and then, and at a segment of each.
type StreamFollower struct {
	source     ManifestSource
	configured string // swarm id; empty: the manifest's default
	log        *slog.Logger
	// OnFacts, if set before Run, is called with new facts, one call at a time, but not after failures.
	OnFacts func(Facts)
	// Prober may be set before Run.
	Prober Prober
	// Generations are those whose swarms are served; none: the default ones.
	Generations []identity.Generation

	wake  chan struct{} // ends a rest
	probe chan struct{} // asks for a probe
	told  chan struct{} // says that seeders told something new of segments

	updating sync.Mutex // held while facts are made and handed out
	mu       sync.Mutex // guards what follows; facts are replaced and never changed
	facts    Facts
	state    state
	look     pending // reading the manifest
	probing  pending // the first probe of an event
	doubt    pending // whether a new event began
	resting  bool
	looked   time.Time     // when the last look ended
	lookTook time.Duration // from its begin
}

// state is what facts are made from.
type state struct {
	base         string // swarm id of the first event
	event        event
	presentation *manifest.Presentation
	followed     string // name of the rendition whose playlist is in event
	evidence     manifest.Evidence
	former       []string // info hashes of the event before
	forget       bool     // the evidence is of the event before
}

// NewStreamFollower returns a follower; swarmID is the configured one, empty for the manifest's default.
func NewStreamFollower(source ManifestSource, swarmID string, log *slog.Logger) *StreamFollower {
	f := &StreamFollower{source: source, configured: swarmID, log: log, facts: Facts{SwarmID: swarmID}, state: state{base: swarmID},
		wake: make(chan struct{}, 1), probe: make(chan struct{}, 1), told: make(chan struct{}, 1)}
	f.look.begin(time.Now()) // Run is about to
	return f
}

// Facts returns the last facts; it never waits.
func (f *StreamFollower) Facts() Facts {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.facts
}

// Run follows the stream until ctx ends and then returns nil. It retries a failing origin without limit.
func (f *StreamFollower) Run(ctx context.Context) error {
	var probing sync.WaitGroup
	defer probing.Wait()
	if f.Prober != nil {
		probing.Go(func() { f.keepProbing(ctx) })
	}
	retry := firstRetry
	for ctx.Err() == nil {
		read, err := f.followOnce(ctx)
		if read {
			retry = firstRetry
		}
		if err != nil {
			f.fail(ctx, err)
			f.lookEnds() // with what came of it known
			// Half of the wait is random, so that replicas of a tracker do not retry at the same time.
			f.rest(ctx, retry/2+rand.N(retry/2+1)) //nolint:gosec // spreading load needs no secrecy
			retry = min(2*retry, slowestRetry)
		}
	}
	return nil
}

// followOnce reads the manifest and follows one rendition for a while. It returns the origin's error, and whether it read
// anything before.
func (f *StreamFollower) followOnce(ctx context.Context) (read bool, err error) {
	f.mu.Lock()
	f.look.begin(time.Now())
	f.mu.Unlock()
	presentation, err := f.source.Load(ctx)
	if err != nil {
		return false, err
	}
	if len(presentation.Renditions) == 0 {
		f.update(presentation, "", nil)
		f.lookEnds()
		f.rest(ctx, endedRecheck)
		return true, nil
	}
	// Main renditions come first; each of them has the stream's target duration and window.
	rendition := presentation.Renditions[0]
	following, cancel := context.WithTimeout(ctx, reloadAfter)
	defer cancel()
	refused := 0
	var refusal error
	err = f.source.Follow(following, rendition, manifest.Player, func(p *manifest.Playlist, err error) {
		defer f.lookEnds()
		if err != nil {
			f.fail(following, err)
			if refused++; !isRefusal(err) {
				refused = 0
			}
			if refused >= refusals {
				refusal = err
				cancel()
			}
			return
		}
		read, refused = true, 0
		f.update(presentation, rendition.Name, p)
	})
	if refusal != nil && ctx.Err() == nil {
		return read, refusal
	}
	f.lookEnds()
	if following.Err() != nil {
		return true, nil
	}
	if err == nil { // ended, or VOD
		f.rest(ctx, endedRecheck)
	}
	return read, err
}

// isRefusal tells whether the origin does not, or no longer, have what the manifest names, or not for this session.
func isRefusal(err error) bool {
	var e *manifest.Error
	if !errors.As(err, &e) {
		return false
	}
	switch e.Status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusGone:
		return true
	}
	return false
}

func (f *StreamFollower) lookEnds() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.look.running() {
		f.looked, f.lookTook = time.Now(), time.Since(f.look.since)
		f.look.end()
	}
}

// rest waits for d, or until a page joins that needs newer facts.
func (f *StreamFollower) rest(ctx context.Context, d time.Duration) {
	f.setResting(true)
	defer f.setResting(false)
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-f.wake:
	case <-t.C:
	}
}

func (f *StreamFollower) setResting(to bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.resting = to
}

// Refresh makes the facts as new as a page needs that joins now: a stream that has ended or cannot be read is looked at
// again, unless that was done in the last second; what is being found out is waited for, some seconds at most. It tells
// whether nothing is open any more.
func (f *StreamFollower) Refresh(ctx context.Context) bool {
	f.mu.Lock()
	if now := time.Now(); f.resting && !f.look.running() && now.Sub(f.looked) >= max(lookEvery, lookRest*f.lookTook) {
		f.look.begin(now)
		select {
		case f.wake <- struct{}{}:
		default:
		}
	}
	look := f.look
	f.mu.Unlock()
	known := look.wait(ctx, lookWait)
	f.mu.Lock()
	doubt, probing := f.doubt, f.probing
	f.mu.Unlock()
	known = doubt.wait(ctx, doubtWait) && known
	return probing.wait(ctx, probeWait) && known
}

// fail keeps the last facts and records why they are not newer. After ctx has ended, failures are expected and ignored.
func (f *StreamFollower) fail(ctx context.Context, err error) {
	if ctx.Err() != nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.facts.Problem == "" {
		f.log.Warn("cannot read the stream; retrying", "error", err)
	}
	f.facts.Problem = err.Error()
	if manifest.ReasonOf(err) == manifest.ReasonWentBackwards {
		f.doubts()
	}
}

// doubts notes that a new event may have begun. f.mu is held.
func (f *StreamFollower) doubts() {
	f.doubt.begin(time.Now())
	f.facts.DoubtSince = f.doubt.since
}

// toldAfter is how soon a probe follows when seeders begin to tell hashes, or disagree: more of them come together.
const toldAfter = 3 * time.Second

// SeedersTold notes that seeders have begun to tell the hashes of a swarm's segments, or that they disagree: the probe can
// compare them with what it gets itself.
func (f *StreamFollower) SeedersTold() {
	select {
	case f.told <- struct{}{}:
	default:
	}
}

// keepProbing probes when a stream or an event begins, when seeders tell something new, and as often as the prober says.
func (f *StreamFollower) keepProbing(ctx context.Context) {
	t := time.NewTimer(0)
	<-t.C
	defer t.Stop()
	var next time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-f.probe:
		case <-f.told:
			if soon := time.Now().Add(toldAfter); next.After(soon) {
				next = soon
				t.Reset(toldAfter)
			}
			continue
		case <-t.C:
		}
		f.mu.Lock()
		forget := f.state.forget
		f.state.forget = false
		f.mu.Unlock()
		if forget {
			f.Prober.Forget()
		}
		e, again, err := f.Prober.Look(ctx)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			f.log.Info("cannot look at all of the stream; retrying", "error", err)
		}
		f.probed(e, err)
		next = time.Now().Add(again)
		t.Reset(again)
	}
}

// probed takes the evidence of a probe.
func (f *StreamFollower) probed(e manifest.Evidence, err error) {
	f.updating.Lock()
	defer f.updating.Unlock()
	f.mu.Lock()
	if f.state.forget { // a new event began meanwhile: its own probe is due
		f.mu.Unlock()
		return
	}
	if err == nil {
		f.state.evidence = e
	}
	problem := f.facts.Problem
	f.mu.Unlock()
	if err == nil {
		f.renew(problem)
	}
	f.mu.Lock()
	f.probing.end() // with what it found in the facts
	f.mu.Unlock()
}
