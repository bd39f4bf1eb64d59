package loader

import (
	"testing"
	"time"
)

func TestHopeForTheFirstPeer(t *testing.T) {
	const wait, patience = 350 * time.Millisecond, 1500 * time.Millisecond
	now := time.Now()
	announced := &session{}
	announced.announced.Store(&announcement{})
	for name, tt := range map[string]struct {
		change func(*Engine, *rendition)
		want   time.Duration
	}{
		"nobody was ever met":           {func(*Engine, *rendition) {}, wait},
		"somebody is connected":         {func(e *Engine, _ *rendition) { e.peers.Store(1) }, patience},
		"somebody was a minute ago":     {func(e *Engine, _ *rendition) { e.lastPeer.Store(now.Add(-time.Minute).UnixNano()) }, patience},
		"somebody was an hour ago":      {func(e *Engine, _ *rendition) { e.lastPeer.Store(now.Add(-time.Hour).UnixNano()) }, wait},
		"but never in this rendition":   {func(e *Engine, r *rendition) { e.peers.Store(1); r.lonely = true }, wait},
		"one has said what it holds":    {func(e *Engine, r *rendition) { e.peers.Store(1); r.sessions = []*session{announced} }, wait},
		"one has not said yet":          {func(e *Engine, r *rendition) { e.peers.Store(1); r.sessions = []*session{{}} }, patience},
		"no seeder is known, no hope":   {func(e *Engine, _ *rendition) { e.cfg.StartupWait = 0 }, 0},
		"no seeder was, but a peer is":  {func(e *Engine, _ *rendition) { e.peers.Store(1); e.cfg.StartupWait = 0 }, patience},
		"a viewer that plays by itself": {func(e *Engine, _ *rendition) { e.peers.Store(1); e.demand = nil }, wait},
	} {
		t.Run(name, func(t *testing.T) {
			e := &Engine{demand: &onDemand{}, cfg: Config{StartupWait: wait, Patience: patience}}
			r := &rendition{e: e}
			tt.change(e, r)
			if got := r.hopeful(now); got != tt.want {
				t.Errorf("%v, want %v", got, tt.want)
			}
		})
	}
}
