package wire

import "time"

// Defaults of a Joiner.
const (
	// DefaultMaxPending, in bytes, bounds the body of one command. An announcement with both lists full has 133 kB.
	DefaultMaxPending = 256 << 10
	// DefaultPendingTimeout bounds the time between the first and the last chunk of a command.
	DefaultPendingTimeout = 10 * time.Second
)

// EventKind tells what a received message was.
type EventKind uint8

// The kinds of an Event.
const (
	// Ignored: a command chunk or command that must be dropped; Event.Drop tells why.
	Ignored EventKind = iota
	// Waiting: a chunk of a command, more are needed.
	Waiting
	// GotCommand: Event.Command is complete.
	GotCommand
	// GotBytes: segment bytes in Event.Bytes, possibly none.
	GotBytes
)

// DropReason tells why a message was ignored, for metrics.
type DropReason uint8

// The reasons for Ignored.
const (
	// NotDropped: the message was used.
	NotDropped DropReason = iota
	// DropNoFirst: a further chunk came while nothing was pending.
	DropNoFirst
	// DropInterrupted: a first chunk came while a command was pending; both are gone.
	DropInterrupted
	// DropTooLarge: the command grew beyond MaxPending.
	DropTooLarge
	// DropUndecodable: the body is not a command.
	DropUndecodable
	// DropExpired: a further chunk came after the pending command's deadline; both are gone.
	DropExpired
)

// String returns the reason as a metric label value.
func (r DropReason) String() string {
	switch r {
	case NotDropped:
		return "none"
	case DropNoFirst:
		return "no_first_chunk"
	case DropInterrupted:
		return "interrupted"
	case DropTooLarge:
		return "too_large"
	case DropUndecodable:
		return "undecodable"
	case DropExpired:
		return "expired"
	}
	return "unknown"
}

// Event is what one message of the data channel turned out to be.
type Event struct {
	Kind    EventKind
	Drop    DropReason
	Command Command // with GotCommand; shares no memory with the message
	Bytes   []byte  // with GotBytes; the message itself
}

// Joiner tells segment bytes from commands on one connection and joins commands that came in several chunks, as
// p2p-media-loader 2.3.1 does. The zero value is ready. A peer can make it hold at most MaxPending bytes.
type Joiner struct {
	// MaxPending bounds the bytes of one command body; DefaultMaxPending when 0.
	MaxPending int
	// PendingTimeout bounds the time a command may be pending; DefaultPendingTimeout when 0. It needs PushAt.
	PendingTimeout time.Duration
	// Reference passes on every command that p2p-media-loader 2.3.1 decodes: unknown codes, empty bodies, announcements
	// with unreadable lists, rounded numbers. For comparison with recorded decisions only.
	Reference bool

	pending []byte
	since   time.Time
}

// Push takes the next message, without a time limit for pending commands.
func (j *Joiner) Push(msg []byte) Event { return j.PushAt(msg, time.Time{}) }

// PushAt takes the next message, received at now. A pending command whose time is over is dropped first.
func (j *Joiner) PushAt(msg []byte, now time.Time) Event {
	if !LooksLikeCommand(msg) {
		return Event{Kind: GotBytes, Bytes: msg}
	}
	expired := j.Expire(now)
	body := msg[markLength : len(msg)-markLength]
	first, last := msg[0] == startFirst[0], msg[len(msg)-markLength] == endLast[0]
	switch {
	case expired && !first:
		return Event{Drop: DropExpired}
	case len(j.pending) == 0 && !first:
		return Event{Drop: DropNoFirst}
	case len(j.pending) > 0 && first:
		j.Reset()
		return Event{Drop: DropInterrupted}
	case len(j.pending)+len(body) > j.maxPending():
		j.Reset()
		return Event{Drop: DropTooLarge}
	case first && last:
		return j.complete(body)
	}
	if len(j.pending) == 0 {
		j.since = now
	}
	j.pending = append(j.pending, body...)
	if !last {
		return Event{Kind: Waiting}
	}
	e := j.complete(j.pending)
	j.Reset()
	return e
}

func (j *Joiner) complete(body []byte) Event {
	if j.Reference {
		if c, _, err := decode(body, theirs); err == nil {
			return Event{Kind: GotCommand, Command: c}
		}
		return Event{Drop: DropUndecodable}
	}
	c, err := Decode(body)
	if err != nil {
		return Event{Drop: DropUndecodable}
	}
	return Event{Kind: GotCommand, Command: c}
}

// Pending returns the number of body bytes collected for a command that is not complete.
func (j *Joiner) Pending() int { return len(j.pending) }

// Deadline returns when the pending command will be dropped; the zero time when nothing is pending or no time was given.
func (j *Joiner) Deadline() time.Time {
	if len(j.pending) == 0 || j.since.IsZero() {
		return time.Time{}
	}
	timeout := j.PendingTimeout
	if timeout <= 0 {
		timeout = DefaultPendingTimeout
	}
	return j.since.Add(timeout)
}

// Expire drops the pending command if its deadline has come, and tells whether it did.
func (j *Joiner) Expire(now time.Time) bool {
	deadline := j.Deadline()
	if deadline.IsZero() || now.Before(deadline) {
		return false
	}
	j.Reset()
	return true
}

// Reset drops the pending command and its memory.
func (j *Joiner) Reset() {
	j.pending = nil
	j.since = time.Time{}
}

func (j *Joiner) maxPending() int {
	if j.MaxPending <= 0 {
		return DefaultMaxPending
	}
	return j.MaxPending
}
