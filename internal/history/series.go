package history

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// Series is the answer to a query. All lists have one value for each point; null where nothing is known. A value is that of the
// time from its point to the next one, and bytes and stalls are what came in that time.
type Series struct {
	From        int64   `json:"from"` // seconds since 1970, as all times
	To          int64   `json:"to"`
	StepSeconds float64 `json:"stepSeconds"` // between points
	Time        []int64 `json:"time"`
	Covered     Values  `json:"covered"` // seconds of the step that are known; null: none

	Viewers     Values `json:"viewers"`     // mean
	ViewersMost Values `json:"viewersMost"` // at once
	Seeders     Values `json:"seeders"`     // mean

	HTTP       Values `json:"http"` // bytes
	Seeder     Values `json:"seeder"`
	Viewer     Values `json:"viewer"`
	Uploaded   Values `json:"uploaded"`
	SeederHTTP Values `json:"seederHTTP"`
	Stalls     Values `json:"stalls"`
	StallMs    Values `json:"stallMs"`

	// Percentiles are the worst in the step of those that samples had, each of the minutes before it.
	StartupP50Ms Values `json:"startupP50Ms"`
	StartupP95Ms Values `json:"startupP95Ms"`
	StallP95Ms   Values `json:"stallP95Ms"`

	Sites      []PartSeries `json:"sites"` // those with most bytes over their line first
	Renditions []PartSeries `json:"renditions"`
}

// PartSeries is a site or a rendition. Its lists are empty where they mean nothing.
type PartSeries struct {
	Name string `json:"name"`
	// Sums over all points.
	LineBytes     float64 `json:"lineBytes"`
	ReceivedBytes float64 `json:"receivedBytes"`
	OneCopyBytes  float64 `json:"oneCopyBytes"`
	Viewers       float64 `json:"viewers"` // mean over the time that is known
	Line          Values  `json:"line,omitempty"`
	OneCopy       Values  `json:"oneCopy,omitempty"`
	Watching      Values  `json:"watching,omitempty"` // viewers
}

// Values are numbers; those that are not known are NaN.
type Values []float64

// View is a part of a history as it was at one moment. It can be read beside the Ring that it is of.
type View struct {
	query             Query
	finest            time.Duration
	slots             []slot
	sites, renditions []string
}

// View returns what a query is about. It copies little, so that who guards a Ring with a lock need not hold that for the rest.
func (r *Ring) View(q Query) View {
	if q.To.Sub(q.From) > Span {
		q.From = q.To.Add(-Span)
	}
	q.Points = min(max(q.Points, 1), MaxPoints)
	v := View{query: q, finest: FineStep << r.level, sites: r.sites.all(), renditions: r.renditions.all()}
	if first := r.fine.first(); r.coarse.count > 0 && (first == nil || q.From.UnixMilli() < first.from) {
		v.finest = CoarseStep << r.level
	}
	from, to := q.From.UnixMilli(), q.To.UnixMilli()
	inside := func(s *slot) bool { return s.to > from && s.from < to }
	n := 0
	r.each(func(s *slot) {
		if inside(s) {
			n++
		}
	})
	v.slots = make([]slot, 0, n)
	r.each(func(s *slot) {
		if inside(s) {
			v.slots = append(v.slots, *s)
		}
	})
	return v
}

// step returns the time between points: what the data can tell, and few enough points.
func (v View) step() time.Duration {
	step := max(v.query.To.Sub(v.query.From)/time.Duration(v.query.Points), v.finest)
	return (step + v.finest - 1).Truncate(v.finest)
}

// Query answers a query.
func (r *Ring) Query(q Query) Series { return r.View(q).Series() }

// Series makes the answer. Points are at whole multiples of their distance, so that they stay where they are when the same is
// asked for a moment later.
func (v View) Series() Series {
	step := v.step()
	width := step.Milliseconds()
	from, to := v.query.From.UnixMilli(), v.query.To.UnixMilli()
	start := from - mod(from, width)
	n := int((to - start + width - 1) / width)
	if n > v.query.Points { // the first point is before the time that is asked for
		start += width
		n--
	}
	a := newAnswer(start, width, max(n, 1), min(to, start+int64(max(n, 1))*width))
	for i := range v.slots {
		a.add(&v.slots[i])
	}
	return a.series(v, step)
}

func mod(a, b int64) int64 { return ((a % b) + b) % b }

