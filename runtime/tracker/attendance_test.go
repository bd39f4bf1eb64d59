package tracker

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

func TestAttendance(t *testing.T) {
	a, now := newAttendance(2), time.Now()
	if a.has("x", now) || a.full("x") {
		t.Error("a session that never came is there")
	}
	for n, want := range []bool{true, true, false} {
		if full := a.full("x"); full == want || a.enter("x", now) != want {
			t.Errorf("socket %d of two that a session may have: full %v", n+1, full)
		}
	}
	for range 3 {
		a.leave("x", now)
	}
	if !a.has("x", now.Add(farewell)) || a.has("x", now.Add(farewell+1)) {
		t.Error("the farewell has another length")
	}
}

// TestAttendanceForgets: what has left is forgotten, whatever the order.
func TestAttendanceForgets(t *testing.T) {
	a, now := newAttendance(8), time.Now()
	rnd := rand.New(rand.NewPCG(1, 2))
	open := map[string]int{}
	for range 20_000 {
		now = now.Add(time.Duration(rnd.Int64N(int64(200 * time.Millisecond))))
		name := fmt.Sprint(rnd.IntN(300))
		if open[name] > 0 && rnd.IntN(2) == 0 {
			open[name]--
			a.leave(name, now)
		} else if open[name] < 3 {
			open[name]++
			a.enter(name, now)
		}
		if open[name] > 0 && !a.has(name, now) {
			t.Fatal("a session with sockets is not there")
		}
	}
	for name, n := range open {
		for range n {
			a.leave(name, now)
		}
	}
	a.enter("last", now.Add(farewell+1))
	if len(a.sessions) != 1 || len(a.leaving) != 0 {
		t.Errorf("%d sessions, %d farewells remembered", len(a.sessions), len(a.leaving))
	}
}
