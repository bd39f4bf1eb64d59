package swarm

import (
	"math"
	"time"
)

// deliveredHalf is in what time half of what a viewer delivered is forgotten.
const deliveredHalf = time.Minute

// mostDelivered bounds what a viewer is believed to have delivered in a second, in bytes: a gigabit.
const mostDelivered = 125_000_000

// decaying is a number of bytes of which half is forgotten every deliveredHalf.
type decaying struct {
	bytes float64
	at0   time.Time
}

func (d *decaying) at(now time.Time) float64 {
	if d.bytes == 0 {
		return 0
	}
	return d.bytes * math.Exp2(-max(0, now.Sub(d.at0).Seconds())/deliveredHalf.Seconds())
}

func (d *decaying) add(bytes float64, now time.Time) { d.bytes, d.at0 = d.at(now)+bytes, now }

// Bounds of the rhythm in which a viewer is taken to report.
const (
	fastestReports = 2 * time.Second
	slowestReports = time.Minute
)

// Delivered notes that a viewer reported to have uploaded that many bytes to peers since its report before; 0 counts as well:
// it shows that the viewer is alive. Viewers can invent these numbers: they only decide who becomes a gateway, and never who
// all gateways are.
func (c *Core) Delivered(sock *Socket, bytes int64, now time.Time) {
	if sock.closed || sock.Seeder {
		return
	}
	c.clock = now
	if !sock.reported.IsZero() {
		sock.rhythm = min(max(now.Sub(sock.reported), fastestReports), slowestReports)
	} else {
		sock.reporting = now
	}
	sock.reported = now
	c.heard(sock, now)
	sock.delivered.add(min(max(float64(bytes), 0), mostDelivered*sock.rhythm.Seconds()), now)
}

// Delivered is how many bytes the socket's client is believed to have delivered lately.
func (s *Socket) Delivered(now time.Time) float64 { return s.delivered.at(now) }

// heard notes a sign of life.
func (c *Core) heard(sock *Socket, now time.Time) { sock.heard = now }

// idle reports whether a viewer that has reported for long says that it delivers nothing.
func (s *Socket) idle(now time.Time) bool {
	return !s.reporting.IsZero() && now.Sub(s.reporting) > idleAfter && s.delivered.at(now) < 1
}

// silent reports whether p is, although its socket is open.
func (p *Peer) silent(now time.Time) bool { return now.Sub(p.sock.heard) > p.silentAfter() }

// silentAfter is for how long a gateway may be silent: three reports, if it reports, otherwise a bit more than its interval.
func (p *Peer) silentAfter() time.Duration {
	cfg := p.swarm.cfg
	announces := p.interval + cfg.GatewaySilence
	if p.sock.rhythm > 0 {
		return min(announces, max(3*p.sock.rhythm, cfg.GatewaySilence))
	}
	return announces
}