// answer sums slots by points.
type answer struct {
	start, width, end int64
	points            []slot
	covered           []float64
	parts             map[uint16]*[partSums]Values
}

func newAnswer(start, width int64, n int, end int64) *answer {
	return &answer{start: start, width: width, end: end, points: make([]slot, n), covered: make([]float64, n), parts: map[uint16]*[partSums]Values{}}
}

// add divides a slot among the points that it reaches over, by time.
func (a *answer) add(s *slot) {
	from, to := max(s.from, a.start), min(s.to, a.end)
	for at := from; at < to; {
		i := (at - a.start) / a.width
		next := min(a.start+(i+1)*a.width, to)
		share := float64(next-at) / float64(s.to-s.from)
		p := &a.points[i]
		a.covered[i] += float64(next-at) / 1000
		for j, v := range s.sums {
			p.sums[j] += v * share
		}
		for j, v := range s.peaks {
			p.peaks[j] = max(p.peaks[j], v)
		}
		for _, q := range s.parts {
			values := a.parts[q.id]
			if values == nil {
				values = &[partSums]Values{}
				for j := range values {
					values[j] = make(Values, len(a.points))
				}
				a.parts[q.id] = values
			}
			for j, v := range q.sums {
				values[j][i] += float64(v) * share
			}
		}
		at = next
	}
}

// series makes the answer of the sums.
func (a *answer) series(v View, step time.Duration) Series {
	n := len(a.points)
	list := func(value func(i int) float64) Values {
		out := make(Values, n)
		for i := range out {
			out[i] = math.NaN()
			if a.covered[i] > 0 {
				out[i] = value(i)
			}
		}
		return out
	}
	sum := func(what int) Values { return list(func(i int) float64 { return a.points[i].sums[what] }) }
	mean := func(what int) Values {
		return list(func(i int) float64 { return a.points[i].sums[what] / a.covered[i] })
	}
	peak := func(what int) Values {
		return list(func(i int) float64 {
			if v := a.points[i].peaks[what]; v > 0 {
				return float64(v)
			}
			return math.NaN()
		})
	}
	out := Series{From: a.start / 1000, To: a.end / 1000, StepSeconds: step.Seconds(), Time: make([]int64, n),
		Covered: list(func(i int) float64 { return a.covered[i] }),
		Viewers: mean(sumViewers), Seeders: mean(sumSeeders),
		ViewersMost: list(func(i int) float64 { return float64(a.points[i].peaks[peakViewers]) }),
		HTTP:        sum(sumHTTP), Seeder: sum(sumSeeder), Viewer: sum(sumViewer), Uploaded: sum(sumUploaded), SeederHTTP: sum(sumSeederHTTP),
		Stalls: sum(sumStalls), StallMs: sum(sumStallMs),
		StartupP50Ms: peak(peakStartupP50), StartupP95Ms: peak(peakStartupP95), StallP95Ms: peak(peakStallP95),
		Sites: []PartSeries{}, Renditions: []PartSeries{}}
	for i := range out.Time {
		out.Time[i] = (a.start + int64(i)*a.width) / 1000
	}
	covered := total(a.covered)
	for id, values := range a.parts {
		p := PartSeries{LineBytes: total(values[partLine]), ReceivedBytes: total(values[partReceived]),
			OneCopyBytes: total(values[partOneCopy]), Viewers: total(values[partViewers]) / covered}
		if int(id) < firstRendition {
			p.Name = nameOf(v.sites, int(id))
			p.Line = list(func(i int) float64 { return values[partLine][i] })
			p.OneCopy = list(func(i int) float64 { return values[partOneCopy][i] })
			out.Sites = append(out.Sites, p)
			continue
		}
		p.Name = nameOf(v.renditions, int(id)-firstRendition)
		p.Watching = list(func(i int) float64 { return values[partViewers][i] / a.covered[i] })
		out.Renditions = append(out.Renditions, p)
	}
	order := func(x, y PartSeries) int {
		return cmp.Or(cmp.Compare(y.LineBytes, x.LineBytes), cmp.Compare(y.Viewers, x.Viewers), cmp.Compare(x.Name, y.Name))
	}
	slices.SortFunc(out.Sites, order)
	slices.SortFunc(out.Renditions, order)
	return out
}

func total(v []float64) (sum float64) {
	for _, x := range v {
		sum += x
	}
	return sum
}
