package viewerapi

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
)

// scriptedSource is an origin in the follower's virtual time.
type scriptedSource struct {
	loads, follows int
	load           func(n int) (*manifest.Presentation, error)
	follow         func(ctx context.Context, n int, on func(*manifest.Playlist, error)) error
}

func (s *scriptedSource) Load(context.Context) (*manifest.Presentation, error) {
	s.loads++
	return s.load(s.loads)
}

func (s *scriptedSource) Follow(ctx context.Context, _ manifest.Rendition, pace manifest.Pace, on func(*manifest.Playlist, error)) error {
	if pace != manifest.Player {
		return errors.New("a tracker is no seeder")
	}
	s.follows++
	return s.follow(ctx, s.follows, on)
}

func presentation() *manifest.Presentation {
	return &manifest.Presentation{URL: "https://o.test/m.m3u8", DefaultSwarmID: "https://o.test/m.m3u8", Format: manifest.FormatHLS,
		Renditions: []manifest.Rendition{{Name: "720p", Bandwidth: 1, Stream: identity.Stream{Type: identity.Main, URI: "https://o.test/v.m3u8", ShortID: "UYnLxGhQilEV4D0HbCx+kRv0ZF0="}}}}
}

func playlist(at time.Time, live, ended bool) *manifest.Playlist {
	p := &manifest.Playlist{Live: live, Ended: ended, TargetDuration: 4 * time.Second, MediaSequence: 10, FetchedAt: at, Window: 24 * time.Second}
	for i := range 6 {
		p.Segments = append(p.Segments, manifest.Segment{Sequence: int64(10 + i), Duration: 4 * time.Second})
	}
	p.Entries = 6
	return p
}

func TestFollowerKeepsFactsWhenTheOriginFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		fetched := make(chan struct{})
		broken := make(chan struct{})
		source := &scriptedSource{
			load: func(n int) (*manifest.Presentation, error) {
				if n <= 3 {
					return nil, errors.New("no route")
				}
				return presentation(), nil
			},
			follow: func(ctx context.Context, _ int, on func(*manifest.Playlist, error)) error {
				on(playlist(time.Now(), true, false), nil)
				fetched <- struct{}{}
				<-broken
				on(nil, errors.New("status 503"))
				fetched <- struct{}{}
				<-ctx.Done()
				return ctx.Err()
			}}
		f := NewStreamFollower(source, "", slog.New(slog.DiscardHandler))
		done := make(chan error)
		go func() { done <- f.Run(ctx) }()
		if facts := f.Facts(); !facts.At.IsZero() || facts.Peerable != nil {
			t.Errorf("before: %+v", facts)
		}
		<-fetched
		facts := f.Facts()
		if facts.Problem != "" || facts.Playlist.Edge != 15 || !facts.Playlist.Live || facts.SwarmID != "https://o.test/m.m3u8" ||
			len(facts.Renditions) != 1 || len(facts.Renditions[0].InfoHashes["v2.3"]) != 20 || len(facts.Renditions[0].InfoHashes["v2.2"]) != 20 {
			t.Errorf("facts: %+v", facts)
		}
		close(broken)
		<-fetched
		after := f.Facts()
		if after.Problem != "status 503" || after.At != facts.At || after.Playlist != facts.Playlist {
			t.Errorf("after: %+v", after)
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if problem := f.Facts().Problem; problem != "status 503" {
			t.Errorf("our own end is no fault of the origin: %s", problem)
		}
	})
}

func TestFollowerReadsAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Minute)
		defer cancel()
		source := &scriptedSource{
			load: func(int) (*manifest.Presentation, error) { return presentation(), nil },
			follow: func(ctx context.Context, n int, on func(*manifest.Playlist, error)) error {
				on(playlist(time.Now(), true, n <= 2), nil)
				if n <= 2 {
					return nil // ended
				}
				<-ctx.Done()
				return ctx.Err()
			}}
		f := NewStreamFollower(source, "town-hall", slog.New(slog.DiscardHandler))
		if err := f.Run(ctx); err != nil {
			t.Error(err)
		}
		// Twice after a minute, then every five.
		// It had ended and is live again: another event, with a swarm of its own.
		_, later := strings.CutPrefix(f.Facts().SwarmID, "town-hall@")
		if source.loads < 5 || source.loads > 7 || !later || !f.Facts().Playlist.Live {
			t.Errorf("%d loads, %+v", source.loads, f.Facts())
		}
	})
}
