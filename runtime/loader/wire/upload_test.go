package wire

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func ask(id, request, from int64) Command {
	c := Command{Code: SegmentRequest, SegmentID: id, RequestID: request, From: from, Fields: ids}
	if from != 0 {
		c.Fields |= FieldFrom
	}
	return c
}

func absent(id, request int64) Command {
	return Command{Code: SegmentAbsent, SegmentID: id, RequestID: request}
}

// TestUploadAlwaysAnswers: every well-formed request gets data or absent, also where the reference is silent.
func TestUploadAlwaysAnswers(t *testing.T) {
	for name, c := range map[string]struct {
		from, size int64
		data       bool
		remaining  int64
		rejected   bool
	}{
		"whole":           {0, 70, true, 70, false},
		"from the middle": {40, 70, true, 30, false},
		"nothing left":    {70, 70, true, 0, false},
		"beyond the end":  {71, 70, false, 0, true},
		"negative":        {-5, 70, false, 0, true},
		"empty segment":   {0, 0, false, 0, true},
		"nonsense size":   {0, -1, false, 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			var u Upload
			r := u.OnCommand(ask(-9, 3, c.from), start)
			if r.Lookup {
				r = u.Serve(r.Ticket, c.size)
			}
			if r.Rejected != c.rejected {
				t.Errorf("got %+v", r)
			}
			if !c.data {
				if diff := cmp.Diff([]Command{absent(-9, 3)}, r.Send); diff != "" || !r.Done || u.Current() != 0 {
					t.Errorf("got %+v", r)
				}
				return
			}
			if r.Send[0].Code != SegmentData || r.Send[0].Size != c.remaining || r.Remaining != c.remaining {
				t.Errorf("got %+v", r)
			}
			if ends := c.remaining == 0; r.Begin == ends || r.Done != ends || (len(r.Send) == 2) != ends || u.Sending(r.Ticket) == ends {
				t.Errorf("got %+v", r)
			}
		})
	}
}

func TestUploadLaterAnswer(t *testing.T) {
	var u Upload
	if !u.Deadline().IsZero() {
		t.Error("a deadline without a request")
	}
	r := u.OnCommand(ask(7, 1, 0), start)
	if got := u.Deadline(); !got.Equal(start.Add(DefaultAnswerTimeout)) || u.Current() != r.Ticket || u.Sending(r.Ticket) {
		t.Errorf("deadline %v, %+v", got, r)
	}
	if early := u.OnTimeout(start.Add(DefaultAnswerTimeout - 1)); early.Done || len(early.Send) != 0 {
		t.Errorf("got %+v", early)
	}
	late := u.OnTimeout(start.Add(DefaultAnswerTimeout))
	if diff := cmp.Diff([]Command{absent(7, 1)}, late.Send); diff != "" || late.Stopped != r.Ticket || !u.Deadline().IsZero() {
		t.Errorf("got %+v", late)
	}
	// The source comes too late.
	if got := u.Serve(r.Ticket, 10); got.Begin || len(got.Send) != 0 {
		t.Errorf("got %+v", got)
	}
	if got := u.Absent(r.Ticket); len(got.Send) != 0 {
		t.Errorf("got %+v", got)
	}
	// In time the second time, with the same request id.
	again := u.OnCommand(ask(7, 1, 0), start)
	if again.Ticket == r.Ticket {
		t.Error("a ticket was used twice")
	}
	if got := u.Serve(r.Ticket, 10); got.Begin {
		t.Errorf("the old ticket was served: %+v", got)
	}
	if got := u.Serve(again.Ticket, 10); !got.Begin || !u.Deadline().IsZero() {
		t.Errorf("got %+v", got)
	}
	if got := u.Serve(again.Ticket, 10); got.Begin || len(got.Send) != 0 {
		t.Errorf("served twice: %+v", got)
	}
}

