package telemetry

import (
	"fmt"
	"testing"
	"time"
)

// FuzzSites: whatever sessions report, what is attributed is a part of what was counted, one copy has no more bytes than were
// received, and the sums stay within their bounds.
func FuzzSites(f *testing.F) {
	f.Add([]byte{1, 5, 10, 20, 30, 40, 50, 0, 2, 5, 10, 0, 0, 0, 0, 9})
	f.Add([]byte{0, 255, 255, 255, 255, 255, 255, 255, 0, 0, 0, 0, 0, 0, 0, 0, 3, 1, 200, 9, 9, 9, 9, 1})
	f.Fuzz(func(t *testing.T, raw []byte) {
		a := NewAggregate(Config{MaxSites: 3, MaxCells: 6}, start)
		now := start
		var counted, attributed Counters
		for i := int64(1); len(raw) >= 8; i++ {
			b := raw[:8]
			raw = raw[8:]
			now = now.Add(time.Duration(b[1]) * 100 * time.Millisecond)
			n := func(k int) int64 { return i*1000 + int64(b[k])<<(b[7]%20) }
			r := Report{Version: 1, Sequence: i, Role: RoleViewer, Counters: Counters{HTTP: n(2), Seeder: n(3), Viewer: n(4), Discarded: int64(b[5])}}
			for k := range int(b[6] % (MaxPlayed + 1)) {
				r.Played = append(r.Played, Played{fmt.Sprint(k*int(b[5]%3), k), Sources{Origin: n(2), SeederInside: n(3), SeederOutside: int64(b[4]), ViewerInside: n(5), ViewerOutside: n(6)}})
			}
			from := sender(fmt.Sprint("v", b[0]%4), fmt.Sprint("site", b[0]%7))
			if b[7]%5 == 0 {
				r.Base = &Counters{HTTP: r.Counters.HTTP / 2}
			}
			result, err := a.Accept(from, r, now)
			if err != nil {
				continue
			}
			counted = counted.Add(result.Delta)
			var sum Counters
			for _, p := range result.Played {
				sum = sum.Add(Counters{HTTP: p.Origin, Seeder: p.Seeder(), Viewer: p.Viewer()})
			}
			if !result.Delta.AtLeast(sum) {
				t.Fatalf("%+v is attributed of %+v", sum, result.Delta)
			}
			attributed = attributed.Add(sum)
		}
		cells := 0
		all := a.Sites("s", now)
		for _, s := range all {
			cells += len(a.sites[siteKey{"s", s.Site}].cells)
			if s.OneCopy < 0 || s.OneCopy > s.Viewers.Received() || s.Outside() < 0 || s.LineBitsPerSecond() < 0 || s.Telling > s.Reporting {
				t.Fatalf("%+v", s)
			}
			for _, v := range []float64{first(s.Copies()), first(s.Achieved()), first(s.Achievable()), first(s.Offload())} {
				if !(v >= 0) {
					t.Fatalf("%v of %+v", v, s)
				}
			}
		}
		if !counted.AtLeast(attributed) || len(all) > 4 || cells != a.cells || cells > 6+2*4 {
			t.Fatalf("%+v of %+v, %d sites, %d cells, %d known", attributed, counted, len(all), cells, a.cells)
		}
	})
}
