package rendition

import (
	"testing"
	"time"
)

func TestStartupWait(t *testing.T) {
	const wait, patience = 350 * time.Millisecond, 1500 * time.Millisecond
	now := time.Now()
	type situation struct {
		settings   Settings
		peers      Connections
		hadNoPeers bool
		announced  bool
	}
	for name, tt := range map[string]struct {
		change func(*situation)
		want   time.Duration
	}{
		"no peer was ever connected":         {func(*situation) {}, wait},
		"a peer is connected":                {func(s *situation) { s.peers.open.Store(1) }, patience},
		"a peer was connected a minute ago":  {func(s *situation) { s.peers.lastChange.Store(now.Add(-time.Minute).UnixNano()) }, patience},
		"a peer was connected an hour ago":   {func(s *situation) { s.peers.lastChange.Store(now.Add(-time.Hour).UnixNano()) }, wait},
		"but never in this rendition":        {func(s *situation) { s.peers.open.Store(1); s.hadNoPeers = true }, wait},
		"a peer has announced its segments":  {func(s *situation) { s.peers.open.Store(1); s.announced = true }, wait},
		"no seeder and no peer":              {func(s *situation) { s.settings.StartupWait = 0 }, 0},
		"no seeder, but a connected peer":    {func(s *situation) { s.peers.open.Store(1); s.settings.StartupWait = 0 }, patience},
		"a viewer that plays, with one peer": {func(s *situation) { s.peers.open.Store(1); s.settings.OnDemand = false }, wait},
	} {
		t.Run(name, func(t *testing.T) {
			s := &situation{settings: Settings{OnDemand: true, StartupWait: wait, Patience: patience}}
			tt.change(s)
			if got := startupWait(&s.settings, s.hadNoPeers, s.peers.reachable(now), s.announced); got != tt.want {
				t.Errorf("%v, want %v", got, tt.want)
			}
		})
	}
}

// TestPeersAnnounced tells a connected peer from one that has announced what it holds.
func TestPeersAnnounced(t *testing.T) {
	r := idle(t, 100, 4)
	s := connect(t, r)
	if r.peersAnnounced() {
		t.Error("a peer that was silent has announced something")
	}
	announce(t, s)
	if !r.peersAnnounced() {
		t.Error("an empty announcement does not count")
	}
}
