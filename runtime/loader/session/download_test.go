package session

import (
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/traffic"
	"github.com/p2pstream/p2pstream/runtime/loader/transit"
	"github.com/p2pstream/p2pstream/runtime/loader/wire"
)

// requested asks the peer for segment 100, of which two bytes are held; the peer answers with a header of six more.
func requested(t *testing.T, s *Session, c *conn) (ends *[]Result) {
	t.Helper()
	if !s.cfg.Transit.Reserve(2) {
		t.Fatal("no room")
	}
	ends = &[]Result{}
	s.Start(Request{
		ID: 100, Held: []byte("ab"), Total: -1,
		Progress: func([]byte, int64, time.Time) {},
		Done:     func(r Result) { *ends = append(*ends, r) },
	}, time.Now())
	var joiner wire.Joiner
	if len(c.sent) != 1 {
		t.Fatalf("%d messages sent, want the request", len(c.sent))
	}
	request := joiner.PushAt(c.sent[0], time.Now()).Command
	if request.Code != wire.SegmentRequest || request.SegmentID != 100 || request.From != 2 {
		t.Fatalf("sent %+v, want a request for segment 100 from byte 2 on", request)
	}
	c.answer = func(code wire.Code, size int64) {
		fields := wire.FieldSegmentID | wire.FieldRequestID
		if code == wire.SegmentData {
			fields |= wire.FieldSize
		}
		messages, err := wire.Encode(wire.Command{Code: code, SegmentID: 100, RequestID: request.RequestID, Size: size, Fields: fields}, wire.DefaultMaxMessageSize)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range messages {
			s.Message(m)
		}
	}
	c.answer(wire.SegmentData, 6)
	return ends
}

func TestRequestReportsItsEndOnce(t *testing.T) {
	for name, tt := range map[string]struct {
		act  func(*Session, *conn)
		want Result
		sent int // further commands
	}{
		"delivered": {
			func(s *Session, c *conn) {
				s.Message([]byte("cdef"))
				s.Message([]byte("gh"))
				c.answer(wire.SegmentDataSendingCompleted, 0)
			},
			Result{Data: []byte("abcdefgh"), Total: 8, Succeeded: true}, 0,
		},
		"the connection is lost": {
			func(s *Session, _ *conn) { s.Message([]byte("cdef")); s.Closed() },
			Result{Data: []byte("abcdef"), Total: 8, Reason: wire.FailurePeerClosed}, 0,
		},
		"absent": {
			func(_ *Session, c *conn) { c.answer(wire.SegmentAbsent, 0) },
			Result{Data: []byte("ab"), Total: 8, Reason: wire.FailureAbsent}, 0,
		},
		"no room": {
			func(s *Session, _ *conn) {
				for s.cfg.Transit.Reserve(1 << 20) {
				}
				s.Message(make([]byte, 1<<20))
			},
			Result{Total: -1}, 1,
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, c := open(t)
			ends := requested(t, s, c)
			tt.act(s, c)
			if len(*ends) != 1 {
				t.Fatalf("reported %d ends, want one", len(*ends))
			}
			got := (*ends)[0]
			if string(got.Data) != string(tt.want.Data) || got.Total != tt.want.Total || got.Succeeded != tt.want.Succeeded ||
				got.Reason != tt.want.Reason {
				t.Errorf("ended with %+v, want %+v", got, tt.want)
			}
			if _, busy := s.Flight(); busy {
				t.Error("the session still has a request")
			}
			if sent := len(c.sent) - 1; sent != tt.sent {
				t.Errorf("%d commands sent after the request, want %d", sent, tt.sent)
			}
		})
	}
}

func TestCanceledRequestReportsNothing(t *testing.T) {
	s, c := open(t)
	ends := requested(t, s, c)
	s.Message([]byte("cd"))
	data, total, ok := s.Cancel()
	if !ok || string(data) != "abcd" || total != 8 || len(*ends) != 0 {
		t.Errorf("canceled with %q of %d, %d ends reported", data, total, len(*ends))
	}
	if data, total, ok := s.Cancel(); ok || data != nil || total != -1 {
		t.Errorf("canceled twice: %q of %d", data, total)
	}
	s.Message([]byte("ef")) // was on its way
	if got := s.cfg.Counters.Discarded.Load(); got != 2 {
		t.Errorf("%d bytes discarded after the cancel, want 2", got)
	}
}

// TestBytesInTransitAreCounted: bytes of a segment are in transit until they are discarded.
func TestBytesInTransitAreCounted(t *testing.T) {
	s, c := open(t)
	budget := transit.NewBudget(0, 0)
	s.cfg.Transit = budget.Share()
	requested(t, s, c)
	s.Message([]byte("cdefgh"))
	if used, _, _ := budget.Stats(); used != 8 {
		t.Errorf("%d bytes in transit, want the 8 of the segment", used)
	}
	s.Message([]byte("too many"))
	if used, _, _ := budget.Stats(); used != 0 {
		t.Errorf("%d bytes in transit after the peer sent too many", used)
	}
	if n := s.cfg.Counters; n.Received[traffic.FromViewer].Load() != 14 || n.Discarded.Load() != 16 {
		t.Errorf("%d bytes received, %d discarded; want 14 and 16", n.Received[traffic.FromViewer].Load(), n.Discarded.Load())
	}
}

// TestMemoryForLargeSegments receives a segment of 2.5 MB: memory is taken for it once. A larger one takes no more than
// what it claims at most, before its bytes come.
func TestMemoryForLargeSegments(t *testing.T) {
	for size, most := range map[int64]int{2_500_000: 2_500_000, 60 << 20: maxClaimed} {
		s, c := open(t)
		s.cfg.MaxSegmentBytes = 64 << 20
		requested(t, s, c)
		c.answer(wire.SegmentData, size)
		taken, before := 0, 0
		for received := int64(0); received < min(size, 2_500_000); received += 65_536 {
			s.Message(make([]byte, min(65_536, size-received)))
			s.mu.Lock()
			if s.download == nil {
				s.mu.Unlock()
				break
			}
			if now := cap(s.download.data); now != before {
				taken, before = taken+now, now
			}
			s.mu.Unlock()
		}
		if taken > most+16 {
			t.Errorf("%d bytes of memory were taken for a segment of %d", taken, size)
		}
	}
}
