package wire

import (
	"testing"
	"time"
)

const (
	ids  = FieldSegmentID | FieldRequestID
	sent = ids | FieldSize
)

var start = time.Unix(1000, 0)

func data(id, request, size int64) Command {
	return Command{Code: SegmentData, SegmentID: id, RequestID: request, Size: size, Fields: sent}
}

func completed(id, request int64) Command {
	return Command{Code: SegmentDataSendingCompleted, SegmentID: id, RequestID: request, Fields: ids}
}

func TestDownloadHeader(t *testing.T) {
	for name, c := range map[string]struct {
		held, total int64
		header      Command
		state       DownloadState
		reason      FailureReason
		wantTotal   int64
	}{
		"whole, unknown total":          {0, -1, data(7, 1, 50), DownloadLoading, NoFailure, 50},
		"rest, unknown total":           {10, -1, data(7, 1, 40), DownloadLoading, NoFailure, 50},
		"nothing left, unknown total":   {10, -1, data(7, 1, 0), DownloadLoading, NoFailure, 10},
		"nothing left, known total":     {10, 10, data(7, 1, 0), DownloadLoading, NoFailure, 10},
		"held beyond the total":         {99, 10, data(7, 1, 0), DownloadLoading, NoFailure, 10},
		"empty segment, unknown total":  {0, -1, data(7, 1, 0), DownloadFailed, FailureSize, -1},
		"empty segment, known to be so": {0, 0, data(7, 1, 0), DownloadLoading, NoFailure, 0},
		"wrong size":                    {10, 50, data(7, 1, 50), DownloadFailed, FailureLength, -1},
		"at the bound":                  {10, -1, data(7, 1, 90), DownloadLoading, NoFailure, 100},
		"above the bound":               {10, -1, data(7, 1, 91), DownloadFailed, FailureSize, -1},
		"absurd":                        {10, -1, data(7, 1, MaxInteger), DownloadFailed, FailureSize, -1},
		"negative":                      {10, -1, data(7, 1, -1), DownloadFailed, FailureSize, -1},
		"no size":                       {10, -1, completedAs(SegmentData), DownloadFailed, FailureSize, -1},
		"no size, known total":          {10, 10, completedAs(SegmentData), DownloadFailed, FailureLength, -1},
		"another segment":               {0, -1, data(8, 1, 50), DownloadWaiting, NoFailure, -1},
		"without request id":            {0, -1, Command{Code: SegmentData, SegmentID: 7, Size: 5, Fields: FieldSegmentID | FieldSize}, DownloadWaiting, NoFailure, -1},
		"held below zero":               {-5, -1, data(7, 1, 50), DownloadLoading, NoFailure, 50},
	} {
		t.Run(name, func(t *testing.T) {
			d := Download{MaxSegmentSize: 100}
			d.Start(7, 1, c.held, c.total, start)
			r := d.OnCommand(c.header, start)
			if r.State != c.state || r.Reason != c.reason || r.Total != c.wantTotal {
				t.Fatalf("got %+v", r)
			}
			failed := c.state == DownloadFailed
			if r.Close != failed || r.DiscardHeld != failed || d.Closed() != failed || (len(r.Send) == 1) != failed {
				t.Fatalf("got %+v", r)
			}
			if failed && (r.Held != 0 || r.Send[0].Code != CancelSegmentRequest || r.Send[0].RequestID != 1) {
				t.Fatalf("got %+v", r)
			}
		})
	}
}

func completedAs(code Code) Command {
	c := completed(7, 1)
	c.Code = code
	return c
}

