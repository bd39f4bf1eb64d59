package tracker

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/signaling"
	"github.com/p2pstream/p2pstream/runtime/tracker/config"
	"github.com/p2pstream/p2pstream/test/lab"
	"github.com/p2pstream/p2pstream/test/lab/bystander"
	"github.com/p2pstream/p2pstream/test/lab/peer"
	"github.com/p2pstream/p2pstream/test/lab/stream"
)

// attack is one way to harm a tracker, and what it may cost the tracker.
type attack struct {
	name string
	run  func(t *testing.T, s *scene)
	// memory is by how many MiB the tracker may grow, log how many KiB it may log; defaults 48 and 2.
	memory, log int64
	// slow attacks take seconds of waiting, or have a tracker of their own, and run beside the others.
	slow bool
}

// scene is a stream whose tracker is attacked, and a pair of peers that must not notice.
type scene struct {
	*stream.Stream
	pair *bystander.Pair
	// hash is a swarm of the stream, of a generation that no bystander uses.
	hash signaling.ID
}

// patience is how long anything that a bystander asks of the tracker may take. Unloaded it is milliseconds.
const patience = 3 * time.Second

// podMemory is the limit of a small pod, in bytes. Without one the garbage of an attack stays until there is three times
// as much of it as of what is live: how far the process grows then depends on when the runtime collects.
const podMemory = 256 << 20

// newScene starts a stream whose limits that are times are short, so that the test need not wait long.
func newScene(t *testing.T) *scene {
	s := &scene{Stream: stream.Start(t, stream.Options{TrackerMemory: podMemory, Tracker: func(c *config.Config) {
		c.Limits.SocketsPerAddress = socketsPerAddress
		c.Limits.AddressUpgradesPerSecond, c.Limits.AddressUpgradeBurst = 50, 2*socketsPerAddress
		c.Limits.AddressConnectionsPerSecond, c.Limits.AddressConnectionBurst = 20, 5000
		c.Limits.RequestsPerSecond = 100
		c.Limits.PingInterval = config.Duration(time.Second)
		c.Limits.WriteTimeout = config.Duration(2 * time.Second)
		c.Limits.FirstMessageTimeout = config.Duration(4 * time.Second)
	}})}
	for _, r := range s.Stats(t).Renditions {
		for _, w := range r.Swarms {
			if w.Generation == "v2.2" {
				s.hash = lab.Must[signaling.ID](t)(signaling.MakeID(w.InfoHash))
			}
		}
	}
	s.pair = bystander.NewPair(t, s.Stream)
	return s
}

// TestTracker attacks one tracker in all ways, while viewers watch its stream.
func TestTracker(t *testing.T) {
	s := newScene(t)
	bystanders := bystander.Watch(t, s.Stream, 3)
	descriptors := s.Tracker.Usage(t).Descriptors
	whole := bystander.Measure(t, s.Tracker)
	t.Run("attacks", func(t *testing.T) {
		var slow sync.WaitGroup
		for _, list := range [][]attack{frames, messages, identities, descriptions, floods, pages, reports, strangers} {
			for _, a := range list {
				if a.slow {
					slow.Go(func() { t.Run(a.name, func(t *testing.T) { a.run(t, s) }) })
				}
			}
		}
		for _, list := range [][]attack{frames, messages, identities, descriptions, floods, pages, reports, strangers} {
			for _, a := range list {
				if !a.slow {
					t.Run(a.name, func(t *testing.T) { s.suffer(t, a) })
				}
			}
		}
		slow.Wait()
	})
	whole.Check(t, bystander.Bounds{Memory: 256 << 20, Log: 32 << 10})
	lab.Eventually(t, 10*time.Second, "the tracker to close what attackers opened", func() bool {
		return s.Tracker.Usage(t).Descriptors <= descriptors+8
	})
	s.pair.Unharmed(t, patience)
	bystanders.Unharmed(t)
}

