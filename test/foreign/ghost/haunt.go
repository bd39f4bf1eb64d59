package ghost

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/signaling"
)

// Haunting is a number of pages that are always about, each gone after a while and followed by another.
type Haunting struct {
	stop  chan struct{}
	work  sync.WaitGroup
	pages atomic.Int64
}

// Haunt lets so many pages announce in the swarms, with so many offers in each, and vanish after the time that life
// says, until the haunting is ended or the test is.
func Haunt(tb testing.TB, tracker string, swarms []signaling.ID, pages, offers int, life func() time.Duration) *Haunting {
	h := &Haunting{stop: make(chan struct{})}
	for range pages {
		h.work.Go(func() {
			for {
				c, err := Dial(tracker)
				if err == nil {
					_, err = c.Announce(swarms, offers)
				}
				if err != nil {
					tb.Errorf("haunting: %v", err)
					return
				}
				h.pages.Add(1)
				time.Sleep(life())
				c.Vanish()
				select {
				case <-h.stop:
					return
				default:
				}
			}
		})
	}
	tb.Cleanup(func() { h.End() })
	return h
}

// End ends the haunting and tells how many pages there were. Pages that are there stay for as long as their lives are: one that
// left sooner would do so while answers to its offers are on their way.
func (h *Haunting) End() int {
	select {
	case <-h.stop:
	default:
		close(h.stop)
	}
	h.work.Wait()
	return int(h.pages.Load())
}
