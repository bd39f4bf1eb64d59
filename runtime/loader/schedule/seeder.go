package schedule

import "time"

// LiveReach is how far behind the live edge players begin at most. Source: p2p-media-loader-hlsjs 2.3.1.
const LiveReach = 120 * time.Second

// SeederView is what a seeder knows about one rendition at one moment.
type SeederView struct {
	Now      time.Time
	Live     bool
	Segments []Segment // playlist order
	Slots    int       // simultaneous fetches from the origin
	Wanted   int64     // VOD: the segment id from which most viewers are waiting; segments before it come last

	// Next are the segments that viewers in the history of a live playlist, or of a film, are about to play, as indices
	// into Segments, the most useful first.
	Next []int
	// Floor is the lowest id of a live playlist to be fetched without a viewer that wants it: what is below was held before
	// and had to make room.
	Floor int64
	// Room takes room for a segment of a live playlist that is chosen, an index into Segments; false: it would not stay,
	// and is not fetched. nil: there is always room.
	Room func(i int) bool
}

// Seeder returns the segments to fetch now, most useful first, as indices into
// Segments.
//
// Live: the newest first, because viewers have not seen it yet and will not
// fetch what a seeder announces; then what viewers in the history play next;
// then from where players begin, LiveReach behind the edge, to the edge; then
// the history, backwards, as far as there is room. VOD: what viewers play next,
// then on from where most of them are, then the rest from the start.
func Seeder(v SeederView) []int {
	p := seederPlan{SeederView: v, free: v.Slots, taken: make(map[int]bool, v.Slots)}
	for _, s := range v.Segments {
		if s.State == Fetching {
			p.free--
		}
	}
	if v.Live {
		p.live()
	} else {
		p.vod()
	}
	return p.out
}

type seederPlan struct {
	SeederView
	free  int
	taken map[int]bool
	out   []int
}

// take chooses segment i if it is to be fetched; false if it does not fit.
func (p *seederPlan) take(i int) bool {
	s := p.Segments[i]
	if p.free <= 0 || s.State != Missing || p.Now.Before(s.RetryAt) || p.taken[i] {
		return true
	}
	if p.Room != nil && !p.Room(i) {
		return false
	}
	p.out = append(p.out, i)
	p.taken[i] = true
	p.free--
	return true
}

func (p *seederPlan) live() {
	n := len(p.Segments)
	if n == 0 {
		return
	}
	p.take(n - 1)
	for _, i := range p.Next {
		p.take(i)
	}
	begin := n - 1
	for begin > 0 && p.Segments[begin-1].Start >= p.Segments[n-1].End()-LiveReach {
		begin--
	}
	for i := begin; i < n-1 && p.free > 0; i++ {
		if p.Segments[i].ID >= p.Floor {
			p.take(i)
		}
	}
	// Each older segment ranks lower: where one does not fit, none behind it does.
	for i := begin - 1; i >= 0 && p.free > 0 && p.Segments[i].ID >= p.Floor; i-- {
		if !p.take(i) {
			return
		}
	}
}

func (p *seederPlan) vod() {
	p.Room = nil
	for _, i := range p.Next {
		p.take(i)
	}
	for i := range p.Segments {
		if p.Segments[i].ID >= p.Wanted {
			p.take(i)
		}
	}
	for i := range p.Segments {
		if p.Segments[i].ID < p.Wanted {
			p.take(i)
		}
	}
}

// ExpectedNext tells whether a live seeder may announce the segment after the
// newest one as on its way before it has seen it: within one target duration
// of its expected publication, and only while nothing failed. Viewers that see
// it first then wait for the seeder instead of asking the origin.
func ExpectedNext(newestSeen time.Time, newest, target time.Duration, failed bool, now time.Time) bool {
	if failed || newestSeen.IsZero() || target <= 0 {
		return false
	}
	due := newestSeen.Add(newest)
	return !now.Before(due.Add(-target)) && now.Before(due.Add(target))
}
