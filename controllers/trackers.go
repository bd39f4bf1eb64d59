package controllers

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/p2pstream/p2pstream/controllers/plan"
	"github.com/p2pstream/p2pstream/controllers/poll"
	"github.com/p2pstream/p2pstream/controllers/status"
	"github.com/p2pstream/p2pstream/controllers/totals"
	"github.com/p2pstream/p2pstream/runtime/telemetry"
	"github.com/p2pstream/p2pstream/runtime/tracker/table"
)

const (
	// readEvery is how often totals are read to be kept, which costs a write.
	readEvery = 15 * time.Second
	// maxReadPause is how long writes of status for other causes may put that off.
	maxReadPause = 30 * time.Second
)

// readTrackers takes what the stream's trackers answered since the last run and says which to ask from now on. It never
// waits: trackers are asked by pollers, and each answer causes a run.
func (r *Reconciler) readTrackers(n *run, s *snapshot) {
	m, key := n.memory, client.ObjectKeyFromObject(n.stream)
	m.take(r.pollers.Take(key))
	pods, prefix, token := s.pods[plan.ComponentTracker], "", r.operatorToken(n)
	if n.network != nil && n.network.served { // until then a tracker that the stream had of its own counts on
		pods, prefix = s.shared, table.Key(key).Prefix()
	}
	trackers, read := m.trackers(pods, totals.Kept(n.stream.Status.Offload))
	for i := range trackers {
		trackers[i].Prefix, trackers[i].Token = prefix, token
	}
	r.pollers.Follow(key, trackers, read)
	s.reading, s.readingProblem, s.unwritten = m.reading, m.problem, m.unwritten
	s.readingPending = len(trackers) > 0 && !m.judged()
	if r.Overview == nil {
		return
	}
	if m.reading == nil {
		r.Overview.Hear(key, r.Now(), nil)
		return
	}
	r.Overview.Hear(key, m.reading.At, &m.reading.Stats)
}

// judged tells whether a tracker has answered, or has failed to more than once. One failure may be a tracker or a node that
// has just started, and an operator that has just started knows nothing else.
func (m *memory) judged() bool {
	for _, a := range m.answers {
		if a.Err == nil || a.Failures != 1 {
			return true
		}
	}
	return false
}

// trackers that are to be asked, and which of them for totals to keep, from when on. One that ends is not asked, and
// one that is being replaced not for totals to keep: what it was not asked for in time, its sessions take to the next
// tracker; see package totals.
func (m *memory) trackers(pods []corev1.Pod, kept telemetry.Kept) (list []poll.Tracker, read *poll.Order) {
	known := map[types.UID]time.Time{}
	answers := map[types.UID]poll.Answer{}
	newest := -1 // in list
	var since time.Time
	for i := range pods {
		pod := &pods[i]
		if pod.Status.Phase != corev1.PodRunning || pod.Status.PodIP == "" || pod.DeletionTimestamp != nil {
			continue
		}
		readAt, asked := m.readAt[pod.UID]
		if !asked && !ready(pod) {
			continue // it starts, and does not listen yet
		}
		known[pod.UID] = readAt
		if a, answered := m.answers[pod.UID]; answered {
			answers[pod.UID] = a
		}
		list = append(list, poll.Tracker{Pod: pod.Name, UID: pod.UID, IP: pod.Status.PodIP})
		if created := pod.CreationTimestamp.Time; newest < 0 || created.After(since) {
			newest, since = len(list)-1, created
		}
	}
	m.readAt, m.answers = known, answers
	if newest >= 0 && len(m.unwritten) == 0 { // what was read last has to be in status first
		uid := list[newest].UID
		read = &poll.Order{UID: uid, From: m.readFrom(known[uid]), Kept: kept}
	}
	return list, read
}

// readFrom is when a tracker's totals should be read again to be kept. The write that this costs is put off for a
// while when status was just written for another cause.
func (m *memory) readFrom(read time.Time) time.Time {
	from := m.written.at.Add(readEvery)
	if latest := read.Add(maxReadPause); from.After(latest) {
		from = latest
	}
	if earliest := read.Add(readEvery); from.Before(earliest) {
		from = earliest
	}
	return from
}

// take notes what trackers answered. Of those whose last answer was a good one, the tracker that was started last
// speaks for the stream.
func (m *memory) take(answers []poll.Answer) {
	if len(answers) == 0 {
		return
	}
	if m.answers == nil {
		m.answers = map[types.UID]poll.Answer{}
	}
	for _, a := range answers {
		if _, known := m.readAt[a.UID]; !known {
			continue // of a stream of the same name that was deleted
		}
		m.answers[a.UID] = a
		if a.Err == nil && !a.Stats.Draining && a.Accumulate {
			m.readAt[a.UID] = a.At
			m.unwritten = append(m.unwritten, totals.Reading{Boot: a.Stats.Boot, Number: a.Stats.Offload.Reading, Counted: a.Stats.Offload.Totals})
		}
	}
	var best *poll.Answer
	m.problem = ""
	for _, a := range m.answers {
		switch {
		case a.Err != nil:
			if text := a.Err.Error(); m.problem == "" || text < m.problem { // the same one each time
				m.problem = text
			}
		case a.Stats.Draining: // the cache does not show yet that it ends
		case best == nil || a.Stats.StartedAt.After(best.Stats.StartedAt):
			best = &a
		}
	}
	if best != nil {
		m.problem = ""
		m.reading = &status.Reading{At: best.At, Stats: best.Stats}
	}
}
