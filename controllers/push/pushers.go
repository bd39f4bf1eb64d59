package push

import (
	"context"
	"errors"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/p2pstream/p2pstream/runtime/tracker/table"
)

const (
	// MaxTargets that get tables at a time. Others get none.
	MaxTargets = 1024
	// MaxPerNetwork is how many of these one network may have.
	MaxPerNetwork = 16
	// firstPause after a push that failed; each pause is twice as long as the one before, up to maxPause.
	firstPause = 250 * time.Millisecond
	maxPause   = 15 * time.Second
	// checkEvery is how often a tracker is asked whether it has the table.
	checkEvery = 10 * time.Second
	// firstCheck is how soon it is asked after it has taken one: how it serves new streams shows when it has read them. Until then it
	// gets no other table: a stream that changes without end must not keep the tracker of all streams busy with tables.
	firstCheck = time.Second
)

// Target is a tracker pod.
type Target struct {
	// Pod is its name, for messages, and UID tells it from others of that name.
	Pod string
	UID types.UID
	// IP of the pod.
	IP string
}

// Table is what the trackers of a network are to have. It is not changed once it was given to Follow.
type Table struct {
	// Revision tells it from others, and Body is its JSON.
	Revision string
	Body     []byte
	// Token is that of who changes tables.
	Token string
	// Streams of the table, with their UIDs.
	Streams map[table.Key]string
}

// Pushers send tables, each to one tracker in a goroutine of its own once Start runs. All methods may be called at any time by
// any goroutine.
type Pushers struct {
	client  *Client
	metrics *Metrics
	check   time.Duration
	running sync.WaitGroup

	mu       sync.Mutex
	ctx      context.Context // of Start; nil before it, and after it has ended
	wake     func(network types.NamespacedName)
	networks map[types.NamespacedName]*followed
	count    int // of pushers in networks
}

// followed is a network whose trackers get a table.
type followed struct {
	table   *Table
	pushers map[types.UID]*pusher
	beyond  bool // some trackers get nothing
}

// pusher is one tracker.
type pusher struct {
	network types.NamespacedName
	target  Target
	stop    context.CancelFunc
	changed chan struct{} // has room for one signal

	has    *Table // that the tracker has taken; nil: not known
	states map[table.Key]table.State
	err    error
}

// New returns Pushers that send nothing before Start is called. Metrics may be nil.
func New(client *Client, metrics *Metrics) *Pushers {
	if metrics == nil {
		metrics = NewMetrics(nil)
	}
	return &Pushers{client: client, metrics: metrics, check: checkEvery, networks: map[types.NamespacedName]*followed{}}
}

// Wake sets what is called, without blocking, with each network of which a tracker has changed: it has taken a table, it refuses
// one, or it serves a stream in another way.
func (p *Pushers) Wake(wake func(network types.NamespacedName)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.wake = wake
}

// NeedLeaderElection implements manager.LeaderElectionRunnable: only the operator that acts changes tables.
func (p *Pushers) NeedLeaderElection() bool { return true }

// Start implements manager.Runnable. It returns when ctx has ended and no goroutine is left.
func (p *Pushers) Start(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	p.mu.Lock()
	if p.ctx != nil {
		p.mu.Unlock()
		return errors.New("starting pushers: they run already")
	}
	p.ctx = ctx
	for _, f := range p.networks {
		for _, q := range f.pushers {
			p.launch(q)
		}
	}
	p.mu.Unlock()
	<-ctx.Done()
	p.mu.Lock()
	p.ctx = nil
	p.mu.Unlock()
	p.running.Wait()
	return nil
}

