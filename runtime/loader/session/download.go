package session

import (
	"math/rand/v2"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/schedule"
	"github.com/p2pstream/p2pstream/runtime/loader/wire"
)

// Request asks a peer for a segment.
type Request struct {
	ID    int64  // the segment's id for peers of the session's generation
	Held  []byte // bytes held already, which the peer continues
	Total int64  // bytes of the whole segment; -1 if unknown

	// Progress is called with all bytes so far and the size of the whole, -1 if unknown.
	Progress func(data []byte, total int64, now time.Time)
	// Done is called once at the end, unless the request is canceled. Both are called while the session is locked, by
	// any goroutine: they must neither block nor call the session.
	Done func(Result)
}

// Result is how a request ended.
type Result struct {
	Data      []byte // all bytes held, those held before included; they are in transit
	Total     int64  // what the peer said that the whole has; -1 if it did not
	Succeeded bool
	Reason    wire.FailureReason // why it failed; wire.NoFailure if the peer is not to blame
}

// download is one running request to a peer. It is guarded by its session's
// mutex, so that the reader can add bytes without asking the rendition's owner.
type download struct {
	Request
	machine   *wire.Download
	since     time.Time
	lastBytes time.Time
	received  int64  // in this request
	total     int64  // bytes of the whole segment; -1 while unknown
	data      []byte // held before and received now
}

// maxClaimed is the most memory, in bytes, that is allocated because a peer
// claims a size: most segments need no more. Beyond it the buffer grows with the bytes that arrive.
const maxClaimed = 4 << 20

// Start asks the peer for a segment. The rendition's owner calls it; no other
// request to the peer may be running.
func (s *Session) Start(r Request, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := &download{Request: r, machine: s.machine(), since: now, total: r.Total, data: r.Held}
	request := d.machine.Start(r.ID, requestID(), int64(len(r.Held)), r.Total, now)
	s.download = d
	s.send(request)
}

// requestID draws the number of a request, 0 to 999 as browsers do.
func requestID() int64 { return rand.Int64N(1000) }

// machine returns the connection's download machine: it counts the timeouts
// since the last success over all requests.
func (s *Session) machine() *wire.Download {
	if s.requester == nil {
		s.requester = &wire.Download{MaxSegmentSize: s.cfg.MaxSegmentBytes}
	}
	return s.requester
}

// receive takes media bytes from the peer.
func (s *Session) receive(b []byte, now time.Time) {
	s.cfg.Counters.Received[s.source()].Add(int64(len(b)))
	s.cfg.Played.Count(s.source(), s.place(), int64(len(b)))
	s.mu.Lock()
	d := s.download
	if d == nil {
		s.mu.Unlock()
		s.countUnrequested(len(b))
		return
	}
	if !s.cfg.Transit.Reserve(len(b)) {
		s.giveUp(d)
		s.mu.Unlock()
		return
	}
	result := d.machine.OnBytes(len(b), now)
	s.cfg.Transit.Release(len(b) - result.Used)
	if result.Used > 0 {
		d.grow(result.Used)
		d.data = append(d.data, b[:result.Used]...)
		d.received += int64(result.Used)
		d.lastBytes = now
	}
	s.settle(d, result, now)
	s.mu.Unlock()
	if unused := len(b) - result.Used; unused > 0 {
		s.countUnrequested(unused)
	}
}

// grow makes room for n more bytes: for the whole segment if it is no larger than maxClaimed. Otherwise the buffer doubles,
// so that little is copied, but grows no further than to the end of the segment.
func (d *download) grow(n int) {
	have := len(d.data)
	if have+n <= cap(d.data) {
		return
	}
	room := max(n, have, maxClaimed-have)
	if d.total >= 0 {
		room = max(n, min(room, int(d.total)-have))
	} else {
		room = max(n, have)
	}
	whole := make([]byte, have, have+room)
	copy(whole, d.data)
	d.data = whole
}

// giveUp ends a request for whose bytes there is no room; the peer is not to blame. The session is locked.
func (s *Session) giveUp(d *download) {
	s.download = nil
	if c, ok := d.machine.Cancel(); ok {
		s.send(c)
	}
	s.cfg.Counters.Discarded.Add(int64(len(d.data)))
	s.cfg.Transit.Release(len(d.data))
	d.Done(Result{Total: -1, Reason: wire.NoFailure})
}

// countUnrequested counts bytes that belong to no request: some follow every
// cancel; an endless stream is an attack, however small the messages are.
func (s *Session) countUnrequested(n int) {
	s.cfg.Counters.Discarded.Add(int64(n))
	if !s.unrequested.AllowN(time.Now(), max(n, minUnrequestedMessage)) {
		s.disconnect(errUnrequestedBytes)
	}
}

func (s *Session) downloadCommand(c wire.Command, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.download
	if d == nil {
		return
	}
	result := d.machine.OnCommand(c, now)
	s.settle(d, result, now)
	if result.Changed && result.Reason == wire.FailureAbsent {
		s.removeAnnounced(c.SegmentID)
	}
}

// Expire ends a request whose peer was silent for too long, and a command that
// is never finished. The rendition's owner calls it.
func (s *Session) Expire(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if d := s.download; d != nil && !now.Before(d.machine.Deadline()) {
		s.settle(d, d.machine.OnTimeout(now), now)
	}
}

// Cancel gives the request up and returns the bytes received so far, and how many the whole has; -1 if that is unknown.
// It returns false if no request runs: one that has ended has reported its bytes to Done. The rendition's owner calls it.
func (s *Session) Cancel() (data []byte, total int64, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.download
	if d == nil {
		return nil, -1, false
	}
	s.download = nil
	if c, ok := d.machine.Cancel(); ok {
		s.send(c)
	}
	return d.data, d.total, true
}

func (s *Session) downloadClosed() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if d := s.download; d != nil {
		s.download = nil
		d.Done(Result{Data: d.data, Total: d.total, Reason: wire.FailurePeerClosed})
	}
}

// settle carries out what the machine decided; the session is locked.
func (s *Session) settle(d *download, result wire.DownloadResult, now time.Time) {
	for _, c := range result.Send {
		s.send(c)
	}
	d.total = result.Total
	if result.DiscardHeld {
		s.cfg.Counters.Discarded.Add(int64(len(d.data)))
		s.cfg.Transit.Release(len(d.data))
		d.data = nil
	}
	d.Progress(d.data, d.total, now)
	if result.Changed {
		s.download = nil
		succeeded := result.State == wire.DownloadSucceeded
		if elapsed := now.Sub(d.since); succeeded && elapsed > 0 {
			s.speed.Store(int64(float64(d.received) / elapsed.Seconds()))
		}
		d.Done(Result{Data: d.data, Total: d.total, Succeeded: succeeded, Reason: result.Reason})
	}
	if result.Close {
		s.disconnect(causeOf(result.Reason))
	}
}

// causeOf says why a connection is closed over a failed request.
func causeOf(reason wire.FailureReason) error {
	if reason == wire.FailureTimeout {
		return errUnreliable
	}
	return errProtocol
}

// Flight returns the running request; false if there is none. The rendition's owner calls it.
func (s *Session) Flight() (schedule.Flight, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.download
	if d == nil {
		return schedule.Flight{Remaining: -1}, false
	}
	f := schedule.Flight{Since: d.since, LastBytes: d.lastBytes, Received: d.received, Remaining: -1}
	if d.total >= 0 {
		f.Remaining = d.total - int64(len(d.data))
	}
	return f, true
}
