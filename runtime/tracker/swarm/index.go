package swarm

import "math/bits"

// buckets is how many classes of busyness an index tells apart.
const buckets = 64

// saturated is the class of seeders that take no more.
const saturated = buckets - 1

// place is where a peer stands in an index: class and position; bucket −1 is nowhere.
type place struct{ bucket, pos int }

// index keeps peers by how busy they are. Adding, removing and moving take constant time (the last of a class
// takes the place of the one that leaves), and so does finding the least busy class.
type index struct {
	classes [][]*Peer // made when the first peer comes: most swarms have no seeder
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
		// A swarm that was large once does not hold its memory for ever.
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

// next returns the least busy class from bucket on that has members, or buckets.
func (x *index) next(bucket int) int {
	if bucket >= buckets {
		return buckets
	}
	return min(buckets, bucket+bits.TrailingZeros64(x.used>>bucket))
}
