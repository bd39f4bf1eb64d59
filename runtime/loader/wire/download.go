package wire

import "time"

// Download is the requester's side of the exchange on one connection: one request at a time. The zero value is ready.
// It keeps no bytes, only their count.
type Download struct {
	// NoBytesTimeout bounds the silence of the uploader; DefaultNoBytesTimeout when 0.
	NoBytesTimeout time.Duration
	// MaxTimeouts is the number of timeouts since the last success that closes; DefaultMaxTimeouts when 0.
	MaxTimeouts int
	// MaxSegmentSize, in bytes, bounds held bytes plus the claimed size; DefaultMaxSegmentSize when 0.
	MaxSegmentSize int64
	// Reference repeats the decisions of p2p-media-loader 2.3.1 where ours are better (see the package documentation).
	Reference bool

	state     DownloadState
	reason    FailureReason
	segmentID int64
	requestID int64
	held      int64
	total     int64
	known     bool // total is known
	deadline  time.Time
	timeouts  int
	closed    bool
}

// Start begins a request at now and returns it for sending. held is the number of bytes the caller already has from
// earlier sources, total the segment's size in bytes or -1. requestID only has to differ from the one before. A request
// that is still running is given up without a command: its uploader stops by itself when the new request arrives.
// After the connection was closed the returned command cannot be sent.
func (d *Download) Start(segmentID, requestID int64, held int64, total int64, now time.Time) Command {
	d.segmentID, d.requestID = segmentID, requestID
	d.held = max(held, 0)
	if d.total, d.known = total, total >= 0; d.known {
		d.held = min(d.held, total)
	}
	c := Command{Code: SegmentRequest, SegmentID: segmentID, RequestID: requestID, From: d.held}
	if d.closed {
		d.state, d.reason = DownloadFailed, FailurePeerClosed
		return c
	}
	d.state, d.reason = DownloadWaiting, NoFailure
	d.touch(now)
	return c
}

// OnCommand takes a command received at now. Commands of the other direction and those that concern no running request
// change nothing.
func (d *Download) OnCommand(c Command, now time.Time) DownloadResult {
	if !d.running() {
		return d.result()
	}
	switch c.Code {
	case SegmentData:
		if d.state == DownloadWaiting && c.names(d.segmentID, d.requestID) {
			return d.header(c, now)
		}
	case SegmentDataSendingCompleted:
		if d.state != DownloadLoading {
			break
		}
		if !c.names(d.segmentID, d.requestID) {
			return d.violated(FailureProtocol)
		}
		if !d.known || d.held != d.total {
			return d.violated(FailureLength)
		}
		d.timeouts = 0
		return d.end(DownloadSucceeded, NoFailure)
	case SegmentAbsent:
		if c.names(d.segmentID, d.requestID) {
			return d.end(DownloadFailed, FailureAbsent)
		}
	}
	return d.result()
}

func (d *Download) header(c Command, now time.Time) DownloadResult {
	switch {
	case d.known:
		if !c.Has(FieldSize) || c.Size != d.total-d.held {
			return d.violated(FailureLength, d.cancel())
		}
	case d.Reference:
		// The remainder is taken for the total, as it comes.
		d.total, d.known = c.Size, c.Has(FieldSize)
	case !c.Has(FieldSize) || c.Size < 0 || c.Size > d.maxSegmentSize()-d.held || d.held+c.Size == 0:
		return d.violated(FailureSize, d.cancel())
	default:
		d.total, d.known = d.held+c.Size, true
	}
	d.state = DownloadLoading
	d.touch(now)
	return d.result()
}

// OnBytes takes n segment bytes received at now.
func (d *Download) OnBytes(n int, now time.Time) DownloadResult {
	if d.state != DownloadLoading {
		return d.result()
	}
	n = max(n, 0)
	if d.known && int64(n) > d.total-d.held {
		return d.violated(FailureLength)
	}
	d.held += int64(n)
	d.touch(now)
	r := d.result()
	r.Used = n
	return r
}

// OnTimeout tells that now has come; the caller need not compare it with Deadline. When the deadline is over, the request
// fails, the bytes are kept, and after MaxTimeouts since the last success the connection is to be closed.
func (d *Download) OnTimeout(now time.Time) DownloadResult {
	if !d.running() || now.Before(d.deadline) {
		return d.result()
	}
	d.timeouts++
	limit := d.MaxTimeouts
	if limit <= 0 {
		limit = DefaultMaxTimeouts
	}
	cancel := d.cancel()
	d.closed = d.timeouts >= limit
	return d.end(DownloadFailed, FailureTimeout, cancel)
}

// Reject tells that the segment that just succeeded is not what it should be: its bytes are dropped, the connection is
// to be closed. In any other state it changes nothing.
func (d *Download) Reject() DownloadResult {
	if d.state != DownloadSucceeded {
		return d.result()
	}
	return d.violated(FailureValidation)
}

// OnClosed tells that the connection is gone. A running request fails, the bytes are kept.
func (d *Download) OnClosed() DownloadResult {
	d.closed = true
	if !d.running() {
		return d.result()
	}
	return d.end(DownloadFailed, FailurePeerClosed)
}

// Cancel gives up the running request and returns the command to send. The bytes are kept; bytes still on their way are
// not used. It returns false when no request is running.
func (d *Download) Cancel() (Command, bool) {
	if !d.running() {
		return Command{}, false
	}
	d.state, d.reason, d.deadline = DownloadIdle, NoFailure, time.Time{}
	return d.cancel(), true
}

// Deadline returns when OnTimeout is due; the zero time when no request is running.
func (d *Download) Deadline() time.Time { return d.deadline }

// State returns the present state.
func (d *Download) State() DownloadState { return d.state }

// Running tells whether a request is running (DownloadWaiting or DownloadLoading), and for which segment.
func (d *Download) Running() (segmentID int64, ok bool) { return d.segmentID, d.running() }

// Timeouts returns the number of timeouts since the last success.
func (d *Download) Timeouts() int { return d.timeouts }

// Closed tells whether this machine wants, or knows, the connection closed. It stays so.
func (d *Download) Closed() bool { return d.closed }

func (d *Download) running() bool { return d.state == DownloadWaiting || d.state == DownloadLoading }

func (d *Download) touch(now time.Time) {
	timeout := d.NoBytesTimeout
	if timeout <= 0 {
		timeout = DefaultNoBytesTimeout
	}
	d.deadline = now.Add(timeout)
}

func (d *Download) cancel() Command {
	return Command{Code: CancelSegmentRequest, SegmentID: d.segmentID, RequestID: d.requestID}
}

// violated ends the request over something no honest peer does: bytes dropped, connection closed.
func (d *Download) violated(reason FailureReason, send ...Command) DownloadResult {
	d.closed = true
	d.held, d.total, d.known = 0, 0, false
	r := d.end(DownloadFailed, reason, send...)
	r.DiscardHeld = true
	return r
}

func (d *Download) end(state DownloadState, reason FailureReason, send ...Command) DownloadResult {
	d.state, d.reason, d.deadline = state, reason, time.Time{}
	r := d.result()
	r.Changed = true
	r.Send = send
	return r
}

func (d *Download) result() DownloadResult {
	r := DownloadResult{State: d.state, Reason: d.reason, Held: d.held, Total: -1, Close: d.closed}
	if d.known {
		r.Total = d.total
	}
	return r
}

func (d *Download) maxSegmentSize() int64 {
	if d.MaxSegmentSize <= 0 {
		return DefaultMaxSegmentSize
	}
	return d.MaxSegmentSize
}
