package loader

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/wire"
)

// uploader answers the requests of one connection: one at a time, a new one
// replaces the old one. Only while bytes flow it has a goroutine.
type uploader struct {
	s *session

	mu        sync.Mutex // guards the machine and the running upload
	machine   wire.Upload
	cancelRun context.CancelFunc
	running   chan struct{} // closed when the last upload's goroutine ended; nil if there was none
	stopped   bool
}

// request looks the segment up and starts sending it, or says that it is absent.
func (u *uploader) request(c wire.Command, now time.Time) {
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
	data, ok := u.lookup(result.SegmentID)
	if !ok {
		u.s.r.e.counters.RequestsAbsent.Add(1)
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

func (u *uploader) lookup(id int64) ([]byte, bool) {
	e := u.s.r.e
	if e.cfg.UploadDisabled {
		return nil, false
	}
	key, ok := u.s.r.index.Held(u.s.generation, id)
	if !ok {
		return nil, false
	}
	return e.store.Get(key)
}

// start sends the header and the bytes from a goroutine of its own, after the
// last upload's goroutine is gone: its bytes must not follow our header.
func (u *uploader) start(begin wire.UploadResult, data []byte) {
	previous := u.running
	done := make(chan struct{})
	ctx, cancel := context.WithTimeoutCause(u.s.r.ctx, uploadLimit, errSlowReader)
	u.running, u.cancelRun = done, cancel
	u.s.r.e.work.Go(func() {
		defer close(done)
		defer cancel()
		if previous != nil {
			<-previous
		}
		uplink := u.s.r.e.uplink
		uplink.begin()
		defer uplink.end()
		u.run(ctx, begin, data)
	})
}

func (u *uploader) run(ctx context.Context, begin wire.UploadResult, data []byte) {
	e := u.s.r.e
	u.mu.Lock()
	if ctx.Err() == nil {
		u.sendAll(begin)
	}
	u.mu.Unlock()
	defer u.expired(ctx, begin.Ticket)
	for {
		n := wire.NextChunk(data, e.uplink.chunk(e.cfg.MaxMessageSize))
		if n > 0 {
			if e.uplink.wait(ctx, n) != nil || u.s.peer.SendWait(ctx, data[:n]) != nil {
				return
			}
			data = data[n:]
			e.counters.Uploaded.Add(int64(n))
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

// expired tells a peer that read too slowly that it will get no more: the bytes of a segment that it alone still reads
// must not stay for as long as it likes.
func (u *uploader) expired(ctx context.Context, t wire.Ticket) {
	if !errors.Is(context.Cause(ctx), errSlowReader) {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if result := u.machine.Absent(t); len(result.Send) > 0 {
		u.s.r.e.counters.UploadsExpired.Add(1)
		u.sendAll(result)
	}
}

func (u *uploader) cancel(c wire.Command, now time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	result := u.machine.OnCommand(c, now)
	if result.Stopped != 0 {
		u.halt()
	}
	u.sendAll(result)
}

// stop ends the running upload for good; the connection is gone.
func (u *uploader) stop() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.stopped = true
	u.halt()
}

func (u *uploader) halt() {
	if u.cancelRun != nil {
		u.cancelRun()
	}
}

func (u *uploader) sendAll(result wire.UploadResult) {
	for _, c := range result.Send {
		u.s.send(c)
	}
}
