package seats

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// served is the sizes of requests in the order in which they were served.
type served struct {
	mu    sync.Mutex
	sizes []int
}

// acquire asks for n seats in the background.
func (s *served) acquire(t *testing.T, p *Pool, n int) (release chan func()) {
	t.Helper()
	release = make(chan func(), 1)
	go func() {
		f, err := p.Acquire(t.Context(), n)
		if err != nil {
			t.Error(err)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.sizes = append(s.sizes, n)
		release <- f
	}()
	synctest.Wait()
	return release
}

func (s *served) want(t *testing.T, sizes ...int) {
	t.Helper()
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	slices.Sort(s.sizes) // those that were served at once come in any order
	if !slices.Equal(s.sizes, sizes) {
		t.Errorf("served requests for %v, want %v", s.sizes, sizes)
	}
}

func TestTheLargestRequestThatFitsIsServedFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := New(4)
		var s served
		all := s.acquire(t, p, 4)
		time.Sleep(gather) // in the bubble
		one, three, two := s.acquire(t, p, 1), s.acquire(t, p, 3), s.acquire(t, p, 2)
		s.want(t, 4)
		giveBack := <-all
		giveBack()
		giveBack() // a second call changes nothing
		s.want(t, 1, 3, 4)
		(<-three)()
		s.want(t, 1, 2, 3, 4)
		(<-one)()
		(<-two)()
		if p.free != 4 {
			t.Errorf("%d seats are free in the end, want 4", p.free)
		}
	})
}

// TestAnIdlePoolServesTheLargestFirst, too: it waits for what is asked for at about the same time.
func TestAnIdlePoolServesTheLargestFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := New(4)
		var s served
		one, other, four := s.acquire(t, p, 1), s.acquire(t, p, 1), s.acquire(t, p, 4)
		s.want(t)
		time.Sleep(gather)
		s.want(t, 4)
		(<-four)()
		s.want(t, 1, 1, 4)
		(<-one)()
		(<-other)()
	})
}

func TestARequestThatIsGivenUpTakesNoSeats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := New(2)
		release, err := p.Acquire(t.Context(), 2)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := p.Acquire(ctx, 1); !errors.Is(err, context.Canceled) {
			t.Errorf("error %v, want that of the context", err)
		}
		release()
		if p.free != 2 {
			t.Errorf("%d seats are free, want 2", p.free)
		}
		if _, err := p.Acquire(t.Context(), 3); err == nil {
			t.Error("three seats of two were granted")
		}
	})
}

// TestStarts: two starts at most are under way, and one when it is measured.
func TestStarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := New(1)
		var running, company atomic.Int32
		var mu sync.Mutex
		var most int32
		start := func() {
			n := running.Add(1)
			mu.Lock()
			most = max(most, n)
			mu.Unlock()
			time.Sleep(time.Second)
			running.Add(-1)
		}
		// Starts that are measured may let others start only one by one, so these are alone at first.
		for range 4 {
			go p.Start(start)
		}
		time.Sleep(time.Minute)
		for range 8 {
			go p.Start(start)
			go p.StartAlone(func() {
				company.Add(running.Add(1) - 1)
				time.Sleep(time.Second)
				company.Add(running.Add(-1))
			})
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if most != startsAtOnce {
			t.Errorf("%d started at once, want %d", most, startsAtOnce)
		}
		if company.Load() != 0 {
			t.Errorf("a start that is measured had company %d times", company.Load())
		}
	})
}
