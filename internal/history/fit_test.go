package history

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"
	"unsafe"
)

// Held makes a Ring of one goroutine a Shared.
func (r *Ring) Held() (int64, bool) { return r.Bytes(), r.Idle() }

func TestSizes(t *testing.T) {
	if slotBytes != unsafe.Sizeof(slot{}) || partBytes != unsafe.Sizeof(part{}) {
		t.Errorf("a slot has %d bytes, a part %d", unsafe.Sizeof(slot{}), unsafe.Sizeof(part{}))
	}
}

// watched is a history of some hours with viewers at some sites, and what each of them received.
func watched(hours, sites int) (*Ring, time.Time) {
	r := New()
	_, end := run(r, begin, time.Duration(hours)*time.Hour, Sample{Viewers: 10}, func(_ int, s *Sample) {
		s.HTTP += 1000
		s.Sites = nil
		for i := range sites {
			s.Sites = append(s.Sites, Part{Name: fmt.Sprint("site-", i), Line: 10, Viewers: 1})
		}
	})
	return r, end
}

// TestCoarserAndNothingIsLost: longer steps take less memory, and have the same sums.
func TestCoarserAndNothingIsLost(t *testing.T) {
	r, end := watched(5, 20)
	q := Query{From: begin, To: end, Points: MaxPoints}
	sums := func() (http, covered, line float64) {
		s := r.Query(q)
		for _, p := range s.Sites {
			line += p.LineBytes
		}
		return sumOf(s.HTTP), sumOf(s.Covered), line
	}
	http, covered, line := sums()
	before := r.Bytes()
	for level := 1; level <= coarsest; level++ {
		if !r.Thin() || r.Step() != FineStep.Milliseconds()<<level {
			t.Fatalf("level %d: steps of %d ms", level, r.Step())
		}
		now := r.Bytes()
		if float64(now) > .75*float64(before) {
			t.Errorf("level %d: %d bytes, %d before", level, now, before)
		}
		before = now
		if h, c, l := sums(); !near(h, http) || !near(c, covered) || !near(l, line) {
			t.Errorf("level %d: %v bytes, %v s, %v on lines; want %v, %v, %v", level, h, c, l, http, covered, line)
		}
		if step := r.Query(q).StepSeconds; step < (CoarseStep << level).Seconds() {
			t.Errorf("level %d: points of %v s", level, step)
		}
	}
	// What comes later is kept as coarsely, until it may be finer.
	slots := r.fine.count
	run(r, end.Add(FineStep), 30*time.Minute, Sample{Viewers: 1, Counters: Counters{HTTP: 1 << 40}}, func(_ int, s *Sample) { s.HTTP++ })
	if r.fine.count > slots+7 {
		t.Errorf("%d slots of %d", r.fine.count, slots)
	}
	// At last it gives all.
	for n := 0; r.Thin(); n++ {
		if n > 20 {
			t.Fatal("there is no end")
		}
	}
	if n := r.Bytes(); n != ringBytes {
		t.Errorf("%d bytes of nothing", n)
	}
	for r.Refine() {
	}
	if r.Step() != FineStep.Milliseconds() {
		t.Errorf("steps of %d ms", r.Step())
	}
}

