package telemetry

import (
	"fmt"
	"time"
)

// Media is what a stream can deliver to one viewer.
type Media struct {
	// BitsPerSecond is the rate of its highest renditions, with room for peaks; 0: not known, then only the caps of
	// Config count.
	BitsPerSecond int64
	// Ahead is how many bytes of it a viewer can receive ahead of time: of a live stream its window, of a film all of it.
	Ahead int64
}

// SetMedia says what the stream can deliver from now on.
func (a *Aggregate) SetMedia(m Media) { a.media = m }

// budget is how many bytes a session may still claim: what its line can have carried, in each direction, and what the
// stream can have delivered. It grows with time. What is not used is kept only up to what is available at once, so a
// session cannot save for a claim, and what is available at once is granted once and not with each report.
type budget struct {
	received, uploaded, media float64
	known                     bool // whether media has a value
}

func (a *Aggregate) newBudget() budget {
	return budget{received: float64(a.cfg.BurstBytes), uploaded: float64(a.cfg.BurstBytes)}
}

// grant returns the budget after some time.
func (a *Aggregate) grant(b budget, role Role, elapsed time.Duration) budget {
	bits := a.cfg.MaxBitsPerSecond
	if role == RoleSeeder {
		bits = a.cfg.SeederCap
	}
	burst, more := float64(a.cfg.BurstBytes), float64(bits)/8*elapsed.Seconds()
	b.received, b.uploaded = min(b.received, burst)+more, min(b.uploaded, burst)+more
	if a.media.BitsPerSecond <= 0 || role == RoleSeeder {
		b.known = false
		return b
	}
	ahead := float64(a.media.Ahead)
	if !b.known {
		b.media, b.known = ahead, true
	}
	b.media = min(b.media, ahead) + float64(a.media.BitsPerSecond)/8*elapsed.Seconds()
	return b
}

// spend takes bytes that were claimed. It refuses more than the line can have carried.
func (b *budget) spend(claim Counters) error {
	b.received -= float64(claim.Received())
	b.uploaded -= float64(claim.Uploaded)
	if b.received < 0 || b.uploaded < 0 {
		return refuse(TooMuch, fmt.Sprintf("%.0f bytes more than a line can carry in this time", max(-b.received, -b.uploaded)))
	}
	return nil
}

// spendMedia returns the part of a claim that the stream can have delivered, and the rest of the bytes. It cuts and does
// not refuse: a playlist may state lower rates than its segments have, and a viewer that is refused once would claim even
// more in its next report.
func (b *budget) spendMedia(claim Counters) (counted Counters, excess int64) {
	received := claim.Received()
	if !b.known || float64(received) <= b.media {
		b.media -= float64(received)
		return claim, 0
	}
	counted = claim.scale(max(b.media, 0) / float64(received))
	counted.Uploaded = claim.Uploaded
	b.media = 0
	return counted, received - counted.Received()
}

// longestGap is for how long before its first report to this tracker a session can have received bytes that no tracker has
// acknowledged: trackers that are away for longer lose a part of the counts.
const longestGap = 15 * time.Minute

// claimable is the time for which a session that is not known here may claim bytes.
func (a *Aggregate) claimable(from Sender, elapsed time.Duration, now time.Time) time.Duration {
	if from.Role == RoleSeeder {
		return elapsed
	}
	if !from.Vouched.IsZero() { // the other tracker has counted what came before
		elapsed = min(elapsed, now.Sub(from.Vouched)+a.cfg.Interval)
	}
	return max(0, min(elapsed, longestGap))
}