// Follow says which trackers of a network are to have which table from now on; no others get one.
func (p *Pushers) Follow(network types.NamespacedName, targets []Target, t *Table) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f := p.networks[network]
	if f == nil {
		if len(targets) == 0 {
			return
		}
		f = &followed{pushers: map[types.UID]*pusher{}}
		p.networks[network] = f
	}
	wanted := map[types.UID]bool{}
	for _, target := range targets {
		wanted[target.UID] = true
	}
	for uid, q := range f.pushers {
		if !wanted[uid] {
			q.stop()
			delete(f.pushers, uid)
			p.count--
		}
	}
	before := f.table
	f.table, f.beyond = t, false
	for _, target := range targets {
		if q := f.pushers[target.UID]; q != nil {
			q.target = target
			if before == nil || before.Revision != t.Revision || before.Token != t.Token {
				signal(q.changed)
			}
			continue
		}
		if len(f.pushers) >= MaxPerNetwork || p.count >= MaxTargets {
			f.beyond = true
			p.metrics.pushes.WithLabelValues(resultBeyond).Inc()
			continue
		}
		q := &pusher{network: network, target: target, stop: func() {}, changed: make(chan struct{}, 1)}
		f.pushers[target.UID] = q
		p.count++
		p.launch(q)
	}
	p.metrics.targets.Set(float64(p.count))
	if len(targets) == 0 {
		delete(p.networks, network)
	}
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// launch starts the goroutine of a pusher if goroutines are running. The caller holds the lock.
func (p *Pushers) launch(q *pusher) {
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

// run serves one tracker until ctx ends.
func (p *Pushers) run(ctx context.Context, q *pusher) {
	failures := 0
	for ctx.Err() == nil {
		p.mu.Lock()
		var want *Table
		if f := p.networks[q.network]; f != nil {
			want = f.table
		}
		has, target := q.has, q.target
		p.mu.Unlock()
		if want == nil {
			return
		}
		var err error
		pause, changed := p.check, q.changed
		if has != nil && has.Revision == want.Revision {
			err = p.look(ctx, q, target, want)
		} else {
			err = p.send(ctx, q, target, want)
			pause = min(firstCheck, p.check)
			if err == nil {
				changed = nil
			}
		}
		if err != nil {
			pause = min(firstPause<<min(failures, 10), maxPause)
			failures++
		} else {
			failures = 0
			p.mu.Lock()
			if q.has == nil {
				pause = 0 // it has lost its table
			}
			p.mu.Unlock()
		}
		if !sleep(ctx, changed, pause) {
			return
		}
	}
}

// send puts a table.
func (p *Pushers) send(ctx context.Context, q *pusher, target Target, want *Table) error {
	err := p.client.put(ctx, target, want)
	if ctx.Err() != nil {
		return ctx.Err() // the pod is gone, or the operator ends
	}
	refused := (*refusedError)(nil)
	switch {
	case err == nil:
		p.metrics.pushes.WithLabelValues(resultOK).Inc()
	case errors.As(err, &refused):
		p.metrics.pushes.WithLabelValues(resultRefused).Inc()
	default:
		p.metrics.pushes.WithLabelValues(resultError).Inc()
	}
	p.mu.Lock()
	changed := !sameText(q.err, err)
	q.err = err
	if err == nil {
		q.has, changed = want, true
	}
	p.mu.Unlock()
	if changed {
		p.notify(q.network)
	}
	return err
}

// look asks a tracker whether it has the table, and how it serves its streams.
func (p *Pushers) look(ctx context.Context, q *pusher, target Target, want *Table) error {
	states, err := p.client.states(ctx, target, want.Token)
	if err != nil {
		return err
	}
	byKey := make(map[table.Key]table.State, len(states.Streams))
	for _, s := range states.Streams {
		byKey[table.Key{Namespace: s.Namespace, Name: s.Name}] = s
	}
	p.mu.Lock()
	changed := false
	if states.Revision != want.Revision {
		q.has, changed = nil, true
	}
	for key := range want.Streams {
		changed = changed || byKey[key].Problem != q.states[key].Problem
	}
	q.states = byKey
	p.mu.Unlock()
	if changed {
		p.notify(q.network)
	}
	return nil
}

func (p *Pushers) notify(network types.NamespacedName) {
	p.mu.Lock()
	wake := p.wake
	p.mu.Unlock()
	if wake != nil {
		wake(network)
	}
}

// Served tells whether a tracker of the network serves the stream, and what is wrong with it there.
func (p *Pushers) Served(network types.NamespacedName, stream table.Key, uid types.UID) (served bool, state table.State) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f := p.networks[network]
	if f == nil {
		return false, state
	}
	for _, q := range f.pushers {
		if q.has == nil || q.has.Streams[stream] != string(uid) {
			continue
		}
		served = true
		if s, known := q.states[stream]; known && (state.Problem == "" || s.Problem != "") {
			state = s
		}
	}
	return served, state
}

// Trouble is why a tracker does not have the table of its network; nil when all have it, or are about to.
func (p *Pushers) Trouble(network types.NamespacedName) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	f := p.networks[network]
	if f == nil {
		return nil
	}
	for _, q := range f.pushers {
		if refused := (*refusedError)(nil); errors.As(q.err, &refused) {
			return q.err
		}
	}
	if f.beyond {
		return errors.New("there are more tracker pods than the operator sends tables to; delete those that are left over")
	}
	return nil
}

func sameText(a, b error) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return a.Error() == b.Error()
}

// sleep waits for a time or a signal, of which a nil channel gets none, and tells whether ctx still runs.
func sleep(ctx context.Context, changed <-chan struct{}, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-changed:
	case <-ctx.Done():
	}
	return ctx.Err() == nil
}
