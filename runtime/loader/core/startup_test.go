package core

import (
	"testing"
	"time"
)

func TestStartupWait(t *testing.T) {
	const wait, patience = 350 * time.Millisecond, 1500 * time.Millisecond
	for name, tt := range map[string]struct {
		onDemand, hadNoPeers, reachable, announced bool
		wait                                       time.Duration
		want                                       time.Duration
	}{
		"no peer was ever connected":         {true, false, false, false, wait, wait},
		"a peer is or was connected":         {true, false, true, false, wait, patience},
		"but never in this rendition":        {true, true, true, false, wait, wait},
		"a peer has announced its segments":  {true, false, true, true, wait, wait},
		"no seeder and no peer":              {true, false, false, false, 0, 0},
		"no seeder, but a connected peer":    {true, false, true, false, 0, patience},
		"a viewer that plays, with one peer": {false, false, true, false, wait, wait},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := &Config{OnDemand: tt.onDemand, StartupWait: tt.wait, Patience: patience}
			if got := startupWait(cfg, tt.hadNoPeers, tt.reachable, tt.announced); got != tt.want {
				t.Errorf("%v, want %v", got, tt.want)
			}
		})
	}
}

// TestPeersAnnounced tells a connected peer from one that has announced what it holds.
func TestPeersAnnounced(t *testing.T) {
	r := idle(t, 100, 4)
	s := connect(r)
	if r.peersAnnounced() {
		t.Error("a peer that was silent has announced something")
	}
	announce(s)
	if !r.peersAnnounced() {
		t.Error("an empty announcement does not count")
	}
}