func TestDownloadDeadline(t *testing.T) {
	var d Download
	if !d.Deadline().IsZero() {
		t.Error("a deadline without a request")
	}
	d.Start(7, 1, 0, -1, start)
	if got := d.Deadline(); !got.Equal(start.Add(DefaultNoBytesTimeout)) {
		t.Errorf("deadline %v", got)
	}
	later := start.Add(time.Second)
	if d.OnBytes(5, later); !d.Deadline().Equal(start.Add(DefaultNoBytesTimeout)) {
		t.Error("stray bytes moved the deadline")
	}
	d.OnCommand(data(7, 1, 10), later)
	if got := d.Deadline(); !got.Equal(later.Add(DefaultNoBytesTimeout)) {
		t.Errorf("deadline %v", got)
	}
	if r := d.OnTimeout(later); r.State != DownloadLoading || r.Changed {
		t.Errorf("early timeout: %+v", r)
	}
	r := d.OnTimeout(later.Add(DefaultNoBytesTimeout))
	if r.State != DownloadFailed || r.Reason != FailureTimeout || !r.Changed || r.Close || len(r.Send) != 1 || d.Timeouts() != 1 {
		t.Errorf("timeout: %+v", r)
	}
	if r := d.OnTimeout(later.Add(time.Hour)); r.Changed || len(r.Send) != 0 {
		t.Errorf("second timeout: %+v", r)
	}
}

func TestDownloadCancel(t *testing.T) {
	var d Download
	if _, ok := d.Cancel(); ok {
		t.Error("canceled nothing")
	}
	d.Start(7, 1, 0, -1, start)
	d.OnCommand(data(7, 1, 10), start)
	d.OnBytes(4, start)
	c, ok := d.Cancel()
	if !ok || c.Code != CancelSegmentRequest || c.SegmentID != 7 || c.RequestID != 1 || !d.Deadline().IsZero() {
		t.Errorf("got %+v", c)
	}
	// What is still on its way belongs to nothing.
	if r := d.OnBytes(4, start); r.Used != 0 || r.State != DownloadIdle || r.Held != 4 {
		t.Errorf("late bytes: %+v", r)
	}
	if r := d.OnCommand(completed(7, 1), start); r.State != DownloadIdle || r.Changed {
		t.Errorf("late completed: %+v", r)
	}
	d.Start(8, 2, 0, -1, start)
	if r := d.OnBytes(4, start); r.Used != 0 || r.Held != 0 || r.State != DownloadWaiting {
		t.Errorf("late bytes in the next request: %+v", r)
	}
	if id, ok := d.Running(); id != 8 || !ok {
		t.Errorf("running %d, %v", id, ok)
	}
}

func TestDownloadClosedStaysClosed(t *testing.T) {
	var d Download
	d.Start(7, 1, 3, -1, start)
	if r := d.OnClosed(); r.State != DownloadFailed || r.Reason != FailurePeerClosed || r.Held != 3 || !r.Close || r.DiscardHeld {
		t.Errorf("got %+v", r)
	}
	if r := d.OnClosed(); r.Changed {
		t.Errorf("got %+v", r)
	}
	d.Start(7, 2, 0, -1, start)
	if r := d.OnCommand(data(7, 2, 10), start); r.State != DownloadFailed || r.Reason != FailurePeerClosed || !r.Close || r.Changed {
		t.Errorf("got %+v", r)
	}
	if !d.Deadline().IsZero() {
		t.Error("a deadline after the end")
	}
}

func TestDownloadReject(t *testing.T) {
	var d Download
	d.Start(7, 1, 0, 4, start)
	if r := d.Reject(); r.Changed || r.Close {
		t.Errorf("rejected while waiting: %+v", r)
	}
	d.OnCommand(data(7, 1, 4), start)
	if r := d.OnBytes(4, start); r.Used != 4 {
		t.Errorf("got %+v", r)
	}
	if r := d.OnCommand(completed(7, 1), start); r.State != DownloadSucceeded || !r.Changed || r.Total != 4 {
		t.Errorf("got %+v", r)
	}
	if r := d.Reject(); r.Reason != FailureValidation || !r.DiscardHeld || !r.Close || !r.Changed {
		t.Errorf("got %+v", r)
	}
}

func TestFailureReasonsAreNamed(t *testing.T) {
	for r := NoFailure; r <= FailurePeerClosed; r++ {
		if s := r.String(); s == "" || s == "unknown" {
			t.Errorf("reason %d is %q", r, s)
		}
	}
	if FailureReason(99).String() != "unknown" || DownloadState(99).String() != "unknown" {
		t.Error("unknown values")
	}
}
