package schedule_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/schedule"
)

// crowd are viewers that play one live stream without a seeder. Each knows some of the others.
type crowd struct {
	rnd     *rand.Rand
	viewers []member
	size    int // as the tracker says
}

type member struct {
	peers    []int
	phase    time.Duration // after a publication it sees the segment
	ahead    time.Duration // before it plays it, at the publication
	state    schedule.State
	ends     time.Time // of what it is getting
	draw     float64
	since    time.Time
	deserter bool // it announces that it is getting a segment, and does not
}

const (
	crowdTarget   = 4 * time.Second
	crowdTransfer = 300 * time.Millisecond
	crowdTick     = 100 * time.Millisecond
)

func newCrowd(seed uint64, n, links int) *crowd {
	c := &crowd{rnd: rand.New(rand.NewPCG(seed, 1)), viewers: make([]member, n), size: n}
	for i := range c.viewers {
		v := &c.viewers[i]
		v.phase = time.Duration(c.rnd.Int64N(int64(crowdTarget)))
		v.ahead = 3*crowdTarget - time.Duration(c.rnd.Int64N(int64(crowdTarget)))
		for range min(links, n-1) {
			if j := c.rnd.IntN(n); j != i {
				v.peers = append(v.peers, j)
				c.viewers[j].peers = append(c.viewers[j].peers, i)
			}
		}
	}
	return c
}

// publish plays one segment until all have it, and returns how many times the origin was asked, and how often late.
func (c *crowd) publish(t *testing.T) (fetched, urgent int) {
	t.Helper()
	limits := schedule.Limits{HTTPSlots: 2, PeerSlots: 3, Urgent: 3 * time.Second, HTTPAhead: 16 * time.Second, PeerAhead: 2 * time.Minute, Patience: 500 * time.Millisecond}
	for i := range c.viewers {
		v := &c.viewers[i]
		v.state, v.since, v.draw = schedule.Missing, time.Time{}, c.rnd.Float64()
	}
	for now := time.Duration(0); now < 5*crowdTarget; now += crowdTick {
		at := epoch.Add(now)
		for i := range c.viewers {
			if v := &c.viewers[i]; (v.state == schedule.Fetching || v.state == schedule.Requested) && !at.Before(v.ends) {
				v.state = schedule.Held
				if v.deserter {
					v.state = schedule.Missing
				}
			}
		}
		held := 0
		for i := range c.viewers {
			v := &c.viewers[i]
			if v.state == schedule.Held || v.deserter && v.state == schedule.Missing && v.ends.After(epoch) {
				held++
				continue
			}
			if v.state != schedule.Missing || now < v.phase {
				continue
			}
			lead := v.ahead - now
			for _, a := range schedule.Viewer(c.view(v, at, lead, limits)) {
				v.state, v.ends = schedule.Requested, at.Add(crowdTransfer)
				if a.Kind == schedule.Fetch {
					v.state = schedule.Fetching
					fetched++
					if lead <= limits.Urgent {
						urgent++
					}
				}
			}
		}
		if held == len(c.viewers) {
			return fetched, urgent
		}
	}
	t.Fatal("the segment does not reach all")
	return 0, 0
}

func (c *crowd) view(v *member, at time.Time, lead time.Duration, limits schedule.Limits) schedule.View {
	view := schedule.View{
		Now: at, Limits: limits, Random: c.rnd.Float64, Lottery: func(int64) float64 { return v.draw },
		Segments: []schedule.Segment{{ID: 1, Start: lead, Duration: crowdTarget, NotFrom: -1}},
		Election: &schedule.Election{Others: c.size - 1, Since: func(_ int, claimed bool) time.Time {
			switch {
			case claimed:
				v.since = time.Time{}
			case v.since.IsZero():
				v.since = at
			}
			return v.since
		}},
	}
	for _, j := range v.peers {
		state := c.viewers[j].state
		view.Peers = append(view.Peers, schedule.Peer{Holds: func(int64) schedule.Holding {
			switch state {
			case schedule.Held:
				return schedule.Loaded
			case schedule.Fetching, schedule.Requested:
				return schedule.Loading
			default:
				return schedule.Absent
			}
		}})
	}
	return view
}

// copies is how often the origin was asked for a segment, on average, and the share of these requests that came late.
func (c *crowd) copies(t *testing.T, segments int) (copies, late float64) {
	t.Helper()
	fetched, urgent := 0, 0
	for range segments {
		f, u := c.publish(t)
		fetched, urgent = fetched+f, urgent+u
	}
	return float64(fetched) / float64(segments), float64(urgent) / float64(fetched)
}

// TestViewersElectOne: without a seeder, viewers that do not all know each other fetch each segment little more than once, also
// when they play only three target durations behind the edge.
func TestViewersElectOne(t *testing.T) {
	for n, most := range map[int]float64{2: 1.2, 10: 1.2, 50: 1.5, 200: 2} {
		copies, late := newCrowd(7, n, 5).copies(t, 30)
		t.Logf("%d viewers: %.2f copies, %.3f of them late", n, copies, late)
		if copies > most || late > 0.02 {
			t.Errorf("%d viewers fetch %.2f copies, want at most %.1f; %.3f of them late", n, copies, most, late)
		}
	}
}

// TestAWrongCountCostsCopiesOnly: every segment comes in time, whatever a tracker says of the size of a swarm.
func TestAWrongCountCostsCopiesOnly(t *testing.T) {
	for _, size := range []int{-5, 0, 10, 50_000, 1 << 31} {
		c := newCrowd(8, 50, 5)
		c.size = size
		copies, _ := c.copies(t, 3) // which fails if a viewer does not get the segment
		t.Logf("a tracker says %d: %.2f copies", size, copies)
	}
}

// TestAnElectionBeginsAnew: when the one that was elected does not bring the segment, one other takes over, not all whose turn has
// passed meanwhile.
func TestAnElectionBeginsAnew(t *testing.T) {
	c := newCrowd(9, 50, 5)
	sum := 0
	const segments = 20
	for range segments {
		for i := range c.viewers {
			c.viewers[i].deserter = i%10 == 0
			c.viewers[i].ends = time.Time{}
		}
		f, _ := c.publish(t)
		sum += f
	}
	if copies := float64(sum) / segments; copies > 2 {
		t.Errorf("with deserters among them they fetch %.2f copies", copies)
	}
}
