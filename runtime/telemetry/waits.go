package telemetry

import "time"

// recentTurn is how often recent distributions begin anew: they hold what came in the last one to two turns.
const recentTurn = 5 * time.Minute

// Waits are how long the viewers of a stream waited.
type Waits struct {
	Startup Spread `json:"startup"` // from the request to play to the first frame
	// Stall is the duration of one stall. A report has sums only: several stalls of one report count as equally long.
	Stall Spread `json:"stall"`
}

func (w *Waits) merge(v Waits) {
	w.Startup.Merge(v.Startup)
	w.Stall.Merge(v.Stall)
}

func (w *Waits) add(r Result) {
	if r.Startup > 0 {
		w.Startup.Add(time.Duration(r.Startup)*time.Millisecond, 1)
	}
	if r.Stalls > 0 {
		w.Stall.Add(time.Duration(r.StallMs)*time.Millisecond/time.Duration(r.Stalls), r.Stalls)
	}
}

// waiting is what an aggregate keeps of a stream's waits.
type waiting struct {
	total, current, previous Waits
	turned                   time.Time
}

func (w *waiting) turn(now time.Time) {
	switch age := now.Sub(w.turned); {
	case w.turned.IsZero() || age >= 2*recentTurn:
		w.previous, w.current, w.turned = Waits{}, Waits{}, now
	case age >= recentTurn:
		w.previous, w.current, w.turned = w.current, Waits{}, w.turned.Add(recentTurn)
	}
}

// wait counts what a report adds.
func (a *Aggregate) wait(stream string, r Result, now time.Time) {
	if r.Startup <= 0 && r.Stalls <= 0 {
		return
	}
	w := a.waits[stream]
	if w == nil {
		w = &waiting{}
		a.waits[stream] = w
	}
	w.turn(now)
	w.total.add(r)
	w.current.add(r)
}

// Waits returns how long the viewers of a stream waited: since the tracker's start, and in the last five to ten minutes. What is
// returned is the caller's.
func (a *Aggregate) Waits(stream string, now time.Time) (total, recent Waits) {
	w := a.waits[stream]
	if w == nil {
		return total, recent
	}
	w.turn(now)
	total.merge(w.total)
	recent.merge(w.previous)
	recent.merge(w.current)
	return total, recent
}

// mostStalls is how many stalls a second are believed.
const mostStalls = 10

// plausible cuts what a viewer cannot have waited: stalls since its report before, or for its first one since its session began,
// and the start-up since its session began. Reports may come late, so an interval more is believed.
func (r *Result) plausible(since, age, interval time.Duration) {
	most := func(d time.Duration) time.Duration { return min(max(d, 0), longestGap) + interval }
	cut := func(v, limit int64) int64 {
		r.Clamped = r.Clamped || v > limit
		return min(v, limit)
	}
	r.StallMs = cut(r.StallMs, most(since).Milliseconds())
	r.Stalls = int(cut(int64(r.Stalls), int64(most(since)/time.Second+1)*mostStalls))
	r.Startup = cut(r.Startup, min(most(age), longestSpread).Milliseconds())
}
