package viewerapi

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
)

// startFollower runs a follower until the test ends.
func startFollower(t *testing.T, f *StreamFollower) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- f.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// shown is an origin that shows one playlist, which may be replaced; nil: 404.
type shown struct {
	p atomic.Pointer[manifest.Playlist]
}

func (s *shown) set(p *manifest.Playlist) { s.p.Store(p) }

func (s *shown) source() *scriptedSource {
	return &scriptedSource{
		load: func(int) (*manifest.Presentation, error) {
			if s.p.Load() == nil {
				return nil, &manifest.Error{Reason: manifest.ReasonStatus, Status: http.StatusNotFound}
			}
			return presentation(), nil
		},
		follow: func(ctx context.Context, _ int, on func(*manifest.Playlist, error)) error {
			p := s.p.Load()
			p.FetchedAt = time.Now()
			on(p, nil)
			if p.Ended {
				return nil
			}
			<-ctx.Done()
			return ctx.Err()
		},
	}
}

// TestANewEventHasASwarmOfItsOwn: a page that joins when a new event begins under the URL gets another swarm id, within a
// second and without waiting for the next regular look.
func TestANewEventHasASwarmOfItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s shown
		s.set(listed(0, 9, true))
		source := s.source()
		f := NewStreamFollower(source, "town-hall", slog.New(slog.DiscardHandler))
		startFollower(t, f)
		join := func() Facts {
			t.Helper()
			before := time.Now()
			known := f.Refresh(t.Context())
			if !known || time.Since(before) > lookWait {
				t.Fatalf("known %v after %v", known, time.Since(before))
			}
			return f.Facts()
		}
		first := join()
		if first.SwarmID != "town-hall" || first.Playlist.Live {
			t.Fatalf("the first event: %+v", first)
		}
		time.Sleep(5 * time.Second)
		for range 50 {
			join()
		}
		synctest.Wait()
		if source.loads != 2 {
			t.Errorf("fifty pages within a second made the tracker look %d times", source.loads-1)
		}
		s.set(nil) // 404 in between
		time.Sleep(2 * time.Second)
		if got := join(); got.SwarmID != "town-hall" || got.Problem == "" {
			t.Errorf("in between: %+v", got)
		}
		s.set(listed(0, 3, false)) // the same numbers again
		time.Sleep(2 * time.Second)
		second := join()
		epoch, ok := epochOf("town-hall", second.SwarmID)
		if !ok || epoch > time.Now().Unix() || epoch < time.Now().Unix()-2 || !second.Playlist.Live || second.Problem != "" {
			t.Fatalf("the second event: %+v", second)
		}
		if a, b := first.Renditions[0].InfoHashes, second.Renditions[0].InfoHashes; a["v2.3"] == b["v2.3"] || a["v2.2"] == b["v2.2"] {
			t.Errorf("one swarm for two events: %v", b)
		}
		if len(second.FormerHashes) != 2 {
			t.Errorf("pages of the first event are forgotten: %v", second.FormerHashes)
		}
	})
}

// TestPagesWaitOnlyABit: an origin that does not answer holds up the first pages for two seconds, and later ones not at all.
func TestPagesWaitOnlyABit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		stuck := &scriptedSource{load: func(int) (*manifest.Presentation, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}}
		f := NewStreamFollower(stuck, "", slog.New(slog.DiscardHandler))
		done := make(chan error, 1)
		go func() { done <- f.Run(ctx) }()
		for _, most := range []time.Duration{lookWait, 0, 0} {
			began := time.Now()
			if f.Refresh(ctx) || time.Since(began) != most {
				t.Errorf("waited %v, want %v", time.Since(began), most)
			}
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func TestNumbersThatGoBackAreDoubted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		resolve := make(chan *manifest.Playlist)
		source := &scriptedSource{
			load: func(int) (*manifest.Presentation, error) { return presentation(), nil },
			follow: func(ctx context.Context, _ int, on func(*manifest.Playlist, error)) error {
				p := listed(90, 99, false)
				p.FetchedAt = time.Now()
				on(p, nil)
				on(nil, &manifest.Error{Reason: manifest.ReasonWentBackwards})
				select {
				case p := <-resolve:
					p.FetchedAt = time.Now()
					on(p, nil)
				case <-ctx.Done():
				}
				<-ctx.Done()
				return ctx.Err()
			}}
		f := NewStreamFollower(source, "town-hall", slog.New(slog.DiscardHandler))
		startFollower(t, f)
		synctest.Wait()
		began := time.Now()
		if f.Refresh(t.Context()) || time.Since(began) != doubtWait {
			t.Errorf("a page waited %v", time.Since(began))
		}
		if facts := f.Facts(); !facts.doubtful(time.Now()) || facts.doubtful(began) || facts.SwarmID != "town-hall" {
			t.Errorf("in doubt: %+v", facts)
		}
		p := listed(0, 3, false)
		p.Restarted = true
		resolve <- p
		synctest.Wait()
		if facts := f.Facts(); facts.doubtful(time.Now().Add(time.Hour)) || facts.SwarmID == "town-hall" {
			t.Errorf("resolved: %+v", facts)
		}
	})
}

