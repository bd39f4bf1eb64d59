package swarm

import "math/bits"

// buckets is the number of load classes in an index.
const buckets = 64

// saturated is the class of seeders that accept no more connections.
const saturated = buckets - 1

// untrusted is the first class of viewers that are not trusted.
const untrusted = 48

// place is a peer's position in an index: its class and the position there; bucket −1 means not in the index.
type place struct{ bucket, pos int }

// index sorts peers into classes by load. Adding, removing and moving take constant time (the last peer of a class
// fills the position of the removed one), and so does finding the least loaded class.
type index struct {
	classes [][]*Peer // allocated with the first peer: most swarms have no seeder
	used    uint64
	n       int
	// inner says that the positions are in Peer.inner: a seeder may be in two indexes.
	inner bool
}

func (x *index) at(p *Peer) *place {
	if x.inner {
		return &p.inner
	}
	return &p.place
}

func (x *index) add(p *Peer, bucket int) {
	if x.classes == nil {
		x.classes = make([][]*Peer, buckets)
	}
	*x.at(p) = place{bucket, len(x.classes[bucket])}
	x.classes[bucket] = append(x.classes[bucket], p)
	x.used |= 1 << bucket
	x.n++
}

func (x *index) remove(p *Peer) {
	at := x.at(p)
	class := x.classes[at.bucket]
	last := class[len(class)-1]
	class[at.pos] = last
	x.at(last).pos = at.pos
	class[len(class)-1] = nil
	class = class[:len(class)-1]
	if len(class) == 0 {
		x.used &^= 1 << at.bucket
		// Release the memory of a swarm that was large once.
		if cap(class) > 1024 {
			class = nil
		}
	}
	x.classes[at.bucket] = class
	*at = place{-1, 0}
	x.n--
}

func (x *index) move(p *Peer, bucket int) {
	if x.at(p).bucket == bucket {
		return
	}
	x.remove(p)
	x.add(p, bucket)
}

// next returns the least loaded class with members, starting at bucket; if there is none, it returns buckets.
func (x *index) next(bucket int) int {
	if bucket >= buckets {
		return buckets
	}
	return min(buckets, bucket+bits.TrailingZeros64(x.used>>bucket))
}
