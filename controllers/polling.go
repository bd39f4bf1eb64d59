package controllers

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/p2pstream/p2pstream/controllers/plan"
	"github.com/p2pstream/p2pstream/controllers/poll"
	"github.com/p2pstream/p2pstream/controllers/status"
	"github.com/p2pstream/p2pstream/controllers/totals"
)

const (
	// pollEvery is how often trackers are asked.
	pollEvery = 5 * time.Second
	// pollGap is how soon they may be asked again when something else wakes the loop.
	pollGap = 4 * time.Second
	// maxPollPause is how seldom trackers are asked that do not answer.
	maxPollPause = time.Minute
	// readEvery is how often totals are read to be kept, which costs a write.
	readEvery = 15 * time.Second
	// maxReadPause is how long edges, which write status too, may put that off.
	maxReadPause = 30 * time.Second
)

// poll asks the trackers, if it is time to.
func (r *Reconciler) poll(ctx context.Context, s *snapshot, m *memory) {
	now := r.Now()
	if now.Sub(m.polledAt) < pollGap || now.Sub(m.polledAt) < m.pollPause()-pollEvery+pollGap {
		return
	}
	trackers := m.trackers(s.pods[plan.ComponentTracker], now)
	if len(trackers) == 0 {
		return
	}
	m.polledAt = now
	answers := r.Poll.Ask(ctx, trackers)
	m.take(answers, s.pods[plan.ComponentTracker])
	for _, a := range answers {
		r.Metrics.polled(a.Err)
	}
}

// trackers that run and are worth asking, and how.
func (m *memory) trackers(pods []corev1.Pod, now time.Time) []poll.Tracker {
	due := m.readDue(now)
	var list []poll.Tracker
	for i := range pods {
		pod := &pods[i]
		if pod.Status.Phase != corev1.PodRunning || pod.Status.PodIP == "" {
			continue
		}
		if pod.DeletionTimestamp != nil {
			continue // its sessions take to the next tracker what was not read here; see package totals
		}
		list = append(list, poll.Tracker{Pod: pod.Name, IP: pod.Status.PodIP, Accumulate: due})
	}
	return list
}

// readDue tells whether totals should be read to be kept: not before those of the last reading are.
func (m *memory) readDue(now time.Time) bool {
	if len(m.unwritten) > 0 || now.Sub(m.readAt) < readEvery {
		return false
	}
	return now.Sub(m.written.at) >= readEvery || now.Sub(m.readAt) >= maxReadPause
}

// take notes what trackers answered. The newest one that is to stay speaks for the stream.
func (m *memory) take(answers []poll.Answer, pods []corev1.Pod) {
	var best *poll.Answer
	m.problem = ""
	for i := range answers {
		a := &answers[i]
		if a.Err != nil {
			m.problem = a.Err.Error()
			continue
		}
		if a.Accumulate && !a.Stats.Draining {
			m.readAt = a.At
			m.unwritten = append(m.unwritten, totals.Reading{Boot: a.Stats.Boot, Counted: a.Stats.Offload.Totals})
		}
		if !leaving(a, pods) && (best == nil || a.Stats.StartedAt.After(best.Stats.StartedAt)) {
			best = a
		}
	}
	if best == nil {
		m.failures = min(m.failures+1, 10)
		return
	}
	m.failures, m.problem = 0, ""
	m.reading = &status.Reading{At: best.At, Stats: best.Stats}
}

func leaving(a *poll.Answer, pods []corev1.Pod) bool {
	if a.Stats.Draining {
		return true
	}
	for i := range pods {
		if pods[i].Name == a.Pod {
			return pods[i].DeletionTimestamp != nil
		}
	}
	return true
}

// pollPause is how long trackers are left alone: longer when they do not answer, so that those that hang do
// not hold up the streams of others.
func (m *memory) pollPause() time.Duration {
	if m.failures < 2 {
		return pollEvery
	}
	return min(pollEvery<<min(m.failures-1, 4), maxPollPause)
}

// jittered spreads streams that were woken together over time.
func jittered(d time.Duration) time.Duration {
	return wait.Jitter(d*9/10, 0.2)
}
