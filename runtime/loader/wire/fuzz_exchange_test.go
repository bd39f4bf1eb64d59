package wire

import (
	"testing"
	"time"
)

// FuzzDownload plays arbitrary events against a Download and checks what must hold in every state.
func FuzzDownload(f *testing.F) {
	f.Add([]byte{0, 0, 1, 8, 2, 4, 2, 4, 3, 0}, false)
	f.Add([]byte{0, 5, 1, 8, 2, 4, 5, 9, 0, 1, 5, 9, 0, 0, 5, 9, 2, 1}, true)
	f.Add([]byte{0, 0, 1, 8, 2, 9, 0, 0, 6, 0, 7, 0, 8, 0, 9, 3}, false)
	f.Add([]byte{0, 0x80, 1, 0, 3, 0, 7, 0}, false)
	f.Fuzz(func(t *testing.T, events []byte, reference bool) {
		d := Download{MaxSegmentSize: 100, Reference: reference}
		now := start
		var closed bool
		var held int64 // counted by hand
		for len(events) >= 2 {
			event, x := events[0]%10, int64(events[1])
			events = events[2:]
			now = now.Add(time.Duration(x) * 10 * time.Millisecond)
			before := d.State()
			var r DownloadResult
			switch event {
			case 0:
				total := x - 20
				c := d.Start(x%3, x%5, x%30, total, now)
				if held = x % 30; total >= 0 {
					held = min(held, total)
				}
				if c.Code != SegmentRequest || c.From != held || c.check() != nil {
					t.Fatalf("request %+v, %d held", c, held)
				}
				r = d.result()
			case 1:
				r = d.OnCommand(data(d.segmentID, d.requestID, x-8), now)
			case 2:
				r = d.OnBytes(int(x)-2, now)
				held += int64(r.Used)
			case 3:
				r = d.OnCommand(completed(d.segmentID, d.requestID), now)
			case 4:
				c := completed(x%3, x%5)
				c.Code = Code(x % 7)
				r = d.OnCommand(c, now)
			case 5:
				r = d.OnTimeout(now)
			case 6:
				r = d.Reject()
			case 7:
				if x%16 == 0 {
					r = d.OnClosed()
				} else {
					r = d.result()
				}
			case 8:
				_, ok := d.Cancel()
				if r = d.result(); ok != (before == DownloadWaiting || before == DownloadLoading) {
					t.Fatalf("cancel in %v: %v", before, ok)
				}
			case 9:
				r = d.OnCommand(data(x%3, x%5, x), now)
			}
			if r.DiscardHeld {
				held = 0
			}
			checkDownload(t, &d, r, held, closed)
			closed = r.Close
			if r.Used > 0 && before != DownloadLoading {
				t.Fatalf("%d bytes used in %v", r.Used, before)
			}
		}
	})
}

func checkDownload(t *testing.T, d *Download, r DownloadResult, held int64, closed bool) {
	t.Helper()
	if r.Held != held || r.Held < 0 || r.Total >= 0 && r.Held > r.Total && d.running() && !d.Reference {
		t.Fatalf("held %d by hand: %+v", held, r)
	}
	if closed && !r.Close || r.Close != d.Closed() {
		t.Fatalf("closed before (%v), now %+v", closed, r)
	}
	if r.Close && (r.State == DownloadWaiting || r.State == DownloadLoading) {
		t.Fatalf("running on a closed connection: %+v", r)
	}
	running := r.State == DownloadWaiting || r.State == DownloadLoading
	if running == d.Deadline().IsZero() || (r.State == DownloadFailed) != (r.Reason != NoFailure) {
		t.Fatalf("deadline %v: %+v", d.Deadline(), r)
	}
	if r.State == DownloadSucceeded && r.Changed && r.Held != r.Total {
		t.Fatalf("succeeded with too little: %+v", r)
	}
	for _, c := range r.Send {
		if c.Code != CancelSegmentRequest || c.check() != nil {
			t.Fatalf("sends %+v", c)
		}
	}
}

// FuzzUpload plays arbitrary events against an Upload: every request is answered at most once, and at least once unless it
// was replaced, canceled or stopped; never more bytes are announced or counted than the segment has.
func FuzzUpload(f *testing.F) {
	f.Add([]byte{0, 3, 1, 70, 2, 30, 2, 40})
	f.Add([]byte{0, 3, 0, 4, 3, 0, 5, 250, 4, 3})
	f.Add([]byte{0, 0xf3, 1, 10, 0, 0x13, 1, 1, 6, 0, 7, 0})
	f.Fuzz(func(t *testing.T, events []byte) {
		var u Upload
		now := start
		type request struct {
			headers, ends int
			left          int64
			gone          bool
		}
		requests := map[Ticket]*request{}
		var last Ticket
		apply := func(r UploadResult) {
			if q := requests[r.Stopped]; q != nil {
				q.gone = true
			}
			q := requests[r.Ticket]
			for _, c := range r.Send {
				if c.check() != nil || q == nil {
					t.Fatalf("sends %+v for %+v", c, r)
				}
				switch c.Code {
				case SegmentData:
					q.headers++
					q.left = c.Size
				case SegmentDataSendingCompleted:
					if q.ends++; q.left != 0 || q.headers != 1 {
						t.Fatalf("completed with %d bytes left: %+v", q.left, r)
					}
				case SegmentAbsent:
					q.ends++
				default:
					t.Fatalf("sends %+v", c)
				}
				if q.headers > 1 || q.ends > 1 {
					t.Fatalf("answered twice: %+v, %+v", q, r)
				}
			}
			if r.Done != (q != nil && q.ends == 1 && len(r.Send) > 0) {
				t.Fatalf("done is %v: %+v", r.Done, q)
			}
		}
		for len(events) >= 2 {
			event, x := events[0]%8, int64(events[1])
			events = events[2:]
			now = now.Add(time.Duration(x) * 10 * time.Millisecond)
			switch event {
			case 0:
				c := ask(x%4, x%3, x/16-2)
				if x%32 == 31 {
					c.Fields = FieldSegmentID
				}
				r := u.OnCommand(c, now)
				if r.Ticket != 0 {
					if r.Ticket <= last {
						t.Fatalf("ticket %d after %d", r.Ticket, last)
					}
					last = r.Ticket
					requests[last] = &request{}
				}
				apply(r)
			case 1:
				apply(u.Serve(last, x%20-1))
			case 2:
				if q := requests[last]; q != nil && u.Sending(last) {
					q.left = max(0, q.left-x)
				}
				apply(u.Sent(last, int(x)))
			case 3:
				apply(u.Absent(last))
			case 4:
				apply(u.OnCommand(Command{Code: CancelSegmentRequest, RequestID: x % 3, Fields: FieldRequestID}, now))
			case 5:
				apply(u.OnTimeout(now))
			case 6:
				if q := requests[u.Stop()]; q != nil {
					q.gone = true
				}
			case 7:
				old := last - min(last, Ticket(x%4)+1)
				if r := u.Serve(old, 5); r.Begin || len(r.Send) > 0 {
					t.Fatalf("an old ticket was served: %+v", r)
				}
			}
			for ticket, q := range requests {
				if open := q.ends == 0 && !q.gone; open != (u.Current() == ticket) {
					t.Fatalf("ticket %d: %+v, current is %d", ticket, q, u.Current())
				}
			}
		}
	})
}
