package wire

import "time"

// Upload is the uploader's side of the exchange on one connection: one request at a time, a new one replaces the old
// one. The zero value is ready. It holds no bytes.
type Upload struct {
	// AnswerTimeout bounds the time between a request and Serve or Absent; DefaultAnswerTimeout when 0.
	AnswerTimeout time.Duration
	// Reference repeats the answers of p2p-media-loader 2.3.1 where ours are better (see the package documentation).
	Reference bool

	ticket    Ticket
	phase     uploadPhase
	segmentID int64
	requestID int64
	from      int64
	remaining int64
	deadline  time.Time
}

type uploadPhase uint8

const (
	uploadIdle uploadPhase = iota
	uploadLookup
	uploadSending
)

// OnCommand takes a command received at now; only SegmentRequest and CancelSegmentRequest matter. A request asks for a
// lookup (or is rejected) and stops what was going on; a cancel acts on the request id alone.
func (u *Upload) OnCommand(c Command, now time.Time) UploadResult {
	switch c.Code {
	case SegmentRequest:
		return u.request(c, now)
	case CancelSegmentRequest:
		if u.phase != uploadIdle && c.Has(FieldRequestID) && c.RequestID == u.requestID {
			return UploadResult{Ticket: u.ticket, Stopped: u.stop()}
		}
	}
	return UploadResult{}
}

func (u *Upload) request(c Command, now time.Time) UploadResult {
	stopped := u.stop()
	if !c.Has(FieldSegmentID | FieldRequestID) {
		// There is nothing to echo: an answer could only confuse.
		return UploadResult{Stopped: stopped, Rejected: true}
	}
	u.ticket++
	u.phase = uploadLookup
	u.segmentID, u.requestID, u.from, u.remaining = c.SegmentID, c.RequestID, c.From, 0
	if u.from < 0 && !u.Reference {
		r := u.absent()
		r.Stopped, r.Rejected = stopped, true
		return r
	}
	timeout := u.AnswerTimeout
	if timeout <= 0 {
		timeout = DefaultAnswerTimeout
	}
	u.deadline = now.Add(timeout)
	return UploadResult{Ticket: u.ticket, Lookup: true, SegmentID: u.segmentID, Stopped: stopped, From: u.from}
}

// Serve answers a lookup: the segment is there, complete, and has size bytes. It returns the data header to send and what
// bytes must follow; when none remain, completed is in Send too. An offset that the segment does not have is answered
// with SegmentAbsent. A ticket that is not waiting for an answer (any more) gives the zero result.
func (u *Upload) Serve(t Ticket, size int64) UploadResult {
	if !u.is(t, uploadLookup) {
		return UploadResult{}
	}
	size = max(size, 0)
	if u.Reference {
		if u.from < 0 {
			u.from = max(size+u.from, 0)
		}
		u.from = min(u.from, size)
	} else if u.from > size || size == 0 {
		r := u.absent()
		r.Rejected = true
		return r
	}
	u.phase = uploadSending
	u.deadline = time.Time{}
	u.remaining = size - u.from
	r := UploadResult{
		Ticket: t, SegmentID: u.segmentID, Begin: true, From: u.from, Remaining: u.remaining,
		Send: []Command{{Code: SegmentData, SegmentID: u.segmentID, RequestID: u.requestID, Size: u.remaining}},
	}
	if u.remaining == 0 {
		r.Begin, r.Done = false, true
		r.Send = append(r.Send, u.completed())
	}
	return r
}

// Absent answers a lookup with SegmentAbsent. While the segment is being sent it says that the rest cannot be had: the
// requester keeps its bytes and asks another peer. Otherwise as Serve.
func (u *Upload) Absent(t Ticket) UploadResult {
	if !u.is(t, uploadLookup) && !u.is(t, uploadSending) {
		return UploadResult{}
	}
	return u.absent()
}

// Sent reports that n more bytes of the segment were handed to the connection. With the last one, completed is in Send.
// A ticket that is not being sent (any more) gives the zero result, whose Ticket is 0: stop sending.
func (u *Upload) Sent(t Ticket, n int) UploadResult {
	if !u.is(t, uploadSending) {
		return UploadResult{}
	}
	u.remaining -= min(int64(max(n, 0)), u.remaining)
	r := UploadResult{Ticket: t, SegmentID: u.segmentID, Remaining: u.remaining}
	if u.remaining == 0 {
		r.Done = true
		r.Send = []Command{u.completed()}
	}
	return r
}

// OnTimeout tells that now has come; the caller need not compare it with Deadline. A lookup that took too long is answered
// with SegmentAbsent.
func (u *Upload) OnTimeout(now time.Time) UploadResult {
	if u.phase != uploadLookup || now.Before(u.deadline) {
		return UploadResult{}
	}
	return u.absent()
}

// Deadline returns when OnTimeout is due; the zero time when no lookup is waiting for an answer.
func (u *Upload) Deadline() time.Time { return u.deadline }

// Sending tells whether bytes for ticket t are still wanted.
func (u *Upload) Sending(t Ticket) bool { return u.is(t, uploadSending) }

// Current returns the ticket being looked up or sent, 0 for none.
func (u *Upload) Current() Ticket {
	if u.phase == uploadIdle {
		return 0
	}
	return u.ticket
}

// Stop ends whatever is going on without an answer, as when the connection is gone, and returns its ticket (0 for none).
func (u *Upload) Stop() Ticket { return u.stop() }

func (u *Upload) is(t Ticket, phase uploadPhase) bool {
	return u.phase == phase && phase != uploadIdle && u.ticket == t
}

func (u *Upload) stop() Ticket {
	if u.phase == uploadIdle {
		return 0
	}
	u.phase, u.deadline = uploadIdle, time.Time{}
	return u.ticket
}

func (u *Upload) absent() UploadResult {
	return UploadResult{
		Ticket: u.ticket, SegmentID: u.segmentID, Stopped: u.stop(), Done: true,
		Send: []Command{{Code: SegmentAbsent, SegmentID: u.segmentID, RequestID: u.requestID}},
	}
}

// completed ends the running upload and returns the command that says so.
func (u *Upload) completed() Command {
	u.stop()
	return Command{Code: SegmentDataSendingCompleted, SegmentID: u.segmentID, RequestID: u.requestID}
}
