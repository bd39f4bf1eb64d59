package core

import (
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
	"github.com/p2pstream/p2pstream/runtime/loader/playback"
)

// listing is a live playlist of n segments of 4 s.
func listing(first int64, n int, ended bool) *manifest.Playlist {
	p := playlistOf(first, n)
	p.Ended, p.Entries = ended, n
	for i := range p.Segments {
		p.Segments[i].Start = time.Duration(i) * p.TargetDuration
	}
	p.Window = time.Duration(n) * p.TargetDuration
	return p
}

// TestPlaybackBeginsBehindTheEdge has a viewer wait for a playlist that has just begun, instead of playing at its edge.
func TestPlaybackBeginsBehindTheEdge(t *testing.T) {
	start := time.Now()
	for name, tt := range map[string]struct {
		playlist *manifest.Playlist
		after    time.Duration // since the first look
		based    bool
		position time.Duration
	}{
		"one segment":                              {listing(0, 1, false), 0, false, -8 * time.Second},
		"one segment, later":                       {listing(0, 1, false), 7 * time.Second, false, -5 * time.Second},
		"two segments":                             {listing(0, 2, false), 4 * time.Second, false, -4 * time.Second},
		"three segments":                           {listing(0, 3, false), 0, true, 0},
		"one from which segments were removed":     {listing(7, 2, false), 0, true, 4 * time.Second},
		"one segment that has ended":               {listing(0, 1, true), 0, true, 0},
		"one segment, and no more for three times": {listing(0, 1, false), 12 * time.Second, true, 0},
	} {
		t.Run(name, func(t *testing.T) {
			r := idle(t, 100, 1)
			clock := playback.New(start)
			r.playhead = &playhead{clock: trackOf(clock)}
			r.playlist = tt.playlist
			r.position(start)
			if got := r.position(start.Add(tt.after)); got != tt.position || r.playhead.based != tt.based {
				t.Errorf("position %v, begun %v; want %v, %v", got, r.playhead.based, tt.position, tt.based)
			}
		})
	}
}

// TestAHugeTargetDurationDelaysNoViewer: the playlist says that its segments last a day.
func TestAHugeTargetDurationDelaysNoViewer(t *testing.T) {
	p, list := &playhead{}, listing(0, 1, false)
	list.TargetDuration = 24 * time.Hour
	if wait := p.startsIn(list, behindEdge*list.TargetDuration, time.Now()); wait > longestStart {
		t.Errorf("playback waits for %v", wait)
	}
}

// TestWaitingForTheNextEventIsNoStall goes from one event to the next, whose playlist begins with one segment.
func TestWaitingForTheNextEventIsNoStall(t *testing.T) {
	now := time.Now()
	r := idle(t, 100, 1)
	clock := playback.New(now)
	r.playhead = &playhead{clock: trackOf(clock)}
	r.playlist = listing(0, 3, true)
	r.position(now)
	r.playhead.clock.SetBuffered(12*time.Second, now)
	now = now.Add(15 * time.Second)
	r.forget(now)
	r.playlist = listing(7, 1, false)
	for range 5 {
		now = now.Add(time.Second)
		r.position(now)
	}
	r.playlist = listing(7, 3, false)
	if got := r.position(now); got != 0 {
		t.Errorf("the next event is played from %v, want its begin", got)
	}
	r.playhead.clock.SetBuffered(24*time.Second, now)
	now = now.Add(4 * time.Second)
	if s := clock.Stats(now); s.Stalls != 0 || s.Stalled != 0 || s.Played != 16*time.Second {
		t.Errorf("played %v, %d stalls of %v; want 16s and none", s.Played, s.Stalls, s.Stalled)
	}
}

// track is the playback of one rendition.
type track struct {
	*playback.Clock
	track *playback.Track
}

func trackOf(clock *playback.Clock) track { return track{clock, clock.AddTrack("a")} }

func (t track) SetBuffered(until time.Duration, now time.Time) {
	t.Clock.SetBuffered(t.track, until, now)
}
