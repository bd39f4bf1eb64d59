package telemetry

import (
	"math/rand/v2"
	"testing"
	"time"
)

// TestClaimsStayWithinTheStream: whatever a session claims, and however often it reports, no more is counted than the
// stream can have delivered since it began, and what is ahead once.
func TestClaimsStayWithinTheStream(t *testing.T) {
	const bits, ahead = 8_000_000, 10 << 20
	for seed := range uint64(200) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		a := NewAggregate(Config{}, start)
		a.SetMedia(Media{BitsPerSecond: bits, Ahead: ahead})
		from := Sender{Key: "a", Stream: "s", Role: RoleViewer, Began: start}
		now, r := start, Report{Version: 1, Role: RoleViewer}
		for range 100 {
			now = now.Add(time.Duration(rnd.Int64N(int64(20 * time.Second))))
			r.Sequence++
			next := r
			next.Counters.HTTP += rnd.Int64N(20 << 20)
			next.Counters.Viewer += rnd.Int64N(20 << 20)
			if rnd.IntN(4) == 0 {
				next.Receipts = []Receipt{{Boot: "x", Reading: 1, Counters: next.Counters}}
			}
			if _, err := a.Accept(from, next, now); err == nil {
				r = next
			}
			if rnd.IntN(10) == 0 {
				a.MarkRead(now, nil)
			}
			most := bits/8*now.Sub(start).Seconds() + ahead
			if got := a.Summary(now).Stream("s", RoleViewer).Totals.Received(); float64(got) > most+1 {
				t.Fatalf("seed %d: %d bytes counted after %v, %.0f are possible", seed, got, now.Sub(start), most)
			}
		}
	}
}

// TestHonestViewersAreCountedInFull: a viewer fills its buffer at once, and then receives one segment after another.
func TestHonestViewersAreCountedInFull(t *testing.T) {
	const rate = 4_000_000 / 8 // of the rendition; the cap has twice that
	a := NewAggregate(Config{}, start)
	a.SetMedia(Media{BitsPerSecond: 8_000_000, Ahead: 60 * rate})
	from := Sender{Key: "a", Stream: "s", Role: RoleViewer, Began: start}
	r := Report{Version: 1, Role: RoleViewer, Counters: Counters{HTTP: 30 * rate}}
	for at := 2 * time.Second; at < 10*time.Minute; at += 5 * time.Second {
		if r.Sequence++; r.Sequence%2 == 0 {
			r.Counters.Viewer += 10 * rate // a segment of 10 s in every second report
		}
		if at > 5*time.Minute && at < 7*time.Minute {
			continue // reports that do not arrive
		}
		if res, err := a.Accept(from, r, start.Add(at)); err != nil || res.Excess != 0 {
			t.Fatalf("after %v: %v, %d bytes too many", at, err, res.Excess)
		}
	}
	if got := a.Summary(start.Add(10*time.Minute)).Stream("s", RoleViewer).Totals; got != r.Counters {
		t.Errorf("counted %+v of %+v", got, r.Counters)
	}
}

func TestVouchedSessionsAreCountedElsewhere(t *testing.T) {
	a := NewAggregate(Config{}, start)
	a.SetMedia(Media{BitsPerSecond: 8_000_000, Ahead: 0})
	now := start.Add(time.Hour)
	from := Sender{Key: "a", Stream: "s", Role: RoleViewer, Began: start, Vouched: now.Add(-5 * time.Second)}
	if _, err := a.Accept(from, Report{Version: 1, Sequence: 1, Role: RoleViewer, Counters: Counters{HTTP: 50_000_000}}, now); err != nil {
		t.Fatal(err)
	}
	got := a.Summary(now).Stream("s", RoleViewer)
	if got.Reporting != 0 || got.Totals.HTTP != 10_000_000 { // of five seconds since, and of one interval
		t.Errorf("%+v", got)
	}
}

func TestLongIntervalsKeepViewersLive(t *testing.T) {
	a := NewAggregate(Config{}, start)
	from := Sender{Key: "a", Stream: "s", Role: RoleViewer, Began: start, Interval: time.Minute}
	if _, err := a.Accept(from, viewer(1, 1), start); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct { // in order: who has fallen silent is live again with the next report only
		at   time.Duration
		want int
	}{{time.Minute, 1}, {3 * time.Minute, 1}, {3*time.Minute + 1, 0}} {
		if got := a.Summary(start.Add(c.at)).Stream("s", RoleViewer).Reporting; got != c.want {
			t.Errorf("after %v: %d, want %d", c.at, got, c.want)
		}
	}
}