// TestExpiredVariantsAreReadAgain: after refusals the manifest is read again, and its new URIs are followed.
func TestExpiredVariantsAreReadAgain(t *testing.T) {
	for status, again := range map[int]bool{http.StatusForbidden: true, http.StatusNotFound: true, http.StatusGone: true, http.StatusUnauthorized: true, http.StatusServiceUnavailable: false} {
		synctest.Test(t, func(t *testing.T) {
			source := &scriptedSource{
				load: func(int) (*manifest.Presentation, error) { return presentation(), nil },
				follow: func(ctx context.Context, n int, on func(*manifest.Playlist, error)) error {
					p := listed(int64(n), int64(n)+9, false)
					p.FetchedAt = time.Now()
					on(p, nil)
					if n == 1 {
						for range refusals {
							on(nil, &manifest.Error{Reason: manifest.ReasonStatus, Status: status})
						}
					}
					<-ctx.Done()
					return ctx.Err()
				}}
			f := NewStreamFollower(source, "town-hall", slog.New(slog.DiscardHandler))
			startFollower(t, f)
			time.Sleep(10 * time.Second)
			synctest.Wait()
			if (source.loads == 2) != again || source.loads > 2 || (f.Facts().Problem == "") != again {
				t.Errorf("status %d: %d loads, %+v", status, source.loads, f.Facts())
			}
		})
	}
}

func TestTheFirstSwarmStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s shown
		s.set(listed(0, 9, true))
		source := s.source()
		source.load = func(n int) (*manifest.Presentation, error) {
			p := presentation()
			p.DefaultSwarmID = "https://edge" + string(rune('a'+n)) + ".test/m.m3u8"
			return p, nil
		}
		f := NewStreamFollower(source, "", slog.New(slog.DiscardHandler))
		startFollower(t, f)
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if source.loads < 5 || f.Facts().SwarmID != "https://edgeb.test/m.m3u8" {
			t.Errorf("after %d looks: %s", source.loads, f.Facts().SwarmID)
		}
	})
}

// TestAdopt: a tracker that restarted during a second event takes its swarm from the seeders.
func TestAdopt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s shown
		s.set(listed(0, 9, false))
		f := NewStreamFollower(s.source(), "town-hall", slog.New(slog.DiscardHandler))
		startFollower(t, f)
		synctest.Wait()
		now := time.Now().Unix()
		before := f.Facts().Renditions[0].InfoHashes["v2.3"]
		for _, step := range []struct{ id, want string }{
			{"town-hall", "town-hall"}, {"other@tn5w8s", "town-hall"}, {"town-hall@x y", "town-hall"},
			{swarmOf("town-hall", now+3600), "town-hall"}, // a clock that is wrong, or a lie
			{swarmOf("town-hall", now-60), swarmOf("town-hall", now-60)},
			{swarmOf("town-hall", now-120), swarmOf("town-hall", now-60)}, // an older one
			{"town-hall", swarmOf("town-hall", now-60)},
			{swarmOf("town-hall", now+1), swarmOf("town-hall", now+1)}, // another replica saw it a second later
		} {
			f.Adopt(step.id)
			if got := f.Facts().SwarmID; got != step.want {
				t.Fatalf("after %q: %q, want %q", step.id, got, step.want)
			}
		}
		if f.Facts().Renditions[0].InfoHashes["v2.3"] == before {
			t.Error("the info hashes are those of the first event")
		}
	})
}