// TestFit: the histories keep to the bound, the largest and the idle ones give way, and small ones stay as they are.
func TestFit(t *testing.T) {
	large, end := watched(3, 40)
	idle, _ := watched(3, 8)
	small, _ := watched(1, 0)
	for _, r := range []*Ring{large, small} {
		run(r, end.Add(FineStep), 3*time.Hour, Sample{Viewers: 1, Counters: Counters{HTTP: 1 << 40}}, func(_ int, s *Sample) { s.HTTP += 5 })
	}
	run(idle, end.Add(FineStep), 3*time.Hour, Sample{Counters: Counters{HTTP: 1 << 40}}, nil)
	if large.Idle() || small.Idle() || !idle.Idle() {
		t.Fatalf("idle: %t %t %t", large.Idle(), small.Idle(), idle.Idle())
	}
	all := []Shared{large, idle, small}
	before := large.Bytes() + idle.Bytes() + small.Bytes()
	if got, n := Fit(all, before); got != before || n != 0 {
		t.Fatalf("%d bytes, %d steps, and there was nothing to do", got, n)
	}
	got, n := Fit(all, before-1)
	if n != 1 || got >= before || idle.level != 1 || large.level != 0 {
		t.Errorf("%d bytes of %d in %d steps; levels %d %d", got, before, n, idle.level, large.level)
	}
	got, _ = Fit(all, before/2)
	if got > before/2 || got != large.Bytes()+idle.Bytes()+small.Bytes() || small.level != 0 || large.level == 0 {
		t.Errorf("%d bytes of %d; levels %d %d %d", got, before, large.level, idle.level, small.level)
	}
	// With room for more, they become finer, one step at a time.
	was := large.level
	if Fit(all, 100*before); large.level != was-1 {
		t.Errorf("level %d, was %d", large.level, was)
	}
	// A bound that cannot be kept is no endless loop.
	if got, _ := Fit(all, 1); got != 3*ringBytes {
		t.Errorf("%d bytes", got)
	}
}

// TestThinnedAtAnyTime: what is counted stays right, whenever histories are made coarser or finer.
func TestThinnedAtAnyTime(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 1))
	r, at := New(), begin
	s := Sample{}
	for range 6000 {
		s.At, s.Viewers, s.Sites = at, float64(random.IntN(2)), nil
		s.HTTP += int64(random.IntN(2))
		for range random.IntN(5) {
			s.Sites = append(s.Sites, Part{Name: fmt.Sprint(random.IntN(80)), Line: 1})
		}
		r.Add(s)
		at = at.Add(time.Duration(8+random.IntN(5)) * time.Second)
		switch random.IntN(300) {
		case 0:
			r.Thin()
		case 1, 2:
			r.Refine()
		}
	}
	parts, refs, end := 0, make([]int, MaxSites), int64(0)
	r.each(func(s *slot) {
		if s.from < end || s.to <= s.from {
			t.Fatal("slots out of order")
		}
		end = s.to
		parts += len(s.parts)
		for i, p := range s.parts {
			if i > 0 && s.parts[i-1].id >= p.id {
				t.Fatal("parts out of order")
			}
			if int(p.id) < MaxSites {
				refs[p.id]++
			}
		}
	})
	if parts == 0 || parts != r.parts {
		t.Errorf("%d parts are counted, there are %d", r.parts, parts)
	}
	for i, p := range r.sites.used {
		if p.slots != refs[i] {
			t.Errorf("%q is in %d slots, and %d are counted", p.name, refs[i], p.slots)
		}
	}
}

// TestAViewStaysAsItIs: an answer can be made while samples are added, as without a lock.
func TestAViewStaysAsItIs(t *testing.T) {
	r, end := watched(3, 10)
	q := Query{From: begin, To: end, Points: 60}
	view := r.View(q)
	want := view.Series()
	done := make(chan Series)
	go func() { done <- view.Series() }()
	run(r, end.Add(FineStep), time.Hour, Sample{Viewers: 3, Counters: Counters{HTTP: 1 << 40}}, func(i int, s *Sample) {
		s.HTTP += 7
		s.Sites = []Part{{Name: "site-1", Line: 5}, {Name: fmt.Sprint("new-", i), Line: 1}}
	})
	for r.Thin() {
	}
	for _, got := range []Series{<-done, view.Series()} {
		// No value of these is unknown.
		if !reflect.DeepEqual(got.HTTP, want.HTTP) || !reflect.DeepEqual(got.Sites, want.Sites) || len(got.Sites) != 10 {
			t.Errorf("%d sites, %v bytes; want %d, %v", len(got.Sites), sumOf(got.HTTP), len(want.Sites), sumOf(want.HTTP))
		}
	}
}
