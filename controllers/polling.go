package controllers

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/controllers/plan"
	"github.com/p2pstream/p2pstream/controllers/poll"
	"github.com/p2pstream/p2pstream/controllers/status"
	"github.com/p2pstream/p2pstream/controllers/totals"
	"github.com/p2pstream/p2pstream/runtime/telemetry"
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

// poll asks the trackers, if it is time to: as often as usual, and at once when there is a new one.
func (r *Reconciler) poll(ctx context.Context, stream *v1.P2PStream, s *snapshot, m *memory) {
	now := r.Now()
	trackers, isNew := m.trackers(s, now, totals.Kept(stream.Status.Offload))
	wait := m.pollPause() - pollEvery + pollGap
	if len(trackers) == 0 || (!isNew && now.Sub(m.polledAt) < wait) {
		return
	}
	m.polledAt = now
	answers := r.Poll.Ask(ctx, trackers)
	m.take(answers)
	for _, a := range answers {
		r.Metrics.polled(a.Err)
	}
}

// trackers that are to stay, and how to ask them. One that ends is not asked, and one that is being replaced not for
// totals to keep: what they were not asked for in time, their sessions take to the next tracker; see package totals.
func (m *memory) trackers(s *snapshot, now time.Time, kept telemetry.Kept) (list []poll.Tracker, isNew bool) {
	known := map[types.UID]time.Time{}
	pods := s.pods[plan.ComponentTracker]
	newest := -1 // in list
	var since time.Time
	for i := range pods {
		pod := &pods[i]
		if pod.Status.Phase != corev1.PodRunning || pod.Status.PodIP == "" || pod.DeletionTimestamp != nil {
			continue
		}
		read, asked := m.readAt[pod.UID]
		if !asked && !ready(pod) {
			continue // it starts, and does not listen yet
		}
		known[pod.UID] = read
		isNew = isNew || !asked
		list = append(list, poll.Tracker{Pod: pod.Name, UID: pod.UID, IP: pod.Status.PodIP})
		if created := pod.CreationTimestamp.Time; newest < 0 || created.After(since) {
			newest, since = len(list)-1, created
		}
	}
	m.readAt = known
	if newest >= 0 && m.readDue(known[list[newest].UID], now) {
		list[newest].Accumulate, list[newest].Kept = true, kept
	}
	return list, isNew
}

// readDue tells whether a tracker's totals should be read to be kept: not before what was read last is in status.
func (m *memory) readDue(read, now time.Time) bool {
	if len(m.unwritten) > 0 || now.Sub(read) < readEvery {
		return false
	}
	return now.Sub(m.written.at) >= readEvery || now.Sub(read) >= maxReadPause
}

// take notes what trackers answered. The newest one speaks for the stream.
func (m *memory) take(answers []poll.Answer) {
	var best *poll.Answer
	m.problem = ""
	for i := range answers {
		a := &answers[i]
		if a.Err != nil {
			m.problem = a.Err.Error()
			continue
		}
		if a.Stats.Draining {
			continue // the cache does not know yet that it ends
		}
		if a.Accumulate {
			m.readAt[a.UID] = a.At
			m.unwritten = append(m.unwritten, totals.Reading{Boot: a.Stats.Boot, Number: a.Stats.Offload.Reading, Counted: a.Stats.Offload.Totals})
		}
		if best == nil || a.Stats.StartedAt.After(best.Stats.StartedAt) {
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
