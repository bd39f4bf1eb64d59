package mesh

import (
	"time"

	"github.com/p2pstream/p2pstream/runtime/signaling"
)

// A tracker asks a seeder for offers when viewers have no seeder and should not wait until they announce. Offers cost memory
// until they are answered or too old, so a tracker that asks again and again gets no more than requestedOffers that wait, and
// one announce in requestedEvery.
const (
	requestedOffers = 2 * signaling.MaxRequestedOffers
	requestedEvery  = 250 * time.Millisecond
)

// request is what our tracker has asked for. The swarm's loop owns it.
type request struct {
	offers int
	last   time.Time // when an announce was made on request
	timer  *time.Timer
}

func (r *request) stop() {
	if r.timer != nil {
		r.timer.Stop()
	}
	*r = request{}
}

// offerOnRequest has an announce made with n more offers, at once unless there was one just before.
func (m *membership) offerOnRequest(n int) {
	r := &m.request
	r.offers = min(r.offers+n, signaling.MaxRequestedOffers)
	if r.timer == nil {
		r.timer = time.AfterFunc(max(0, requestedEvery-time.Since(r.last)), func() { m.swarm.post(m.offerRequested) })
	}
}

func (m *membership) offerRequested() {
	r, s := &m.request, m.swarm
	r.timer = nil
	n := r.offers
	if n == 0 || m.sess == nil || s.withdrawn {
		return
	}
	r.offers, r.last = 0, time.Now()
	if m.making {
		m.offerOnRequest(n)
		return
	}
	m.offer(min(n, requestedOffers-len(m.offers), s.room()), false)
}