// fakeProber says what it is told.
type fakeProber struct {
	look   func(n int) (manifest.Evidence, time.Duration, error)
	looks  int
	forgot int
}

func (p *fakeProber) Look(context.Context) (manifest.Evidence, time.Duration, error) {
	p.looks++
	return p.look(p.looks)
}
func (p *fakeProber) Forget() { p.forgot++ }

// TestProbesDecide: what a probe finds in any rendition is in the facts when a page gets its settings.
func TestProbesDecide(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s shown
		s.set(listed(0, 9, false))
		source := s.source()
		source.load = func(int) (*manifest.Presentation, error) {
			p := presentation()
			p.Renditions = append(p.Renditions, manifest.Rendition{Name: "audio-en", Stream: identity.Stream{Type: identity.Secondary, ShortID: "a", URI: "https://o.test/a.m3u8"}})
			return p, nil
		}
		prober := &fakeProber{look: func(n int) (manifest.Evidence, time.Duration, error) {
			time.Sleep(time.Second)
			audio := listed(0, 9, false)
			audio.CanSkip = n == 1
			return manifest.Evidence{Playlists: map[string]*manifest.Playlist{"audio-en": audio}}, time.Minute, nil
		}}
		f := NewStreamFollower(source, "town-hall", slog.New(slog.DiscardHandler))
		f.Prober = prober
		startFollower(t, f)
		synctest.Wait()
		began := time.Now()
		if !f.Refresh(t.Context()) || time.Since(began) != time.Second {
			t.Errorf("a page did not wait for the first probe: %v", time.Since(began))
		}
		facts := f.Facts()
		if facts.Peerable == nil || *facts.Peerable || facts.Reason != manifest.DeltaUpdates || facts.MainOff || !facts.SecondaryOff {
			t.Fatalf("after the first probe: %+v", facts)
		}
		time.Sleep(70 * time.Second)
		synctest.Wait()
		if facts = f.Facts(); facts.SecondaryOff || prober.looks != 2 || prober.forgot != 0 {
			t.Errorf("after %d probes: %+v", prober.looks, facts)
		}
	})
}

func TestAProbeThatFailsHoldsUpNoPage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s shown
		s.set(listed(0, 9, true))
		prober := &fakeProber{look: func(n int) (manifest.Evidence, time.Duration, error) {
			if n == 1 {
				time.Sleep(20 * time.Second)
			}
			if n < 3 {
				return manifest.Evidence{}, time.Second, errors.New("no route")
			}
			return manifest.Evidence{Differences: []manifest.Difference{{Rendition: "720p", Sequence: 3}}}, time.Hour, nil
		}}
		f := NewStreamFollower(s.source(), "town-hall", slog.New(slog.DiscardHandler))
		f.Prober = prober
		startFollower(t, f)
		synctest.Wait()
		began := time.Now()
		if f.Refresh(t.Context()) || time.Since(began) != probeWait {
			t.Errorf("waited %v", time.Since(began))
		}
		if facts := f.Facts(); facts.Peerable == nil || !*facts.Peerable {
			t.Errorf("not known yet: %+v", facts)
		}
		time.Sleep(22 * time.Second)
		synctest.Wait()
		facts := f.Facts()
		if facts.Reason != manifest.DifferentPerSession || !facts.MainOff || !facts.SecondaryOff {
			t.Errorf("after the third: %+v", facts)
		}
		s.set(listed(0, 3, false, time.Second))
		f.Refresh(t.Context())
		synctest.Wait()
		if facts = f.Facts(); prober.forgot != 1 || prober.looks != 4 || !strings.HasPrefix(facts.SwarmID, "town-hall@") {
			t.Errorf("a new event is not probed: %d looks, forgot %d, %+v", prober.looks, prober.forgot, facts)
		}
	})
}