// suffer runs one attack and checks what it cost.
func (s *scene) suffer(t *testing.T, a attack) {
	if a.memory == 0 {
		a.memory = 48
	}
	if a.log == 0 {
		a.log = 2
	}
	watch, before := bystander.Measure(t, s.Tracker), s.Tracker.Metrics(t)
	defer func() {
		if t.Failed() && s.Tracker.Alive() {
			t.Logf("counted meanwhile: %v", s.Tracker.Metrics(t).Since(before, "p2pstream_"))
		}
	}()
	s.beside(t, func() { a.run(t, s) })
	watch.Check(t, bystander.Bounds{Memory: a.memory << 20, Log: a.log << 10})
	s.pair.Unharmed(t, patience)
}

// beside runs an attack while newcomers arrive.
func (s *scene) beside(t *testing.T, attack func()) {
	done := make(chan struct{})
	var newcomers sync.WaitGroup
	newcomers.Go(func() { s.newcomers(t, done) })
	defer newcomers.Wait()
	defer close(done)
	attack()
}

// newcomers arrive until done, and once more after it: a client that comes during an attack gets settings and a socket.
func (s *scene) newcomers(t *testing.T, done <-chan struct{}) {
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for last := false; ; {
		began := time.Now()
		if err := s.arrive(); err != nil {
			t.Errorf("a newcomer during the attack: %v", err)
		}
		if took := time.Since(began); took > patience {
			t.Errorf("a newcomer waited %v during the attack", took)
		}
		if last {
			return
		}
		select {
		case <-done:
			last = true
		case <-tick.C:
		}
	}
}

func (s *scene) arrive() error {
	client := &http.Client{Transport: lab.AsPage(&http.Transport{DisableKeepAlives: true}), Timeout: 2 * patience}
	resp, err := client.Get(s.HTTP("/v1/config"))
	if err != nil {
		return err
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("settings: %s", resp.Status)
	}
	ws, resp, err := tryUpgrade(s.Listen, 0)
	if err != nil {
		return err
	}
	defer func() { _ = ws.Close() }()
	if resp.StatusCode != http.StatusSwitchingProtocols {
		return fmt.Errorf("upgrade: %s", resp.Status)
	}
	ws.announce(s.hash, peer.NewID(), 0)
	if _, ok := ws.message(2*patience, func(m signaling.TrackerMessage) bool { return m.InfoHash == s.hash && m.HasCounts }); !ok {
		return fmt.Errorf("no reply to an announce")
	}
	return nil
}

// counted fails the test unless the counter grows by at least want while f runs, or soon after: a socket is counted a
// moment after it is closed.
func (s *scene) counted(t testing.TB, want float64, f func(), name string, labels ...string) {
	t.Helper()
	before := s.Tracker.Metrics(t).Sum(name, labels...)
	f()
	var got float64
	lab.Eventually(t, 10*time.Second, fmt.Sprintf("%s%v to grow by %v", name, labels, want), func() bool {
		got = s.Tracker.Metrics(t).Sum(name, labels...) - before
		return got >= want
	})
}

// closedFor is counted for sockets that the tracker closes for a reason.
func (s *scene) closedFor(t testing.TB, want float64, reason string, f func()) {
	t.Helper()
	s.counted(t, want, f, "p2pstream_tracker_sockets_closed_total", fmt.Sprintf("reason=%q", reason))
}

// limited is counted for messages that hit a limit.
func (s *scene) limited(t testing.TB, want float64, limit string, f func()) {
	t.Helper()
	s.counted(t, want, f, "p2pstream_tracker_limit_hits_total", fmt.Sprintf("limit=%q", limit))
}

// refused is counted for sockets that are not opened.
func (s *scene) refused(t testing.TB, want float64, limit string, f func()) {
	t.Helper()
	s.counted(t, want, f, "p2pstream_tracker_sockets_refused_total", fmt.Sprintf("limit=%q", limit))
}
