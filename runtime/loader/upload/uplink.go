package upload

import (
	"context"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
)

// minChunk is the smallest media message sent under a tight uplink, in bytes:
// below it the per-message cost outweighs the payload.
const minChunk = 2 << 10

// Uplink shares an upload bandwidth fairly among all uploads of a process.
//
// A receiver of p2p-media-loader gives up on a peer that sends nothing for
// 2 s. Under a tight limit the chunks are therefore made so small that each of
// the running uploads gets its turn about every half second.
type Uplink struct {
	limiter *rate.Limiter // nil: no limit
	perSec  int64
	active  atomic.Int64
	used    atomic.Int64
}

// NewUplink returns an uplink of the given bytes per second; 0 means no limit.
func NewUplink(bytesPerSecond int64) *Uplink {
	u := &Uplink{perSec: bytesPerSecond}
	if bytesPerSecond > 0 {
		burst := max(int(bytesPerSecond/20), 64<<10)
		u.limiter = rate.NewLimiter(rate.Limit(bytesPerSecond), burst)
	}
	return u
}

// Limit is the limit in bytes per second; 0 means none.
func (u *Uplink) Limit() int64 { return u.perSec }

// Sent is the number of bytes admitted so far.
func (u *Uplink) Sent() int64 { return u.used.Load() }

// Active is the number of running uploads.
func (u *Uplink) Active() int { return int(u.active.Load()) }

func (u *Uplink) begin() { u.active.Add(1) }
func (u *Uplink) end()   { u.active.Add(-1) }

// chunk is the largest message to send now, at most limit bytes.
func (u *Uplink) chunk(limit int) int {
	if u.limiter == nil {
		return limit
	}
	share := u.perSec / 2 / max(u.active.Load(), 1)
	return min(limit, max(int(share), minChunk))
}

// wait admits n bytes. Waiters are served in the order of their arrival, and
// each upload has one chunk waiting at most, so that the shares are equal.
func (u *Uplink) wait(ctx context.Context, n int) error {
	if u.limiter != nil {
		if err := u.limiter.WaitN(ctx, min(n, u.limiter.Burst())); err != nil {
			return err
		}
	}
	u.used.Add(int64(n))
	return nil
}

// uploadPatience is how long a peer waits for bytes before it gives up
// (p2pNotReceivingBytesTimeoutMs of p2p-media-loader 2.x).
const uploadPatience = 2 * time.Second
