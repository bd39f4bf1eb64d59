package settings

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/telemetry"
)

func live(target, segments int) Playlist {
	t := time.Duration(target) * time.Second
	return Playlist{Live: true, TargetDuration: t, Segments: segments, Window: t * time.Duration(segments), Edge: 100}
}

func vod(target, segments int) Playlist {
	p := live(target, segments)
	p.Live = false
	return p
}

// TestWaitForTheFirstPeer: pages wait longer once they know that UDP passes. Those of the SDK begin in time, except behind a line.
func TestWaitForTheFirstPeer(t *testing.T) {
	held := Input{Playlist: live(4, 10), SeedersHold: true}
	inSite, tested, alone := held, held, held
	inSite.InSite, tested.UDP, alone.SeedersHold = true, UDPWorks, false
	for name, tt := range map[string]struct {
		in                 Input
		none, first, start int
	}{
		"a seeder": {held, 340, 680, 340}, "in a site": {inSite, 340, 680, 0},
		"UDP was seen before": {tested, 1500, 0, 340}, "no seeder": {alone, 0, 0, 0},
	} {
		if r := For(tt.in).Runtime; r.NoPeerMs != tt.none || r.FirstPeerMs != tt.first || r.StartMs != tt.start {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

func TestFor(t *testing.T) {
	off := Input{Playlist: live(4, 10), P2POff: true}
	tests := []struct {
		name        string
		in          Input
		high, http  float64
		p2p         float64
		wait, count int
		buffer      float64
	}{
		{"unknown stream", Input{SeedersHold: true}, 15, 3000, 6000, 0, 0, 0},
		{"P2P off", off, 15, 3000, 6000, 0, 0, 0},
		{"held, 10 x 4 s", Input{Playlist: live(4, 10), SeedersHold: true}, 3, 3, 90, 340, 4, 8},
		{"held, 6 x 4 s", Input{Playlist: live(4, 6), SeedersHold: true}, 3, 3, 90, 340, 4, 8},
		{"held, 5 x 4 s", Input{Playlist: live(4, 5), SeedersHold: true}, 3, 3, 90, 340, 3, 8},
		{"held, 3 x 4 s", Input{Playlist: live(4, 3), SeedersHold: true}, 3, 3, 90, 340, 2, 8},
		{"held, 1 x 4 s", Input{Playlist: live(4, 1), SeedersHold: true}, 3, 3, 90, 340, 1, 8},
		{"held, 20 x 2 s", Input{Playlist: live(2, 20), SeedersHold: true}, 3, 3, 90, 340, 5, 4},
		{"held, 60 x 1 s", Input{Playlist: live(1, 60), SeedersHold: true}, 3, 3, 90, 340, 7, 3},
		{"held, 10 x 6 s", Input{Playlist: live(6, 10), SeedersHold: true}, 4.5, 4.5, 90, 340, 4, 12},
		{"held, 10 x 10 s", Input{Playlist: live(10, 10), SeedersHold: true}, 7.5, 7.5, 90, 340, 3, 20},
		{"held, VOD", Input{Playlist: vod(4, 30), SeedersHold: true}, 3, 3, 90, 340, 0, 8},
		{"held, UDP works", Input{Playlist: live(4, 10), SeedersHold: true, UDP: UDPWorks}, 3, 3, 90, 1500, 4, 8},
		{"held, UDP blocked", Input{Playlist: live(4, 10), SeedersHold: true, UDP: UDPBlocked}, 15, 3000, 6000, 0, 4, 15},
		{"viewers only, 10 x 4 s", Input{Playlist: live(4, 10)}, 8, 3000, 6000, 0, 8, 8},
		{"viewers only, 6 x 4 s", Input{Playlist: live(4, 6)}, 8, 3000, 6000, 0, 4, 8},
		{"viewers only, 5 x 4 s", Input{Playlist: live(4, 5)}, 4, 3000, 6000, 0, 3, 8},
		{"viewers only, hours of DVR", Input{Playlist: live(4, 3000)}, 8, 3000, 6000, 0, 15, 8},
		{"viewers only, VOD", Input{Playlist: vod(4, 30)}, 8, 120, 240, 0, 0, 8},
		{"viewers only, VOD of long segments", Input{Playlist: vod(10, 30)}, 15, 120, 240, 0, 0, 20},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := For(tt.in)
			c := s.Core
			if c.HighDemand != tt.high || c.HTTP != tt.http || c.P2P != tt.p2p || c.HTTPDownloadInitialTimeoutMs != tt.wait {
				t.Errorf("windows %+v wait %d, want %v %v %v %d", c.Windows, c.HTTPDownloadInitialTimeoutMs, tt.high, tt.http, tt.p2p, tt.wait)
			}
			if s.HLSJS.LiveSyncDurationCount != tt.count || s.HLSJS.MaxBufferLength != tt.buffer {
				t.Errorf("hls.js %+v, want count %d buffer %v", s.HLSJS, tt.count, tt.buffer)
			}
			if want := float64(tt.count) * tt.in.Playlist.TargetDuration.Seconds(); s.Shaka.Manifest.DefaultPresentationDelay != want {
				t.Errorf("shaka delay %v, want %v", s.Shaka.Manifest.DefaultPresentationDelay, want)
			}
			if c.SimultaneousHTTPDownloads < 1 {
				t.Error("without the script a page must always be able to use HTTP")
			}
		})
	}
}

// TestSafety checks the documented properties of the numbers for every combination.
func TestSafety(t *testing.T) {
	for target := 1; target <= 20; target++ {
		for segments := 1; segments <= 200; segments++ {
			for _, p := range []Playlist{live(target, segments), vod(target, segments)} {
				for _, seeders := range []bool{false, true} {
					s := For(Input{Playlist: p, SeedersHold: seeders})
					if s.Core.HighDemand < minHighDemand || s.Core.HTTP < s.Core.HighDemand || s.Core.P2P < s.Core.HTTP {
						t.Fatalf("%d x %d s, seeders %v: windows %+v", segments, target, seeders, s.Core.Windows)
					}
					if n := s.HLSJS.LiveSyncDurationCount; p.Live && (n < 1 || (segments > 1 && n >= segments)) {
						t.Fatalf("%d x %d s: starts %d segments from the edge", segments, target, n)
					}
					if long := float64(segments-2)*float64(target) >= 2*float64(target)+s.Core.HighDemand+transferTime; seeders && long && p.Live {
						room := s.Latency(p).Seconds() - 2*float64(target) - s.Core.HighDemand
						if room < transferTime-0.01 {
							t.Fatalf("%d x %d s: peers have only %v s", segments, target, room)
						}
					}
					if s.Core.HTTPDownloadInitialTimeoutMs > 400 {
						t.Fatal("a viewer without UDP waits too long")
					}
					if w := s.Runtime.WithoutSeeders; w == nil || *w != For(Input{Playlist: p}).Core.Windows {
						t.Fatalf("fallback %+v", w)
					}
				}
			}
		}
	}
}

// TestPagesThatLoadAsAnEventBegins get settings for the playlist that is to come: they keep them for the whole event.
func TestPagesThatLoadAsAnEventBegins(t *testing.T) {
	for segments, want := range map[int]int{1: 3, 2: 3, 3: 3, 4: 3, 40: For(Input{Playlist: live(2, 40)}).HLSJS.LiveSyncDurationCount} {
		p := live(2, segments)
		p.Growing = true
		if got := For(Input{Playlist: p}).HLSJS.LiveSyncDurationCount; got != want {
			t.Errorf("%d segments: starts %d from the edge, want %d", segments, got, want)
		}
	}
	if got := For(Input{Playlist: live(2, 2)}).HLSJS.LiveSyncDurationCount; got != 1 {
		t.Errorf("a playlist that stays short: starts %d from the edge", got)
	}
}

func TestJSONNamesAreTheLibrarys(t *testing.T) {
	b, err := json.Marshal(For(Input{Playlist: live(4, 10), SeedersHold: true}).Core)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"simultaneousHttpDownloads":2,"simultaneousP2PDownloads":3,"httpDownloadInitialTimeoutMs":340,` +
		`"rtcConfig":{"iceServers":[],"iceCandidatePoolSize":1},"highDemandTimeWindow":3,"httpDownloadTimeWindow":3,"p2pDownloadTimeWindow":90}`
	if string(b) != want {
		t.Fatalf("got  %s\nwant %s", b, want)
	}
}

func TestShakaOptions(t *testing.T) {
	for name, tt := range map[string]struct {
		in   Input
		want string
	}{
		"live": {Input{Playlist: live(4, 10), SeedersHold: true},
			`{"manifest":{"defaultPresentationDelay":16,"dash":{"ignoreSuggestedPresentationDelay":true}},"streaming":{"bufferingGoal":8}}`},
		"a film":         {Input{Playlist: vod(4, 10), SeedersHold: true}, `{"manifest":{},"streaming":{"bufferingGoal":8}}`},
		"unknown stream": {Input{}, `{"manifest":{},"streaming":{}}`},
	} {
		b, err := json.Marshal(For(tt.in).Shaka)
		if err != nil {
			t.Fatal(err)
		}
		if string(b) != tt.want {
			t.Errorf("%s: %s, want %s", name, b, tt.want)
		}
	}
}

func TestHolding(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	seeder := func(edge int64, segments int, names ...string) telemetry.SeederReport {
		r := telemetry.SeederReport{ID: "s", At: now, Fresh: true}
		for _, n := range names {
			r.State.Renditions = append(r.State.Renditions, telemetry.HeldRendition{Name: n, HeldEdge: edge, Segments: segments})
		}
		return r
	}
	stale, full, old := seeder(100, 5, "a"), seeder(100, 5, "a"), seeder(96, 5, "a")
	stale.Fresh = false
	edge := seeder(100, 5, "a")
	edge.State.EdgeSite = "Bern"
	full.State.Peers, full.State.MaxPeers = 10, 10
	old.At = now.Add(-8 * time.Second)
	tests := []struct {
		name       string
		playlist   Playlist
		renditions []string
		seeders    []telemetry.SeederReport
		want       int
		enough     bool
	}{
		{"none", live(4, 10), nil, nil, 0, false},
		{"unknown playlist", Playlist{}, nil, []telemetry.SeederReport{seeder(100, 5, "a")}, 0, false},
		{"at the edge", live(4, 10), nil, []telemetry.SeederReport{seeder(100, 5, "a")}, 1, true},
		{"ahead of us", live(4, 10), nil, []telemetry.SeederReport{seeder(103, 5, "a")}, 1, true},
		{"a little behind", live(4, 10), nil, []telemetry.SeederReport{seeder(98, 5, "a")}, 1, true},
		{"behind", live(4, 10), nil, []telemetry.SeederReport{seeder(97, 5, "a")}, 0, false},
		{"behind, but the report is old", live(4, 10), nil, []telemetry.SeederReport{old}, 1, true},
		{"holds nothing", live(4, 10), nil, []telemetry.SeederReport{seeder(100, 0, "a")}, 0, false},
		{"of one site", live(4, 10), nil, []telemetry.SeederReport{edge}, 0, false},
		{"silent", live(4, 10), nil, []telemetry.SeederReport{stale}, 0, false},
		{"full", live(4, 10), nil, []telemetry.SeederReport{full}, 0, false},
		{"one of three renditions", live(4, 10), []string{"a", "b", "c"}, []telemetry.SeederReport{seeder(100, 5, "a")}, 1, false},
		{"two of three by two seeders", live(4, 10), []string{"a", "b", "c"}, []telemetry.SeederReport{seeder(100, 5, "a"), seeder(100, 5, "b")}, 2, true},
		{"other names", live(4, 10), []string{"a"}, []telemetry.SeederReport{seeder(100, 5, "audio-en")}, 1, false},
		{"VOD whole", vod(4, 5), nil, []telemetry.SeederReport{seeder(4, 5, "a")}, 1, true},
		{"VOD first minute", vod(4, 500), nil, []telemetry.SeederReport{seeder(14, 15, "a")}, 1, true},
		{"VOD just begun", vod(4, 500), nil, []telemetry.SeederReport{seeder(3, 4, "a")}, 0, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n, enough := Holding(HoldingInput{Playlist: tt.playlist, ReadAt: now, Renditions: tt.renditions, Seeders: tt.seeders})
			if n != tt.want || enough != tt.enough {
				t.Fatalf("%d %v, want %d %v", n, enough, tt.want, tt.enough)
			}
		})
	}
}

// A page must survive an origin that is down for some minutes, with any other settings.
func TestPlaylistsAreAskedForAgain(t *testing.T) {
	live := live(4, 6)
	for name, in := range map[string]Input{
		"unknown": {}, "no peers wanted": {P2POff: true, Playlist: live}, "seeders": {Playlist: live, SeedersHold: true},
		"no seeders": {Playlist: live}, "no UDP": {Playlist: live, SeedersHold: true, UDP: UDPBlocked},
	} {
		t.Run(name, func(t *testing.T) {
			p := For(in).HLSJS.PlaylistLoadPolicy.Default
			for _, r := range []RetryPolicy{p.ErrorRetry, p.TimeoutRetry} {
				var total int
				for i := range r.MaxNumRetry {
					total += min((i+1)*r.RetryDelayMs, r.MaxRetryDelayMs) // hls.js, linear backoff
				}
				if total < 5*60_000 || r.MaxRetryDelayMs > 5000 {
					t.Errorf("retries for %d ms, at most every %d ms", total, r.MaxRetryDelayMs)
				}
			}
		})
	}
}
