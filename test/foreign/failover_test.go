package foreign

import (
	"slices"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/test/foreign/strict"
	"github.com/p2pstream/p2pstream/test/lab"
)

// The pauses between dials, of which half is random (runtime/loader/mesh/backoff.go): within the outage no peer can have
// dialled more often than these allow.
const (
	outage        = 7 * time.Second
	firstPause    = 500 * time.Millisecond
	dialsInOutage = 3 // after 0.5, 1.5 and 3.5 s at the earliest
	comeBack      = 15*time.Second + outage
)

// TestFailOver takes the first of two trackers away, brings it back, and then takes the second.
func TestFailOver(t *testing.T) {
	t.Parallel()
	machine.Take(t, 1)
	one, two := strict.Start(t, strict.Config{Interval: 5 * time.Second}), strict.Start(t, strict.Config{Interval: 5 * time.Second})
	a := newAudience(t, nil, one.URL(), two.URL())
	a.settle()
	const sockets = memberships + seederSwarms
	lab.Eventually(t, 20*time.Second, "every peer to be on both", func() bool {
		return one.Stats().Sockets == sockets && two.Stats().Sockets == sockets
	})

	began := time.Now()
	one.Down()
	during := a.join("during the outage", 2, nil)
	a.played(3*time.Second, during)
	met(t, during)
	lab.Eventually(t, 2*outage, "the outage to last", func() bool { return time.Since(began) > outage })
	noStampede(t, began, one.Dials())
	one.Up()
	up := time.Now()
	lab.Eventually(t, comeBack, "every peer to come back", func() bool { return one.Stats().Sockets == sockets+2*2 })
	t.Logf("all were back after %s", time.Since(up).Round(time.Millisecond))

	two.Down()
	after := a.join("after the outage", 2, nil)
	a.played(3*time.Second, after)
	met(t, after)
	a.check()
	if one, two := one.Stats(), two.Stats(); one.ForCause()+two.ForCause() != 0 {
		t.Errorf("sockets were closed for cause: %v, %v", one.Closed, two.Closed)
	}
}

// met waits until each of two viewers has four peers in each of its two swarms.
func met(t *testing.T, g *group) {
	t.Helper()
	lab.Eventually(t, 20*time.Second, g.name+" to meet the others", func() bool { return sum(t, "peers", "", g.reg) >= 2*2*4 })
}

// noStampede requires that peers that lost a tracker do not come back at once, nor dial often. That they do not come back
// at the same moment is tested where the pauses are made: a busy machine bunches what was well apart.
func noStampede(t *testing.T, began time.Time, dials []time.Time) {
	t.Helper()
	const sockets = memberships + seederSwarms
	slices.SortFunc(dials, time.Time.Compare)
	end, _ := slices.BinarySearchFunc(dials, began.Add(outage), time.Time.Compare)
	dials = dials[:end]
	// Newcomers dial at once, and are few. They open the socket of their second swarm when they know the tracker.
	const newcomers = 2 * (dialsInOutage + 1)
	if most := sockets*dialsInOutage + newcomers; len(dials) > most {
		t.Errorf("%d dials in %s, %d at most are allowed", len(dials), outage, most)
	}
	if len(dials) < sockets {
		t.Errorf("%d dials in %s: %d sockets were lost", len(dials), outage, sockets)
	}
	early, busiest := 0, 0
	for i, at := range dials {
		if at.Sub(began) < firstPause-100*time.Millisecond {
			early++
		}
		j, _ := slices.BinarySearchFunc(dials, at.Add(100*time.Millisecond), time.Time.Compare)
		busiest = max(busiest, j-i)
	}
	if early > newcomers {
		t.Errorf("%d dials in the first moment", early)
	}
	t.Logf("%d dials of %d sockets in %s, %d at most within 100 ms", len(dials), sockets, outage, busiest)
}
