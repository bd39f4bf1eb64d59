package wire

import (
	"encoding/hex"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

type behaviourCase struct {
	ID, Kind, Note string
	Settings       behaviourSettings
	Log            []behaviourStep
	Events         []string
}

type behaviourSettings struct {
	WebRtcMaxMessageSize          int
	P2PNotReceivingBytesTimeoutMs int
	P2PErrorRetries               int
	HeldBytes                     int64
	KnownTotal                    *int64
	ByteRange                     *struct{ Start, End int64 }
	Stored, InPlaylist            []int64
	SegmentSize                   int
}

type behaviourStep struct {
	Do        string
	Receive   *string
	Sent      []string
	Status    *string
	HeldBytes *int64
	Closed    *bool
}

func TestVectorBehaviour(t *testing.T) {
	var file struct{ Cases []behaviourCase }
	readJSON(t, vectorFile(t, "behaviour.json"), &file)
	if len(file.Cases) == 0 {
		t.Fatal("no cases")
	}
	for _, c := range file.Cases {
		t.Run(c.ID, func(t *testing.T) {
			switch c.Kind {
			case "download":
				runDownloadCase(t, c)
			case "upload":
				runUploadCase(t, c)
			default:
				t.Fatalf("unknown kind %q", c.Kind)
			}
		})
	}
}

// outbox collects what one step sends.
type outbox struct {
	t    *testing.T
	max  int
	sent []string
}

func (o *outbox) commands(cs ...Command) {
	o.t.Helper()
	for _, c := range cs {
		reference, err := EncodeReference(c, o.max)
		if err != nil {
			o.t.Fatal(err)
		}
		safe, err := Encode(c, o.max)
		if err != nil {
			o.t.Fatal(err)
		}
		if diff := cmp.Diff(hexAll(reference), hexAll(safe)); diff != "" {
			o.t.Errorf("safe form differs from the reference's:\n%s", diff)
		}
		o.sent = append(o.sent, hexAll(safe)...)
	}
}

func (o *outbox) take() []string {
	sent := o.sent
	o.sent = nil
	if sent == nil {
		return []string{}
	}
	return sent
}

// downloadDriver plays the reference's loader around a Download.
type downloadDriver struct {
	t      *testing.T
	c      behaviourCase
	d      Download
	joiner Joiner
	out    outbox
	now    time.Time
	id     int64
	held   int64
	total  int64
	closed bool
	events []string
}

var (
	askPattern  = regexp.MustCompile(`^ask for segment (-?\d+)$`)
	waitPattern = regexp.MustCompile(`^wait (\d+) ms$`)
)

func runDownloadCase(t *testing.T, c behaviourCase) {
	s := c.Settings
	r := &downloadDriver{
		t: t, c: c, out: outbox{t: t, max: s.WebRtcMaxMessageSize}, now: time.Unix(1_000_000, 0),
		held: s.HeldBytes, total: -1, joiner: Joiner{Reference: true}, events: []string{"onPeerConnect"},
		d: Download{
			NoBytesTimeout: time.Duration(s.P2PNotReceivingBytesTimeoutMs) * time.Millisecond,
			MaxTimeouts:    s.P2PErrorRetries, Reference: true,
		},
	}
	if s.KnownTotal != nil {
		r.total = *s.KnownTotal
	}
	if s.ByteRange != nil {
		r.total = s.ByteRange.End - s.ByteRange.Start + 1
	}
	for i, step := range c.Log {
		r.step(step)
		if diff := cmp.Diff(step.Sent, r.out.take()); diff != "" {
			t.Errorf("step %d, sent (-want +got):\n%s", i, diff)
		}
		if status := referenceStatus[r.d.State()]; step.Status != nil && *step.Status != status {
			t.Errorf("step %d: status %s, want %s", i, status, *step.Status)
		}
		if step.HeldBytes != nil && *step.HeldBytes != r.held {
			t.Errorf("step %d: %d bytes held, want %d", i, r.held, *step.HeldBytes)
		}
		if step.Closed != nil && *step.Closed != r.closed {
			t.Errorf("step %d: closed is %v", i, r.closed)
		}
	}
	if diff := cmp.Diff(c.Events, r.events); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

var referenceStatus = map[DownloadState]string{
	DownloadIdle: "aborted", DownloadWaiting: "loading", DownloadLoading: "loading",
	DownloadSucceeded: "succeed", DownloadFailed: "failed",
}

func (r *downloadDriver) step(step behaviourStep) {
	r.now = r.now.Add(time.Millisecond)
	if step.Receive != nil {
		r.receive(unhex(r.t, *step.Receive))
		return
	}
	if m := askPattern.FindStringSubmatch(step.Do); m != nil {
		id, err := strconv.ParseInt(m[1], 10, 64)
		if err != nil {
			r.t.Fatal(err)
		}
		r.id = id
		r.ask(step)
	} else if step.Do == "ask again" {
		r.ask(step)
	} else if m := waitPattern.FindStringSubmatch(step.Do); m != nil {
		ms, err := strconv.Atoi(m[1])
		if err != nil {
			r.t.Fatal(err)
		}
		r.now = r.now.Add(time.Duration(ms) * time.Millisecond)
		if at := r.d.Deadline(); !at.IsZero() && !r.now.Before(at) {
			r.apply(r.d.OnTimeout(r.now))
		}
	} else {
		r.t.Fatalf("unknown step %q", step.Do)
	}
}

// ask takes the request id from the vector: the reference draws it at random.
func (r *downloadDriver) ask(step behaviourStep) {
	var j Joiner
	var want Command
	for _, s := range step.Sent {
		if e := j.Push(unhex(r.t, s)); e.Kind == GotCommand {
			want = e.Command
		}
	}
	r.events = append(r.events, "onSegmentStart")
	r.out.commands(r.d.Start(r.id, want.RequestID, r.held, r.total, r.now))
}

func (r *downloadDriver) receive(msg []byte) {
	switch e := r.joiner.PushAt(msg, r.now); e.Kind {
	case GotCommand:
		result := r.d.OnCommand(e.Command, r.now)
		if result.State == DownloadSucceeded && result.Changed && r.rejects() {
			result = r.d.Reject()
		}
		r.apply(result)
	case GotBytes:
		r.apply(r.d.OnBytes(len(msg), r.now))
		r.events = append(r.events, "onChunkDownloaded "+strconv.Itoa(len(msg)))
	}
}

// rejects tells whether the page's validation hook refuses the segment.
func (r *downloadDriver) rejects() bool {
	return strings.Contains(r.c.Note, "validation says no") || strings.Contains(r.c.Note, "validation throws")
}

func (r *downloadDriver) apply(result DownloadResult) {
	r.out.commands(result.Send...)
	r.held = result.Held
	if result.Total >= 0 {
		r.total = result.Total
	}
	if result.DiscardHeld && result.Held != 0 {
		r.t.Errorf("bytes are to be discarded and held: %+v", result)
	}
	if !result.Changed {
		return
	}
	ended := "onSegmentLoaded"
	if result.State == DownloadFailed {
		ended = "onSegmentError " + result.Reason.String()
	}
	closes := result.Close && !r.closed
	r.closed = result.Close
	// The reference closes from inside the timeout, before it reports it.
	switch {
	case closes && result.Reason == FailureTimeout:
		r.events = append(r.events, "onPeerClose", ended)
	case closes:
		r.events = append(r.events, ended, "onPeerClose")
	default:
		r.events = append(r.events, ended)
	}
}

// uploadDriver plays the reference's storage and channel around an Upload.
type uploadDriver struct {
	t        *testing.T
	s        behaviourSettings
	u        Upload
	own      bool // our own answers instead of the reference's
	joiner   Joiner
	out      outbox
	now      time.Time
	ticket   Ticket
	data     []byte
	queue    []Command // waiting for the channel to drain
	off      bool
	narrow   bool
	blocked  bool
	events   []string
	rejected int
}

func newUploadDriver(t *testing.T, s behaviourSettings) *uploadDriver {
	return &uploadDriver{
		t: t, s: s, out: outbox{t: t, max: s.WebRtcMaxMessageSize}, now: time.Unix(1_000_000, 0),
		joiner: Joiner{Reference: true}, u: Upload{Reference: true}, events: []string{},
	}
}

func runUploadCase(t *testing.T, c behaviourCase) {
	r := newUploadDriver(t, c.Settings)
	for i, step := range c.Log {
		r.step(step)
		if diff := cmp.Diff(step.Sent, r.out.take()); diff != "" {
			t.Errorf("step %d, sent (-want +got):\n%s", i, diff)
		}
		if step.Closed != nil && *step.Closed {
			t.Errorf("step %d: an uploader that closes is not known here", i)
		}
	}
	if diff := cmp.Diff(c.Events, r.events); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

func (r *uploadDriver) step(step behaviourStep) {
	r.now = r.now.Add(time.Millisecond)
	if step.Receive != nil {
		if e := r.joiner.PushAt(unhex(r.t, *step.Receive), r.now); e.Kind == GotCommand {
			r.apply(r.u.OnCommand(e.Command, r.now))
		}
		return
	}
	switch step.Do {
	case "uploads switched off":
		r.off = true
	case "channel buffer is full after each write":
		r.narrow = true
	case "channel buffer drained":
		r.blocked = false
		r.pump()
	case "connection opens":
		if !r.off {
			r.out.commands(Command{Code: SegmentsAnnouncement, Loaded: r.s.Stored})
		}
	default:
		r.t.Fatalf("unknown step %q", step.Do)
	}
}

func (r *uploadDriver) apply(result UploadResult) {
	if result.Stopped != 0 && result.Stopped == r.ticket {
		r.data, r.queue, r.ticket, r.blocked = nil, nil, 0, false
	}
	if result.Rejected {
		r.rejected++
	}
	switch {
	case result.Lookup:
		r.lookup(result)
		return
	case result.Begin:
		r.ticket = result.Ticket
		r.data = r.content()[result.From:]
		if int64(len(r.data)) != result.Remaining {
			r.t.Errorf("%d bytes from %d of %d", result.Remaining, result.From, r.s.SegmentSize)
		}
	}
	if r.blocked {
		r.queue = append(r.queue, result.Send...)
		return
	}
	r.out.commands(result.Send...)
	r.pump()
}

func (r *uploadDriver) lookup(result UploadResult) {
	var there, wanted bool
	for _, id := range r.s.Stored {
		there = there || id == result.SegmentID
	}
	for _, id := range r.s.InPlaylist {
		wanted = wanted || id == result.SegmentID
	}
	switch {
	case !wanted && !r.own:
		// The reference does not answer.
	case there && !r.off:
		r.apply(r.u.Serve(result.Ticket, int64(r.s.SegmentSize)))
	default:
		r.apply(r.u.Absent(result.Ticket))
	}
}

func (r *uploadDriver) content() []byte {
	b := make([]byte, r.s.SegmentSize)
	for i := range b {
		b[i] = byte(i)
	}
	return b
}

func (r *uploadDriver) pump() {
	for !r.blocked && (len(r.queue) > 0 || len(r.data) > 0) {
		if len(r.queue) > 0 {
			r.out.commands(r.queue...)
			r.queue = nil
			continue
		}
		n := NextChunk(r.data, r.s.WebRtcMaxMessageSize)
		r.out.sent = append(r.out.sent, hex.EncodeToString(r.data[:n]))
		r.events = append(r.events, "onChunkUploaded "+strconv.Itoa(n))
		r.data = r.data[n:]
		r.blocked = r.narrow
		r.apply(r.u.Sent(r.ticket, n))
	}
}
