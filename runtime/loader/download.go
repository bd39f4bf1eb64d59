package loader

import (
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/wire"
)

// download is one running request to a peer. It is guarded by its session's
// mutex, so that the reader can add bytes without asking the rendition's owner.
type download struct {
	machine   *wire.Download
	seg       *segment
	since     time.Time
	lastBytes time.Time
	received  int64  // in this request
	total     int64  // bytes of the whole segment; -1 while unknown
	data      []byte // held before and received now
	attempt   int64  // of the segment
}

// eagerBytes is the most memory that a peer's claim of a size alone makes us
// set aside; beyond it the buffer grows with the bytes that really come.
const eagerBytes = 1 << 20

// startDownload asks the peer for a segment, keeping the bytes already held.
// The rendition's owner calls it.
func (s *session) startDownload(seg *segment, id int64, held []byte, total int64, now time.Time) {
	attempt := seg.begin(held)
	s.mu.Lock()
	defer s.mu.Unlock()
	d := &download{machine: s.machine(), seg: seg, since: now, total: total, data: held, attempt: attempt}
	request := d.machine.Start(id, s.r.e.requestID(), int64(len(held)), total, now)
	s.download = d
	s.send(request)
}

// machine returns the connection's download machine: it counts the timeouts
// since the last success over all requests.
func (s *session) machine() *wire.Download {
	if s.requester == nil {
		s.requester = &wire.Download{MaxSegmentSize: s.r.e.cfg.MaxSegmentBytes}
	}
	return s.requester
}

// bytes takes media bytes from the peer.
func (s *session) bytes(b []byte, now time.Time) {
	e := s.r.e
	e.counters.Received[s.source()].Add(int64(len(b)))
	s.mu.Lock()
	d := s.download
	if d == nil {
		s.mu.Unlock()
		s.strayBytes(len(b))
		return
	}
	if !s.r.transit.Reserve(len(b)) {
		s.noRoom(d)
		s.mu.Unlock()
		return
	}
	result := d.machine.OnBytes(len(b), now)
	s.r.transit.Release(len(b) - result.Used)
	if result.Used > 0 {
		d.data = append(d.data, b[:result.Used]...)
		d.received += int64(result.Used)
		d.lastBytes = now
	}
	s.settle(d, result, now)
	s.mu.Unlock()
	if unused := len(b) - result.Used; unused > 0 {
		s.strayBytes(unused)
	}
}

// noRoom gives a request up that brings more than there is room for; the peer is not to blame. The session is locked.
func (s *session) noRoom(d *download) {
	s.download = nil
	if c, ok := d.machine.Cancel(); ok {
		s.send(c)
	}
	s.r.e.counters.Discarded.Add(int64(len(d.data)))
	s.r.transit.Release(len(d.data))
	s.r.mail.Post(func() { s.r.downloadFailed(s, d.seg, nil, -1, wire.NoFailure) })
}

// strayBytes counts bytes that belong to no request: a few follow every
// cancel, endless ones are an attack, however small the messages are.
func (s *session) strayBytes(n int) {
	s.r.e.counters.Discarded.Add(int64(n))
	if !s.stray.AllowN(time.Now(), max(n, strayMessage)) {
		s.cutOff(errStrayBytes)
	}
}

func (s *session) downloadCommand(c wire.Command, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.download
	if d == nil {
		return
	}
	result := d.machine.OnCommand(c, now)
	s.settle(d, result, now)
	if result.Changed && result.Reason == wire.FailureAbsent {
		s.forget(c.SegmentID)
	}
}

// expire ends a request whose peer was silent for too long, and a command that
// is never finished. The rendition's owner calls it.
func (s *session) expire(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if d := s.download; d != nil && !now.Before(d.machine.Deadline()) {
		s.settle(d, d.machine.OnTimeout(now), now)
	}
}

// cancelDownload gives the request up and returns the bytes received so far, and
// how many the whole has. The rendition's owner calls it.
func (s *session) cancelDownload() ([]byte, int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.download
	if d == nil {
		return nil, -1
	}
	s.download = nil
	if c, ok := d.machine.Cancel(); ok {
		s.send(c)
	}
	return d.data, d.total
}

func (s *session) downloadClosed() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if d := s.download; d != nil {
		s.download = nil
		data, total := d.data, d.total
		s.r.mail.Post(func() { s.r.downloadFailed(s, d.seg, data, total, wire.FailurePeerClosed) })
	}
}

// settle carries out what the machine decided; the session is locked.
func (s *session) settle(d *download, result wire.DownloadResult, now time.Time) {
	for _, c := range result.Send {
		s.send(c)
	}
	if d.total = result.Total; result.State == wire.DownloadLoading && cap(d.data) == 0 && d.total <= eagerBytes {
		d.data = make([]byte, 0, d.total)
	}
	if result.DiscardHeld {
		s.r.e.counters.Discarded.Add(int64(len(d.data)))
		s.r.transit.Release(len(d.data))
		d.data = nil
	}
	d.seg.publish(d.attempt, d.data, d.total, now)
	if result.Changed {
		s.download = nil
		data, total := d.data, d.total
		switch result.State {
		case wire.DownloadSucceeded:
			if elapsed := now.Sub(d.since); elapsed > 0 {
				s.speed.Store(int64(float64(d.received) / elapsed.Seconds()))
			}
			source := s.source()
			s.r.mail.Post(func() { s.r.completed(d.seg, data, source) })
		default:
			s.r.mail.Post(func() { s.r.downloadFailed(s, d.seg, data, total, result.Reason) })
		}
	}
	if result.Close {
		s.cutOff(causeOf(result.Reason))
	}
}

// causeOf says why a connection is closed over a failed request.
func causeOf(reason wire.FailureReason) error {
	if reason == wire.FailureTimeout {
		return errUnreliable
	}
	return errProtocol
}

// flight describes the running request for the scheduler.
func (s *session) flight() (since, lastBytes time.Time, received, remaining int64, busy bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.download
	if d == nil {
		return time.Time{}, time.Time{}, 0, -1, false
	}
	remaining = -1
	if d.total >= 0 {
		remaining = d.total - int64(len(d.data))
	}
	return d.since, d.lastBytes, d.received, remaining, true
}