func TestUploadReplaced(t *testing.T) {
	var u Upload
	first := u.OnCommand(ask(7, 1, 0), start)
	u.Serve(first.Ticket, 10)
	u.Sent(first.Ticket, 4)
	second := u.OnCommand(ask(8, 1, 0), start)
	if second.Stopped != first.Ticket || !second.Lookup || len(second.Send) != 0 {
		t.Errorf("got %+v", second)
	}
	if r := u.Sent(first.Ticket, 6); r.Ticket != 0 || len(r.Send) != 0 {
		t.Errorf("the replaced upload goes on: %+v", r)
	}
	u.Serve(second.Ticket, 10)
	if r := u.Sent(second.Ticket, 4); r.Done || r.Remaining != 6 {
		t.Errorf("got %+v", r)
	}
	r := u.Sent(second.Ticket, 99)
	if r.Remaining != 0 || !r.Done || len(r.Send) != 1 || r.Send[0].Code != SegmentDataSendingCompleted || r.Send[0].SegmentID != 8 {
		t.Errorf("got %+v", r)
	}
	if r := u.Sent(second.Ticket, 1); r.Done || len(r.Send) != 0 {
		t.Errorf("completed twice: %+v", r)
	}
	// A request that cannot be answered still ends the running upload.
	third := u.OnCommand(ask(7, 2, 0), start)
	bad := u.OnCommand(Command{Code: SegmentRequest, SegmentID: 7, Fields: FieldSegmentID}, start)
	if bad.Stopped != third.Ticket || !bad.Rejected || bad.Lookup || len(bad.Send) != 0 || u.Current() != 0 {
		t.Errorf("got %+v", bad)
	}
	if r := u.OnCommand(ask(7, 2, -1), start); r.Stopped != 0 || r.Lookup || len(r.Send) != 1 {
		t.Errorf("got %+v", r)
	}
}

func TestUploadCancelActsOnTheRequestID(t *testing.T) {
	cancel := func(id, request int64) Command {
		return Command{Code: CancelSegmentRequest, SegmentID: id, RequestID: request, Fields: ids}
	}
	var u Upload
	if r := u.OnCommand(cancel(7, 0), start); r.Stopped != 0 {
		t.Errorf("canceled nothing: %+v", r)
	}
	r := u.OnCommand(ask(7, 1, 0), start)
	if got := u.OnCommand(Command{Code: CancelSegmentRequest, SegmentID: 7, Fields: FieldSegmentID}, start); got.Stopped != 0 {
		t.Errorf("cancel without request id: %+v", got)
	}
	if got := u.OnCommand(cancel(7, 2), start); got.Stopped != 0 || u.Current() != r.Ticket {
		t.Errorf("another request's cancel: %+v", got)
	}
	if got := u.OnCommand(cancel(99, 1), start); got.Stopped != r.Ticket || len(got.Send) != 0 || !u.Deadline().IsZero() {
		t.Errorf("cancel of a lookup: %+v", got)
	}
	if got := u.Serve(r.Ticket, 10); got.Begin {
		t.Errorf("served after the cancel: %+v", got)
	}
}

func TestUploadSourceFails(t *testing.T) {
	var u Upload
	r := u.OnCommand(ask(7, 1, 0), start)
	u.Serve(r.Ticket, 10)
	u.Sent(r.Ticket, 3)
	got := u.Absent(r.Ticket)
	if diff := cmp.Diff([]Command{absent(7, 1)}, got.Send); diff != "" || got.Stopped != r.Ticket || u.Sending(r.Ticket) {
		t.Errorf("got %+v", got)
	}
	u.OnCommand(ask(7, 2, 0), start)
	if u.Stop() == 0 || u.Stop() != 0 {
		t.Error("stop")
	}
	if r := u.OnCommand(data(7, 1, 1), start.Add(time.Hour)); r.Ticket != 0 {
		t.Errorf("a command of the other direction: %+v", r)
	}
}

// TestUploadOwnAnswers replays recorded requests with our own answers: whatever the reference answered with data in a
// sane way is the same, and where it was silent or odd we say absent.
func TestUploadOwnAnswers(t *testing.T) {
	var file struct{ Cases []behaviourCase }
	readJSON(t, vectorFile(t, "behaviour.json"), &file)
	for _, c := range file.Cases {
		if c.Kind != "upload" {
			continue
		}
		t.Run(c.ID, func(t *testing.T) {
			r := newUploadDriver(t, c.Settings)
			r.own, r.u.Reference, r.joiner.Reference = true, false, false
			var want, got []string
			requests := 0
			for _, step := range c.Log {
				r.step(step)
				want, got = append(want, step.Sent...), append(got, r.out.take()...)
				if step.Receive != nil {
					var j Joiner
					if e := j.Push(unhex(t, *step.Receive)); e.Command.Code == SegmentRequest && e.Command.Has(ids) {
						requests++
					}
				}
			}
			if cmp.Equal(want, got) {
				return
			}
			var j Joiner
			if requests == 0 || len(got) == 0 {
				t.Fatalf("reference sent %v, we %v", want, got)
			}
			last := j.Push(unhex(t, got[len(got)-1])).Command.Code
			absent := last == SegmentAbsent && len(got) == requests
			served := last == SegmentDataSendingCompleted && len(want) == 0
			if !absent && !served {
				t.Errorf("reference sent %v, we %v", want, got)
			}
		})
	}
}
