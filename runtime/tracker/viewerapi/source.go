package viewerapi

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
	"github.com/p2pstream/p2pstream/runtime/tracker/viewerapi/settings"
)

// ManifestSource is what a StreamFollower reads; *manifest.Source is one.
type ManifestSource interface {
	Load(ctx context.Context) (*manifest.Presentation, error)
	Follow(ctx context.Context, r manifest.Rendition, pace manifest.Pace, on func(*manifest.Playlist, error)) error
}

// How often the manifest itself is read again: renditions may change while a stream is live, and a stream that has
// ended may start again under the same URL.
const (
	reloadAfter  = 5 * time.Minute
	endedRecheck = time.Minute
	firstRetry   = 500 * time.Millisecond
	slowestRetry = 15 * time.Second
)

// StreamFollower maintains the facts about one stream. It reads the manifest and one rendition's playlist as often as a
// player does, so that a tracker loads the origin like one viewer that fetches no media.
type StreamFollower struct {
	source  ManifestSource
	swarmID string
	log     *slog.Logger
	// OnFacts, if set before Run, is called from Run's goroutine with new facts, but not after failures.
	OnFacts func(Facts)

	mu    sync.Mutex // guards facts, which are replaced and never changed
	facts Facts
}

// NewStreamFollower returns a follower; swarmID is the configured one, empty for the manifest's default.
func NewStreamFollower(source ManifestSource, swarmID string, log *slog.Logger) *StreamFollower {
	return &StreamFollower{source: source, swarmID: swarmID, log: log, facts: Facts{SwarmID: swarmID}}
}

// Facts returns the last facts; it never waits.
func (f *StreamFollower) Facts() Facts {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.facts
}

// Run follows the stream until ctx ends and then returns nil. It retries a failing origin without limit.
func (f *StreamFollower) Run(ctx context.Context) error {
	retry := firstRetry
	for ctx.Err() == nil {
		if err := f.followOnce(ctx); err != nil {
			f.fail(ctx, err)
			// Half of the wait is random, so that replicas of a tracker do not retry at the same time.
			pause(ctx, retry/2+rand.N(retry/2+1)) //nolint:gosec // spreading load needs no secrecy
			retry = min(2*retry, slowestRetry)
			continue
		}
		retry = firstRetry
	}
	return nil
}

// followOnce reads the manifest and follows one rendition for a while. It returns the origin's error.
func (f *StreamFollower) followOnce(ctx context.Context) error {
	presentation, err := f.source.Load(ctx)
	if err != nil {
		return err
	}
	if len(presentation.Renditions) == 0 {
		f.update(presentation, "", nil)
		pause(ctx, endedRecheck)
		return nil
	}
	// Main renditions come first; each of them has the stream's target duration and window.
	rendition := presentation.Renditions[0]
	following, cancel := context.WithTimeout(ctx, reloadAfter)
	defer cancel()
	err = f.source.Follow(following, rendition, manifest.Player, func(p *manifest.Playlist, err error) {
		if err != nil {
			f.fail(following, err)
			return
		}
		f.update(presentation, rendition.Name, p)
	})
	if following.Err() != nil {
		return nil
	}
	if err == nil { // ended, or VOD
		pause(ctx, endedRecheck)
	}
	return err
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
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
}

// update replaces the facts by those of a presentation and one of its playlists.
func (f *StreamFollower) update(p *manifest.Presentation, name string, playlist *manifest.Playlist) {
	facts := Facts{SwarmID: f.swarmID}
	if facts.SwarmID == "" {
		facts.SwarmID = p.DefaultSwarmID
	}
	for _, r := range p.Renditions {
		hashes := map[string]string{}
		for _, g := range identity.Generations() {
			hashes[string(g)] = string(r.InfoHash(g, facts.SwarmID))
		}
		facts.Renditions = append(facts.Renditions, Rendition{Name: r.Name, Type: string(r.Type), Bandwidth: r.Bandwidth,
			Codecs: r.Codecs, Resolution: r.Resolution, InfoHashes: hashes})
	}
	playlists := map[string]*manifest.Playlist{}
	if playlist != nil {
		playlists[name] = playlist
		facts.At, facts.Followed = playlist.FetchedAt, name
		facts.Playlist = settings.Playlist{Live: playlist.Live && !playlist.Ended, Segments: len(playlist.Segments),
			TargetDuration: playlist.TargetDuration, Window: playlist.Window, Edge: playlist.LastSequence()}
	}
	ok, reason, message := manifest.Peerability(p, playlists)
	facts.Peerable, facts.Message = &ok, message
	if !ok {
		facts.Reason = reason
	}
	f.mu.Lock()
	before := f.facts
	f.facts = facts
	f.mu.Unlock()
	switch {
	case before.Problem != "":
		f.log.Info("the stream can be read again")
	case before.Peerable == nil || *before.Peerable != ok:
		f.log.Info("read the stream", "renditions", len(facts.Renditions), "live", facts.Playlist.Live, "peerable", ok, "reason", reason)
	}
	if f.OnFacts != nil {
		f.OnFacts(facts)
	}
}
