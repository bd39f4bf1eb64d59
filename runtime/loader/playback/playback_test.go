package playback

import (
	"testing"
	"time"
)

var zero = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func at(seconds float64) time.Time { return zero.Add(time.Duration(seconds * float64(time.Second))) }

func TestPlaybackStartsWhenEveryTrackHasBytes(t *testing.T) {
	p := New(zero)
	video, audio := p.AddTrack("video"), p.AddTrack("audio")
	p.SetBuffered(video, 4*time.Second, at(0.5))
	if p.Stats(at(0.6)).Started {
		t.Fatal("started without audio")
	}
	p.SetBuffered(audio, 4*time.Second, at(0.7))
	got := p.Stats(at(1.7))
	if !got.Started || got.Startup != 700*time.Millisecond || got.Played != time.Second || got.Stalls != 0 {
		t.Errorf("stats = %+v", got)
	}
}

func TestPlaybackStallsAndGoesOn(t *testing.T) {
	p := New(zero)
	v := p.AddTrack("video")
	p.SetBuffered(v, 2*time.Second, at(0))
	if got := p.Stats(at(3)); got.Stalls != 1 || got.Stalled != time.Second || got.Played != 2*time.Second {
		t.Errorf("dry: %+v", got)
	}
	p.SetBuffered(v, 4*time.Second, at(5))
	if got := p.Stats(at(6)); got.Stalls != 1 || got.Stalled != 3*time.Second || got.Played != 3*time.Second {
		t.Errorf("after: %+v", got)
	}
}

func TestPlaybackEndsWithoutAStall(t *testing.T) {
	p := New(zero)
	v := p.AddTrack("video")
	p.SetEnd(2 * time.Second)
	p.SetBuffered(v, 2*time.Second, at(0))
	if got := p.Stats(at(9)); got.Stalls != 0 || got.Stalled != 0 || got.Played != 2*time.Second {
		t.Errorf("stats = %+v", got)
	}
}

func TestPlaybackForgetsRemovedTracks(t *testing.T) {
	p := New(zero)
	v, a := p.AddTrack("video"), p.AddTrack("audio")
	p.SetBuffered(v, 10*time.Second, at(0))
	p.SetBuffered(a, time.Second, at(0))
	p.RemoveTrack(a, at(0.5))
	p.SetBuffered(a, time.Second, at(0.6))
	if got := p.Stats(at(5)); got.Stalls != 0 || got.Played != 5*time.Second {
		t.Errorf("stats = %+v", got)
	}
	p.RemoveTrack(v, at(6))
	if got := p.Stats(at(60)); got.Stalls != 0 || got.Played != 6*time.Second {
		t.Errorf("after the last track: %+v", got)
	}
}

func TestPlaybackTimeNeverRunsBackwards(t *testing.T) {
	p := New(zero)
	v := p.AddTrack("video")
	p.SetBuffered(v, 10*time.Second, at(0))
	p.Position(at(5))
	if got := p.Position(at(3)); got != 5*time.Second {
		t.Errorf("position = %s", got)
	}
}
