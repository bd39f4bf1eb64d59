package schedule

import (
	"strconv"
	"time"
)

// Peers of generation V3 do not draw lots for a segment that no peer has. Each computes a score for itself and every peer that
// it is connected with: the one with the lowest asks the origin at once, and the others wait for its announcement. Those
// behind it are its backups, in order. All see the same only in a full mesh; elsewhere more than one may think that it is the
// first. Nothing of this travels. Source: p2p-media-loader-core 5.0 (protocol v3).

// Score is what the order of peers for one segment follows, by what peers call it: FNV-1a with a final mix.
func Score(peerID string, id int64) uint32 {
	h := uint32(0x811c9dc5)
	for _, text := range [...]string{peerID, "|", strconv.FormatInt(id, 10)} {
		h = fnv(h, text)
	}
	return mix(h)
}

func fnv(h uint32, text string) uint32 {
	for i := range len(text) { // ids are ASCII
		h = (h ^ uint32(text[i])) * 0x01000193
	}
	return h
}

func mix(h uint32) uint32 {
	h = (h ^ h>>16) * 0x85ebca6b
	h = (h ^ h>>13) * 0xc2b2ae35
	return h ^ h>>16
}

// Rank is how many of the others come before own for a segment; 0: it is own's to ask the origin.
func Rank(own string, others []string, id int64) int {
	rank, score := 0, Score(own, id)
	for _, other := range others {
		if s := Score(other, id); s < score || (s == score && other < own) {
			rank++
		}
	}
	return rank
}

// backupMargin is how much earlier a backup acts than its estimate says.
const backupMargin = 500 * time.Millisecond

// Patience is how long before a segment becomes urgent a peer with this rank asks the origin, if no peer has it by then. A
// segment takes about fetch. The first one does not wait: false.
func Patience(rank int, fetch time.Duration) (time.Duration, bool) {
	if rank <= 0 {
		return 0, false
	}
	return fetch + fetch/time.Duration(rank) + backupMargin, true
}
