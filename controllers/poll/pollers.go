package poll

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/p2pstream/p2pstream/runtime/telemetry"
)

const (
	// MaxTrackers that are followed at a time. Others are answered for with an error.
	MaxTrackers = 16384
	// MaxPerStream is how many of them may belong to one stream.
	MaxPerStream = 16
)

// Order is a reading of totals to be kept: the next question to a tracker, from a time on.
type Order struct {
	// UID of the tracker's pod.
	UID types.UID
	// From is the earliest time.
	From time.Time
	// Kept names the readings that status holds; see package totals.
	Kept telemetry.Kept
}

// Config of Pollers.
type Config struct {
	// Client asks; its clock is the clock of the pollers too.
	Client *Client
	// Metrics count; nil counts nothing.
	Metrics *Metrics
	// MaxTrackers is the constant of that name unless tests set it.
	MaxTrackers int
}

// Pollers ask trackers, each in a goroutine of its own once Start runs. All methods may be called at any time by any
// goroutine.
type Pollers struct {
	cfg   Config
	slots slots

	running sync.WaitGroup

	mu      sync.Mutex
	ctx     context.Context // of Start; nil before it, and after it has ended
	wake    func(stream types.NamespacedName)
	streams map[types.NamespacedName]*followed
	count   int // of pollers in streams
	ears    map[types.UID]*ear
}

// followed is a stream whose trackers are asked.
type followed struct {
	pollers map[types.UID]*poller
	order   *order
	refused []Answer // for trackers beyond the bounds
}

// order is an Order and whether it was carried out.
type order struct {
	Order
	asked bool
}

// poller is one tracker.
type poller struct {
	stream   types.NamespacedName
	tracker  Tracker
	due      time.Time
	asked    time.Time // when it was asked last
	failures int
	asking   bool
	poked    bool          // while it was being asked, a first viewer came
	sooner   chan struct{} // has room for one signal: due is earlier than it was
	order    *order        // that the question under way, or the answer, belongs to
	answer   *Answer       // not taken yet
	taken    chan struct{} // has room for one signal
	stop     context.CancelFunc
}

// NewPollers returns Pollers that ask nothing before Start or AskDue is called.
func NewPollers(cfg Config) *Pollers {
	if cfg.Metrics == nil {
		cfg.Metrics = NewMetrics(nil)
	}
	if cfg.MaxTrackers == 0 {
		cfg.MaxTrackers = MaxTrackers
	}
	return &Pollers{cfg: cfg, slots: newSlots(), streams: map[types.NamespacedName]*followed{}, ears: map[types.UID]*ear{}}
}

// Wake sets what is called, without blocking, with each stream that has a new answer.
func (p *Pollers) Wake(wake func(stream types.NamespacedName)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.wake = wake
}

// NeedLeaderElection implements manager.LeaderElectionRunnable: only the operator that acts asks trackers.
func (p *Pollers) NeedLeaderElection() bool { return true }

// Start implements manager.Runnable. It asks trackers until ctx ends, and returns when no goroutine is left.
func (p *Pollers) Start(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	p.mu.Lock()
	if p.ctx != nil {
		p.mu.Unlock()
		return errors.New("starting pollers: they run already")
	}
	p.ctx = ctx
	for _, f := range p.streams {
		for _, q := range f.pollers {
			p.launch(q)
		}
	}
	for _, e := range p.ears {
		p.launchEar(e)
	}
	p.mu.Unlock()
	<-ctx.Done()
	p.mu.Lock()
	p.ctx = nil
	p.mu.Unlock()
	p.running.Wait()
	return nil
}

// Follow says which trackers of a stream are asked from now on; no others are. New ones are asked at once. Read, which
// may be nil, replaces the order of before, unless that is for the same tracker and has been carried out: then its
// answer is on the way.
func (p *Pollers) Follow(stream types.NamespacedName, trackers []Tracker, read *Order) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f := p.streams[stream]
	if f == nil {
		if len(trackers) == 0 {
			return
		}
		f = &followed{pollers: map[types.UID]*poller{}}
		p.streams[stream] = f
	}
	switch {
	case read == nil:
		f.order = nil
	case f.order == nil || !f.order.asked || f.order.UID != read.UID:
		f.order = &order{Order: *read}
	}
	wanted := map[types.UID]bool{}
	for _, t := range trackers {
		wanted[t.UID] = true
	}
	for uid, q := range f.pollers {
		if !wanted[uid] {
			p.end(q)
			delete(f.pollers, uid)
		}
	}
	f.refused = nil
	for _, t := range trackers {
		if q := f.pollers[t.UID]; q != nil {
			q.tracker = t
			continue
		}
		if err := p.full(f); err != nil {
			p.cfg.Metrics.refused.Inc()
			f.refused = append(f.refused, Answer{Tracker: t, At: p.cfg.Client.Now(), Err: fmt.Errorf("asking tracker %s: %w", t.Pod, err)})
			continue
		}
		q := &poller{stream: stream, tracker: t, due: p.cfg.Client.Now(), taken: make(chan struct{}, 1), sooner: make(chan struct{}, 1), stop: func() {}}
		f.pollers[t.UID] = q
		p.count++
		p.cfg.Metrics.pollers.Set(float64(p.count))
		p.launch(q)
	}
	if len(trackers) == 0 {
		delete(p.streams, stream)
	}
}

