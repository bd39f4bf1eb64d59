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
}

func (x *index) add(p *Peer, bucket int) {
	if x.classes == nil {
		x.classes = make([][]*Peer, buckets)
	}
	p.place = place{bucket, len(x.classes[bucket])}
	x.classes[bucket] = append(x.classes[bucket], p)
	x.used |= 1 << bucket
	x.n++
}

func (x *index) remove(p *Peer) {
	class := x.classes[p.place.bucket]
	last := class[len(class)-1]
	class[p.place.pos] = last
	last.place.pos = p.place.pos
	class[len(class)-1] = nil
	class = class[:len(class)-1]
	if len(class) == 0 {
		x.used &^= 1 << p.place.bucket
		// Release the memory of a swarm that was large once.
		if cap(class) > 1024 {
			class = nil
		}
	}
	x.classes[p.place.bucket] = class
	p.place = place{-1, 0}
	x.n--
}

func (x *index) move(p *Peer, bucket int) {
	if p.place.bucket == bucket {
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
