package wire

import (
	"cmp"
	"slices"
)

const blockSize = 256

// block collects the ids that share all but their low byte.
type block struct {
	prefix int64
	n      int       // ids to send
	at     int       // where its low bytes start in grouping.low
	seen   [4]uint64 // low bytes met so far
	drop   bool      // does not fit into 255 groups
	thin   bool      // its lowest id is left out to save a group
}

// grouping is a list of ids ordered for the wire: blocks in order of first appearance, ids inside in their order.
type grouping struct {
	blocks []block
	low    []byte
	left   int // distinct ids left out
}

// add notes a low byte and tells whether it is new.
func (b *block) add(low byte) bool {
	bit := uint64(1) << (low & 63)
	if b.seen[low>>6]&bit != 0 {
		return false
	}
	b.seen[low>>6] |= bit
	b.n++
	return true
}

// blockIndex finds blocks by prefix. Ids mostly come in ascending runs, so the block of the id before is tried first, a
// prefix above all others is new, and only a list in another order needs the map.
type blockIndex struct {
	last, highest int // positions of blocks
	byPrefix      map[int64]int
}

func (x *blockIndex) find(g *grouping, prefix int64) int {
	switch {
	case len(g.blocks) > 0 && g.blocks[x.last].prefix == prefix:
		return x.last
	case len(g.blocks) == 0 || prefix > g.blocks[x.highest].prefix:
		x.last = x.append(g, prefix)
		x.highest = x.last
		return x.last
	case x.byPrefix == nil:
		x.byPrefix = make(map[int64]int, 2*len(g.blocks))
		for i, b := range g.blocks {
			x.byPrefix[b.prefix] = i
		}
	}
	i, ok := x.byPrefix[prefix]
	if !ok {
		i = x.append(g, prefix)
	}
	x.last = i
	return i
}

func (x *blockIndex) append(g *grouping, prefix int64) int {
	g.blocks = append(g.blocks, block{prefix: prefix})
	if x.byPrefix != nil {
		x.byPrefix[prefix] = len(g.blocks) - 1
	}
	return len(g.blocks) - 1
}

// group sorts ids into blocks, each id once.
func group(ids []int64) grouping {
	var g grouping
	var x blockIndex
	of := make([]int32, len(ids)) // block of each id, -1 for a duplicate
	total := 0
	for i, id := range ids {
		at := x.find(&g, id&^0xff)
		if !g.blocks[at].add(byte(id)) {
			of[i] = -1
			continue
		}
		of[i] = int32(at)
		total++
	}
	g.low = make([]byte, total)
	at := 0
	for i := range g.blocks {
		g.blocks[i].at = at
		at += g.blocks[i].n
		g.blocks[i].n = 0
	}
	for i, id := range ids {
		if of[i] < 0 {
			continue
		}
		b := &g.blocks[of[i]]
		g.low[b.at+b.n] = byte(id)
		b.n++
	}
	return g
}

// fit leaves out the oldest ids until at most 255 groups remain: first whole blocks beyond the newest 255, then single
// ids of the oldest full blocks, each of which saves the second group of its block.
func (g *grouping) fit() {
	groups := 0
	for i := range g.blocks {
		groups += g.blocks[i].groups()
	}
	if groups <= maxGroups {
		return
	}
	order := make([]int, len(g.blocks))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(g.blocks[a].prefix, g.blocks[b].prefix) })
	for len(order) > maxGroups {
		b := &g.blocks[order[0]]
		groups -= b.groups()
		b.drop = true
		g.left += b.n
		order = order[1:]
	}
	for _, i := range order {
		if groups <= maxGroups {
			return
		}
		if b := &g.blocks[i]; b.n == blockSize {
			b.thin = true
			g.left++
			groups--
		}
	}
}

// groups is the number of groups the block needs.
func (b *block) groups() int {
	if b.n == blockSize {
		return 2
	}
	return 1
}

// Thinned returns how many different ids Encode leaves out of an announced list because they do not fit into the 255
// groups that one list can carry. It is for a metric; it costs as much as encoding.
func Thinned(ids []int64) int {
	g := group(ids)
	g.fit()
	return g.left
}

func appendSafeList(dst []byte, ids []int64) []byte {
	g := group(ids)
	g.fit()
	dst = append(dst, typeArray<<4, 0)
	count := len(dst) - 1
	groups := 0
	for i := range g.blocks {
		b := &g.blocks[i]
		if b.drop {
			continue
		}
		low := g.low[b.at : b.at+b.n]
		if b.thin {
			// The lowest of the block's ids; all 256 are there, so it is the one with low byte 0.
			zero := slices.Index(low, 0)
			low = slices.Delete(low, zero, zero+1)
		}
		if len(low) == blockSize {
			dst = appendGroup(dst, b.prefix, low[:blockSize/2])
			low = low[blockSize/2:]
			groups++
		}
		dst = appendGroup(dst, b.prefix, low)
		groups++
	}
	dst[count] = byte(groups)
	return dst
}

func appendGroup(dst []byte, prefix int64, low []byte) []byte {
	return append(appendInteger(dst, prefix|int64(len(low)&0xff)), low...)
}

// appendReferenceList keeps duplicates and lets both counts wrap, as the reference does.
func appendReferenceList(dst []byte, ids []int64) []byte {
	var order []int64
	blocks := make(map[int64][]byte)
	for _, id := range ids {
		prefix := id &^ 0xff
		if _, ok := blocks[prefix]; !ok {
			order = append(order, prefix)
		}
		blocks[prefix] = append(blocks[prefix], byte(id))
	}
	dst = append(dst, typeArray<<4, byte(len(order)))
	for _, prefix := range order {
		dst = appendGroup(dst, prefix, blocks[prefix])
	}
	return dst
}