// full says why no more trackers can be followed; nil when they can.
func (p *Pollers) full(f *followed) error {
	switch {
	case len(f.pollers) >= MaxPerStream:
		return fmt.Errorf("the operator polls at most %d trackers of a stream; delete tracker pods that are left over", MaxPerStream)
	case p.count >= p.cfg.MaxTrackers:
		return fmt.Errorf("the operator polls %d trackers already; run another operator, with --watch-namespace on both", p.count)
	}
	return nil
}

// launch starts the goroutine of a poller if goroutines are running. The caller holds the lock.
func (p *Pollers) launch(q *poller) {
	if p.ctx == nil || p.ctx.Err() != nil {
		return
	}
	ctx, cancel := context.WithCancel(p.ctx)
	q.stop = cancel
	p.running.Add(1)
	go func() {
		defer p.running.Done()
		defer cancel()
		p.run(ctx, q)
	}()
}

// end stops a poller. The caller holds the lock.
func (p *Pollers) end(q *poller) {
	q.stop()
	p.deafen(q.stream, q.tracker.UID)
	p.count--
	p.cfg.Metrics.pollers.Set(float64(p.count))
}

// Take returns the answers of a stream's trackers that were not taken yet. One with Accumulate has totals to be kept.
func (p *Pollers) Take(stream types.NamespacedName) []Answer {
	p.mu.Lock()
	defer p.mu.Unlock()
	f := p.streams[stream]
	if f == nil {
		return nil
	}
	answers := f.refused
	f.refused = nil
	for _, q := range f.pollers {
		if q.answer == nil {
			continue
		}
		a := *q.answer
		if a.Accumulate = a.Accumulate && q.order == f.order; a.Accumulate {
			f.order = nil
		}
		answers = append(answers, a)
		q.answer, q.order = nil, nil
		select {
		case q.taken <- struct{}{}:
		default:
		}
	}
	return answers
}

// AskDue asks every tracker that is due by the clock and returns how many those were, when all have answered. It is
// for a loop that is run by hand; Start does the same for each tracker in a goroutine of its own.
func (p *Pollers) AskDue(ctx context.Context) int {
	var due []*poller
	var questions []Tracker
	p.mu.Lock()
	now := p.cfg.Client.Now()
	for _, f := range p.streams {
		for _, q := range f.pollers {
			if q.answer == nil && !q.asking && !now.Before(q.due) {
				due = append(due, q)
				questions = append(questions, p.begin(f, q, now))
			}
		}
	}
	p.mu.Unlock()
	for i, a := range p.cfg.Client.Ask(ctx, questions) {
		p.finish(due[i], a)
	}
	return len(due)
}

// run asks one tracker until ctx ends.
func (p *Pollers) run(ctx context.Context, q *poller) {
	for {
		p.mu.Lock()
		wait, doubtful := q.due.Sub(p.cfg.Client.Now()), q.failures > 0
		p.mu.Unlock()
		switch early, ok := sleepUnless(ctx, wait, q.sooner); {
		case !ok:
			return
		case early:
			continue
		}
		release, ok := p.slots.take(ctx, doubtful)
		if !ok {
			return
		}
		p.mu.Lock()
		f := p.streams[q.stream]
		if ctx.Err() != nil || f == nil {
			p.mu.Unlock()
			release()
			return
		}
		question := p.begin(f, q, p.cfg.Client.Now())
		p.mu.Unlock()
		p.cfg.Metrics.asking.Inc()
		answer := p.cfg.Client.Ask(ctx, []Tracker{question})[0]
		p.cfg.Metrics.asking.Dec()
		release()
		if ctx.Err() != nil {
			return // the answer is not needed any more: the pod is gone, or the operator ends
		}
		p.finish(q, answer)
		select {
		case <-q.taken:
		case <-ctx.Done():
			return
		}
	}
}

// begin returns the question that is due, with the order for this tracker if there is one. The caller holds the lock.
func (p *Pollers) begin(f *followed, q *poller, now time.Time) Tracker {
	q.asking, q.asked, q.poked = true, now, false
	q.order = nil
	t := q.tracker
	t.Accumulate, t.Kept = false, nil
	if o := f.order; o != nil && o.UID == t.UID && !o.asked && !now.Before(o.From) {
		o.asked = true
		q.order = o
		t.Accumulate, t.Kept = true, o.Kept
	}
	return t
}

// finish keeps an answer, plans the next question and wakes the stream.
func (p *Pollers) finish(q *poller, a Answer) {
	p.mu.Lock()
	q.asking = false
	q.failures = min(q.failures+1, maxFailures)
	if a.Err == nil {
		q.failures = 0
	}
	a.Failures = q.failures
	q.answer = &a
	q.due = a.At.Add(jittered(pause(q.failures), rand.Float64())) // #nosec G404 -- spreads load, guards nothing
	if q.poked {
		p.hurry(q, a.At)
	}
	wake := p.wake
	p.mu.Unlock()
	p.cfg.Metrics.asked(a.Err)
	if wake != nil {
		wake(q.stream)
	}
}

// sleepUnless waits, or returns early at a signal, and tells whether ctx still runs.
func sleepUnless(ctx context.Context, d time.Duration, signal <-chan struct{}) (early, ok bool) {
	if d <= 0 {
		return false, ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return false, true
	case <-signal:
		return true, true
	case <-ctx.Done():
		return false, false
	}
}

// sleep waits, and tells whether ctx still runs.
func sleep(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
