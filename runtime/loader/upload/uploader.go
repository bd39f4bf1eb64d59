package upload

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/traffic"
	"github.com/p2pstream/p2pstream/runtime/loader/wire"
)

// maxDuration is how long one upload may take. A peer that reads more slowly keeps what it has and asks another peer
// for the rest.
const maxDuration = 2 * time.Minute

// Config says what an Uploader sends, and through what.
type Config struct {
	Uplink         *Uplink
	Counters       *traffic.Recorder
	MaxMessageSize int // bytes of a data-channel message

	Lookup func(id int64) ([]byte, bool)                // bytes of a held segment, by the peer's id for it
	Send   func(wire.Command)                           // queues a command to the peer
	Write  func(ctx context.Context, data []byte) error // sends media bytes; waits while the connection's queue is full
	Go     func(func())                                 // starts a goroutine that the engine waits for when it ends
}

// Uploader answers the requests of one connection, one at a time; a new request
// replaces the running one. It has a goroutine only while it sends.
type Uploader struct {
	ctx context.Context //nolint:containedctx // the life of the rendition that the uploads belong to
	cfg Config

	mu        sync.Mutex // guards the machine and the running upload
	machine   wire.Upload
	cancelRun context.CancelFunc
	running   chan struct{} // closed when the last upload's goroutine ended; nil if there was none
	stopped   bool
}

// New returns an uploader without requests. Its uploads end with ctx.
func New(ctx context.Context, cfg Config) *Uploader { return &Uploader{ctx: ctx, cfg: cfg} }

// Request looks the segment up and starts sending it, or says that it is absent.
func (u *Uploader) Request(c wire.Command, now time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.stopped {
		return
	}
	result := u.machine.OnCommand(c, now)
	if result.Stopped != 0 {
		u.halt()
	}
	u.sendAll(result)
	if !result.Lookup {
		return
	}
	data, ok := u.cfg.Lookup(result.SegmentID)
	if !ok {
		u.cfg.Counters.RequestsAbsent.Add(1)
		u.sendAll(u.machine.Absent(result.Ticket))
		return
	}
	begin := u.machine.Serve(result.Ticket, int64(len(data)))
	if !begin.Begin {
		u.sendAll(begin)
		return
	}
	u.start(begin, data[begin.From:])
}

// start sends the header and the bytes from a goroutine of its own, after the
// last upload's goroutine has ended: its bytes must not follow the new header.
func (u *Uploader) start(begin wire.UploadResult, data []byte) {
	previous := u.running
	done := make(chan struct{})
	ctx, cancel := context.WithTimeoutCause(u.ctx, maxDuration, errSlowReader)
	u.running, u.cancelRun = done, cancel
	u.cfg.Go(func() {
		defer close(done)
		defer cancel()
		if previous != nil {
			<-previous
		}
		u.cfg.Uplink.begin()
		defer u.cfg.Uplink.end()
		u.run(ctx, begin, data)
	})
}

func (u *Uploader) run(ctx context.Context, begin wire.UploadResult, data []byte) {
	u.mu.Lock()
	if ctx.Err() == nil {
		u.sendAll(begin)
	}
	u.mu.Unlock()
	defer u.expired(ctx, begin.Ticket)
	for {
		n := wire.NextChunk(data, u.cfg.Uplink.chunk(u.cfg.MaxMessageSize))
		if n > 0 {
			if u.cfg.Uplink.wait(ctx, n) != nil || u.cfg.Write(ctx, data[:n]) != nil {
				return
			}
			data = data[n:]
			u.cfg.Counters.Uploaded.Add(int64(n))
		}
		u.mu.Lock()
		if ctx.Err() != nil {
			u.mu.Unlock()
			return
		}
		result := u.machine.Sent(begin.Ticket, n)
		u.sendAll(result)
		u.mu.Unlock()
		if result.Done || n == 0 {
			return
		}
	}
}

var errSlowReader = errors.New("the upload took too long")

// expired tells a peer that read too slowly that it will get no more. Otherwise it could keep the bytes of an evicted
// segment in memory for as long as it likes.
func (u *Uploader) expired(ctx context.Context, t wire.Ticket) {
	if !errors.Is(context.Cause(ctx), errSlowReader) {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if result := u.machine.Absent(t); len(result.Send) > 0 {
		u.cfg.Counters.UploadsExpired.Add(1)
		u.sendAll(result)
	}
}

// Cancel takes a command that ends the running upload.
func (u *Uploader) Cancel(c wire.Command, now time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	result := u.machine.OnCommand(c, now)
	if result.Stopped != 0 {
		u.halt()
	}
	u.sendAll(result)
}

// Stop ends the running upload and refuses all later requests; the connection is closed.
func (u *Uploader) Stop() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.stopped = true
	u.halt()
}

func (u *Uploader) halt() {
	if u.cancelRun != nil {
		u.cancelRun()
	}
}

func (u *Uploader) sendAll(result wire.UploadResult) {
	for _, c := range result.Send {
		u.cfg.Send(c)
	}
}
