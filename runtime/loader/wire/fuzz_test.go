package wire

import (
	"encoding/binary"
	"errors"
	"math"
	"testing"
	"time"
)

func seedCommands(f *testing.F) (messages [][]byte) {
	f.Helper()
	for _, c := range []Command{
		{Code: SegmentsAnnouncement},
		{Code: SegmentsAnnouncement, Loaded: []int64{1000, 1001, -1, 1 << 40}, Loading: []int64{7}},
		{Code: SegmentsAnnouncement, Loaded: span(0, 700)},
		ask(1000, 500, 0), ask(-1, 0, 1<<33), data(1000, 500, 65_536), completed(1000, 500), absent(1000, 500),
		{Code: CancelSegmentRequest, SegmentID: 1000, RequestID: 500},
	} {
		for _, encode := range []func(Command, int) ([][]byte, error){Encode, EncodeReference} {
			for _, size := range []int{24, DefaultMaxMessageSize} {
				chunks, err := encode(c, size)
				if err != nil {
					f.Fatal(err)
				}
				messages = append(messages, chunks...)
			}
		}
	}
	return messages
}

// FuzzDecode holds Decode to the independent model, with and without our own readings.
func FuzzDecode(f *testing.F) {
	f.Add([]byte{})
	for _, m := range seedCommands(f) {
		f.Add(m[markLength : len(m)-markLength])
	}
	f.Add([]byte("\x00l\x10\x01\x02\x01\x00" + string(bytesFrom(0, 256))))
	f.Add([]byte("\x04i\x0f\x7f\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xffr\x02\x01"))
	f.Fuzz(func(t *testing.T, body []byte) {
		c, err := Decode(body)
		if accepted := ownAccepts(body); accepted != (err == nil) {
			t.Fatalf("decoded %+v with error %v, the model accepts: %v", c, err, accepted)
		}
		if err == nil {
			all, modelErr := modelDecode(body, true)
			if modelErr != nil {
				t.Fatal(modelErr)
			}
			project(t, c, all, MaxInteger)
			reencode(t, c)
		} else if !errors.Is(err, ErrUndecodable) {
			t.Fatal(err)
		}
		c, _, err = decode(body, theirs)
		all, modelErr := modelDecode(body, false)
		if (err == nil) != (modelErr == nil) {
			t.Fatalf("error %v, the model says %v", err, modelErr)
		}
		if err == nil && len(body) > 0 {
			project(t, c, all, math.Nextafter(1<<63, 0))
		}
	})
}

// reencode: whatever was decoded and makes sense survives the safe form.
func reencode(t *testing.T, c Command) {
	t.Helper()
	if c.check() == nil {
		checkSafe(t, c, 64)
	}
}

// FuzzJoiner feeds arbitrary messages; the input is cut at lengths that it names itself.
func FuzzJoiner(f *testing.F) {
	for _, m := range seedCommands(f) {
		f.Add(append(binary.BigEndian.AppendUint16(nil, uint16(len(m))), m...), uint16(300))
	}
	f.Add([]byte("\x00\x09cstr.dend\x00\x09dstr.dend\x00\x08dstrcend\x00\x02ab"), uint16(1))
	f.Fuzz(func(t *testing.T, stream []byte, bound uint16) {
		j := Joiner{MaxPending: int(bound) + 1, PendingTimeout: time.Second}
		now := start
		for len(stream) >= 2 {
			n := int(binary.BigEndian.Uint16(stream))
			stream = stream[2:]
			msg := stream[:min(n, len(stream))]
			stream = stream[len(msg):]
			before := j.Pending()
			e := j.PushAt(msg, now)
			now = now.Add(time.Duration(n) * time.Millisecond)
			if (e.Kind == GotBytes) == LooksLikeCommand(msg) || (e.Kind == Ignored) != (e.Drop != NotDropped) {
				t.Fatalf("%x: %+v", msg, e)
			}
			if j.Pending() > j.MaxPending || cap(j.pending) > 4*j.MaxPending+64 {
				t.Fatalf("%d bytes pending, %d reserved", j.Pending(), cap(j.pending))
			}
			switch e.Kind {
			case GotBytes:
				if j.Pending() != before || len(e.Bytes) != len(msg) {
					t.Fatalf("media disturbed joining: %d, then %d", before, j.Pending())
				}
			case GotCommand, Ignored:
				if j.Pending() != 0 {
					t.Fatalf("%d bytes pending after %+v", j.Pending(), e)
				}
			}
			if ids := len(e.Command.Loaded) + len(e.Command.Loading); ids > j.MaxPending {
				t.Fatalf("%d ids out of at most %d bytes", ids, j.MaxPending)
			}
			if d := j.Deadline(); (j.Pending() > 0) != !d.IsZero() {
				t.Fatalf("deadline %v with %d bytes pending", d, j.Pending())
			}
		}
	})
}

// FuzzEncode: everything Encode writes is read by the strict and the lenient reader, with the same content.
func FuzzEncode(f *testing.F) {
	f.Add(byte(0), int64(1000), int64(0), int64(1), uint16(300), uint16(65535), []byte{1, 2, 3})
	f.Add(byte(0), int64(-300), int64(5), int64(256), uint16(900), uint16(24), []byte{0xff, 0, 0xff})
	f.Add(byte(0), int64(0), int64(5), int64(256), uint16(700), uint16(9), []byte{})
	f.Add(byte(1), int64(1000), int64(500), int64(10), uint16(0), uint16(16), []byte{})
	f.Add(byte(2), int64(1)<<52, int64(-1), int64(1)<<40, uint16(0), uint16(8), []byte{})
	f.Add(byte(6), int64(math.MinInt64), int64(math.MaxInt64), int64(-1), uint16(0), uint16(0), []byte{})
	f.Fuzz(func(t *testing.T, code byte, a, b, step int64, n, limit uint16, extra []byte) {
		c := Command{Code: Code(code), SegmentID: a, RequestID: b, From: step, Size: step}
		for i := range int64(n % 2000) {
			c.Loaded = append(c.Loaded, a+i*step)
		}
		for i, e := range extra {
			c.Loading = append(c.Loading, b+int64(e)<<(i%40))
		}
		chunks, err := EncodeReference(c, int(limit)+1)
		if (err != nil) != (c.Code > CancelSegmentRequest) || err == nil && len(chunks) == 0 {
			t.Fatalf("%d chunks, error %v", len(chunks), err)
		}
		if c.check() != nil || c.Code > CancelSegmentRequest {
			if _, err := Encode(c, int(limit)); !errors.Is(err, ErrNotEncodable) {
				t.Fatalf("%+v: error %v", c, err)
			}
			return
		}
		if limit > 0 {
			checkSafe(t, c, int(limit))
		}
	})
}
