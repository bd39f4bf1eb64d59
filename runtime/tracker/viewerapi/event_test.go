package viewerapi

import (
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
)

// listed is a playlist of numbers from first to last, of 2 s each but where changed says otherwise.
func listed(first, last int64, ended bool, changed ...time.Duration) *manifest.Playlist {
	p := &manifest.Playlist{Live: true, Ended: ended, TargetDuration: 2 * time.Second, MediaSequence: first}
	for n := first; n <= last; n++ {
		d := 2 * time.Second
		if i := int(n - first); i < len(changed) {
			d = changed[i]
		}
		p.Segments = append(p.Segments, manifest.Segment{Sequence: n, Duration: d})
		p.Window += d
	}
	p.Entries = len(p.Segments)
	return p
}

func TestEvents(t *testing.T) {
	type at struct {
		after time.Duration // since the one before
		p     *manifest.Playlist
		want  step
	}
	restarted := listed(0, 3, false)
	restarted.Restarted = true
	tests := map[string][]at{
		"a live stream":                       {{0, listed(0, 9, false), continues}, {2 * time.Second, listed(1, 10, false), continues}},
		"numbers that jump ahead":             {{0, listed(0, 9, false), continues}, {2 * time.Second, listed(9000, 9009, false), continues}},
		"an edge that lags":                   {{0, listed(0, 9, false), continues}, {time.Second, listed(0, 7, false), continues}},
		"it ends":                             {{0, listed(0, 9, false), continues}, {2 * time.Second, listed(0, 10, true), continues}},
		"and is read again":                   {{0, listed(0, 9, true), continues}, {time.Minute, listed(0, 9, true), continues}, {time.Minute, listed(0, 9, true), continues}},
		"the reader says that it began anew":  {{0, listed(90, 99, false), continues}, {time.Second, restarted, begins}, {time.Second, restarted, continues}},
		"it goes on after its end":            {{0, listed(0, 9, true), continues}, {time.Second, listed(0, 10, false), begins}},
		"same numbers again, far back":        {{0, listed(3, 10, true), continues}, {6 * time.Second, listed(0, 3, false), begins}},
		"other durations under the numbers":   {{0, listed(0, 4, true), continues}, {time.Second, listed(0, 3, false, time.Second), begins}},
		"no number in both":                   {{0, listed(100, 104, true), continues}, {time.Second, listed(5, 9, false), begins}},
		"long after the end":                  {{0, listed(0, 9, true), continues}, {time.Hour, listed(0, 8, false), begins}},
		"an edge that lags behind the end":    {{0, listed(0, 9, true), continues}, {time.Second, listed(0, 8, false), doubtful}, {time.Second, listed(0, 9, true), continues}},
		"which stays, and is no edge":         {{0, listed(0, 9, true), continues}, {time.Second, listed(0, 8, false), doubtful}, {11 * time.Second, listed(0, 9, false), begins}},
		"another film":                        {{0, listed(0, 9, true), continues}, {time.Minute, listed(0, 9, true, time.Second), begins}},
		"an end that comes with more":         {{0, listed(0, 9, true), continues}, {time.Second, listed(0, 11, true), continues}},
		"the window becomes the whole":        {{0, listed(5, 9, true), continues}, {time.Minute, listed(0, 9, true), continues}},
		"far back, and it stays so":           {{0, listed(90, 99, false), continues}, {time.Second, listed(0, 3, false), doubtful}, {30 * time.Second, listed(0, 18, false), begins}},
		"far back, and then it goes on":       {{0, listed(90, 99, false), continues}, {time.Second, listed(0, 3, false), doubtful}, {time.Second, listed(91, 100, false), continues}},
		"far back, and not for long":          {{0, listed(90, 99, false), continues}, {time.Second, listed(0, 3, false), doubtful}, {10 * time.Second, listed(0, 8, false), doubtful}},
		"far back, and it stands still there": {{0, listed(90, 99, false), continues}, {time.Second, listed(0, 3, false), doubtful}, {time.Minute, listed(0, 3, false), doubtful}},
	}
	for name, steps := range tests {
		t.Run(name, func(t *testing.T) {
			var e event
			now := time.Unix(1_800_000_000, 0)
			began := 0
			for i, s := range steps {
				now = now.Add(s.after)
				before := e.epoch
				if got := e.next(s.p, now); got != s.want {
					t.Fatalf("playlist %d: %v, want %v", i, got, s.want)
				}
				if s.want == begins {
					began++
				}
				if (e.epoch != before) != (s.want == begins) {
					t.Fatalf("playlist %d: epoch %d after %d", i, e.epoch, before)
				}
			}
			if (began > 0) != (e.epoch > 0) || (began > 0 && e.epoch != now.Unix() && steps[len(steps)-1].want == begins) {
				t.Errorf("epoch %d at %d", e.epoch, now.Unix())
			}
		})
	}
}

// TestEpochsAscend: two events within a second have two swarms.
func TestEpochsAscend(t *testing.T) {
	var e event
	now := time.Unix(1_800_000_000, 0)
	e.next(listed(0, 9, true), now)
	e.next(listed(0, 9, true, time.Second), now)
	e.next(listed(0, 9, true), now)
	if e.epoch != now.Unix()+1 {
		t.Errorf("epoch %d", e.epoch)
	}
}

func TestEpochOf(t *testing.T) {
	const base = "https://o.test/live@home.m3u8"
	for id, want := range map[string]int64{
		base: 0, swarmOf(base, 0): 0, swarmOf(base, 1_800_000_000): 1_800_000_000,
		base + "@": -1, base + "@-1": -1, base + "@0": -1, base + "@01": -1, base + "@zz ": -1, base + "@ZZ": -1, base + "@zzzzzzzzzzzzzzzzz": -1,
		"": -1, "other": -1, "other@rt": -1, "https://o.test/live": -1,
	} {
		got, ok := epochOf(base, id)
		if ok != (want >= 0) || (ok && got != want) {
			t.Errorf("%q: %d, %v", id, got, ok)
		}
	}
	if _, ok := epochOf("", "@rt"); ok {
		t.Error("an epoch without a base")
	}
}

func FuzzEpochOf(f *testing.F) {
	f.Add("town-hall", "town-hall@tn5w8s")
	f.Add("", "@1")
	f.Fuzz(func(t *testing.T, base, id string) {
		epoch, ok := epochOf(base, id)
		if ok && swarmOf(base, epoch) != id {
			t.Fatalf("%q of %q is %d, which is %q", id, base, epoch, swarmOf(base, epoch))
		}
	})
}
