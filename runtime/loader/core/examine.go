package core

import (
	"slices"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/schedule"
)

// Examination is of a whole segment, before it is stored. Until its result is there the segment counts as being fetched, so
// that it is neither asked for again nor stored.
type Examination struct {
	Segment *Segment
	Data    []byte
	From    Peer // that delivered the end of it; nil: none was asked
	Origin  bool // the end of it came from the origin

	attempt int64
}

// Verdict is what the hash of a segment says.
type Verdict int

// The verdicts: the bytes are the origin's, or others; no hash of the segment is known, or it did not come in time.
const (
	Right Verdict = iota
	Wrong
	Unknown
	Unproven
)

// trust forgets the peers that gave bytes: they are checked, or dropped.
func (s *Segment) trust() {
	s.Peers, s.proven = nil, 0
	s.Readers.Reveal()
}

// distrust notes that a peer continues the bytes held. Players see nothing of what it brings before it is checked.
func (c *Core) distrust(seg *Segment, p Peer, held int) {
	if !c.driver.Checks() {
		return
	}
	if len(seg.Peers) == 0 {
		seg.proven = held
	}
	if !slices.Contains(seg.Peers, p) {
		seg.Peers = append(seg.Peers, p)
	}
	seg.Readers.Withhold(seg.proven)
}

// withhold shows players nothing of a segment before it is verified.
func (c *Core) withhold(seg *Segment) {
	if c.driver.Verifies() {
		seg.Readers.Withhold(0)
	}
}

// check begins to check a whole segment that has bytes from peers; false if there is nothing to check it with.
func (c *Core) check(seg *Segment, data []byte, origin bool, now time.Time) bool {
	if !c.driver.Checks() || len(seg.Peers) == 0 {
		return false
	}
	seg.transfer = c.driver.Check(c.examine(seg, data, origin, now))
	return true
}

// verify begins to compare a whole segment with the origin's bytes; false if that is not wanted.
func (c *Core) verify(seg *Segment, data []byte, origin bool, now time.Time) bool {
	if !c.driver.Verifies() {
		return false
	}
	seg.transfer = c.driver.Verify(c.examine(seg, data, origin, now))
	return true
}

func (c *Core) examine(seg *Segment, data []byte, origin bool, now time.Time) Examination {
	e := Examination{Segment: seg, Data: data, From: seg.From, Origin: origin}
	if seg.State == schedule.Fetching {
		seg.transfer.Stop() // a peer delivered first, or the transfer has ended
	}
	seg.Attempt++ // what a transfer that has just ended reports concerns this one no more
	e.attempt = seg.Attempt
	seg.State, seg.since, seg.From = schedule.Fetching, now, nil
	return e
}

// Runs tells whether the result of an examination is still waited for.
func (c *Core) Runs(e Examination) bool {
	return e.Segment.State == schedule.Fetching && e.Segment.Attempt == e.attempt && c.Current(e.Segment)
}

// Checked takes the result of a check.
func (c *Core) Checked(e Examination, v Verdict, now time.Time) {
	if !c.Runs(e) {
		c.driver.Discard(e.Data)
		return
	}
	seg := e.Segment
	switch v {
	case Wrong:
		c.accuse(seg.Peers, now)
		c.dropUnproven(e)
		return
	case Unproven:
		seg.Unproven++
		c.dropUnproven(e)
		return
	}
	seg.From = e.From
	if !c.verify(seg, e.Data, e.Origin, now) {
		c.take(seg, e.Data, e.Origin, now)
	}
}

// Verified takes the result of a comparison.
func (c *Core) Verified(e Examination, same bool, now time.Time) {
	switch seg := e.Segment; {
	case !c.Runs(e):
		c.driver.Discard(e.Data)
	case !same:
		c.reject(e, now)
	default:
		seg.From = e.From
		c.take(seg, e.Data, e.Origin, now)
	}
}

// accuse cuts off the peer that gave wrong bytes. If several gave bytes, it is not known which of them did.
func (c *Core) accuse(peers []Peer, now time.Time) {
	for _, p := range peers {
		if len(peers) == 1 {
			p.Convict()
			return
		}
		c.blame(p, now)
	}
}

// dropUnproven drops what peers gave of a segment, and keeps what the origin had given before.
func (c *Core) dropUnproven(e Examination) {
	seg := e.Segment
	proven := min(seg.proven, len(e.Data))
	c.driver.Discard(e.Data[proven:])
	seg.transfer.Stop()
	seg.claimed, seg.NotFrom = -1, e.From
	seg.trust()
	c.missing(seg, e.Data[:proven:proven])
}

// reject drops a segment that is not the origin's.
func (c *Core) reject(e Examination, now time.Time) {
	seg := e.Segment
	c.driver.Discard(e.Data)
	seg.transfer.Stop()
	seg.claimed, seg.NotFrom = -1, e.From
	seg.trust()
	c.missing(seg, nil)
	if e.From != nil {
		c.blame(e.From, now)
	}
	if e.Origin {
		c.Failed(seg, now) // it gives other bytes each time: it is not asked again at once
	}
}

// Withdrawn drops a segment that is held: the origin gives other bytes for it by now.
func (c *Core) Withdrawn(seg *Segment) {
	c.store.Remove(seg.Key)
	c.missing(seg, nil)
}
