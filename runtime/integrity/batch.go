package integrity

import (
	"encoding/json"
	"errors"
	"fmt"
)

// Bounds of what a seeder sends and of what it is answered.
const (
	Version        = 1         // of every message of this package
	MaxBatchBytes  = 128 << 10 // of JSON
	MaxBatch       = 1024      // segments in a batch
	MaxBatchSwarms = 224       // swarms in a batch: 64 renditions in three generations, and some
	MaxReplyBytes  = 16 << 10  // of JSON
	maxSeederName  = 128       // bytes
	maxDisputes    = 32        // segments in a reply

	// MaxID is the largest id of a segment that browsers count exactly: 2^53 − 1.
	MaxID = 1<<53 - 1
	// infoHashLength is the length of an info hash: 20 characters of base64.
	infoHashLength = 20
)

// Batch is what a seeder adds to its hashes, and what it vouches for now.
type Batch struct {
	Version int     `json:"v"`
	Seeder  string  `json:"seeder"` // any stable id of its own, as in its reports
	Swarms  []Swarm `json:"swarms"`
}

// Swarm is one swarm of a Batch.
type Swarm struct {
	InfoHash string `json:"infoHash"`
	// Covers are the ids whose hashes the seeder has given, or gives as soon as a segment exists; nil: none.
	Covers   *Span     `json:"covers,omitempty"`
	Segments []Segment `json:"segments,omitempty"`
}

// Segment is one hash.
type Segment struct {
	ID   int64 `json:"id"` // as peers of the swarm name it
	Hash Hash  `json:"hash"`
	// Again says that the origin was asked once more, after the tracker had called the segment disputed.
	Again bool `json:"again,omitempty"`
}

// Span is a range of ids, both ends included. It is empty if To is below From; MaxID as To has no end.
type Span struct {
	From int64 `json:"from"`
	To   int64 `json:"to"`
}

// Contains tells whether an id is inside the span.
func (s Span) Contains(id int64) bool { return s.From <= id && id <= s.To }

// open tells whether a seeder vouches for all that is still to come: it follows a live playlist.
func (s Span) open() bool { return s.To == MaxID && s.From <= s.To }

// empty is the span without any id.
func empty() Span { return Span{From: 0, To: -1} }

// Reply answers a batch.
type Reply struct {
	Version int `json:"v"`
	// Boot names the tracker's run: another one has forgotten what was sent before.
	Boot string `json:"boot"`
	// Disputed are segments of which seeders say different things. The seeder fetches them from the origin once more and
	// sends the hash, as Again.
	Disputed []Place `json:"disputed,omitempty"`
}

// Place is where a segment stands.
type Place struct {
	InfoHash string `json:"infoHash"`
	ID       int64  `json:"id"`
}

var errMalformed = errors.New("not a batch of hashes")

// DecodeBatch reads what a seeder sends, and checks every bound that needs no memory of earlier batches.
func DecodeBatch(b []byte) (Batch, error) {
	var batch Batch
	if len(b) > MaxBatchBytes {
		return Batch{}, fmt.Errorf("decoding hashes: more than %d bytes", MaxBatchBytes)
	}
	if err := json.Unmarshal(b, &batch); err != nil {
		return Batch{}, fmt.Errorf("decoding hashes: %w", errMalformed)
	}
	if err := batch.check(); err != nil {
		return Batch{}, fmt.Errorf("decoding hashes: %w", err)
	}
	return batch, nil
}

func (b *Batch) check() error {
	switch {
	case b.Version != Version:
		return fmt.Errorf("v must be %d", Version)
	case b.Seeder == "" || len(b.Seeder) > maxSeederName || !printable(b.Seeder):
		return errors.New("seeder is empty, too long or not printable ASCII")
	case len(b.Swarms) > MaxBatchSwarms:
		return fmt.Errorf("more than %d swarms", MaxBatchSwarms)
	}
	segments := 0
	for _, s := range b.Swarms {
		if len(s.InfoHash) != infoHashLength || !printable(s.InfoHash) {
			return fmt.Errorf("infoHash is not of %d characters", infoHashLength)
		}
		if s.Covers != nil && (!validID(s.Covers.From) || s.Covers.To < -1 || s.Covers.To > MaxID) {
			return errors.New("covers is out of range")
		}
		if segments += len(s.Segments); segments > MaxBatch {
			return fmt.Errorf("more than %d segments", MaxBatch)
		}
		for _, g := range s.Segments {
			if !validID(g.ID) || g.Hash == (Hash{}) {
				return errors.New("a segment has no hash, or an id out of range")
			}
		}
	}
	return nil
}

// DecodeReply reads a tracker's answer to a batch; a tracker is not trusted with the seeder's memory.
func DecodeReply(b []byte) (Reply, error) {
	var r Reply
	if len(b) > MaxReplyBytes {
		return Reply{}, fmt.Errorf("decoding reply to hashes: more than %d bytes", MaxReplyBytes)
	}
	if err := json.Unmarshal(b, &r); err != nil {
		return Reply{}, fmt.Errorf("decoding reply to hashes: %w", errMalformed)
	}
	r.Disputed = r.Disputed[:min(len(r.Disputed), maxDisputes)]
	return r, nil
}

func validID(id int64) bool { return id >= 0 && id <= MaxID }

func printable(s string) bool {
	for i := range len(s) {
		if s[i] < 0x20 || s[i] > 0x7e {
			return false
		}
	}
	return true
}
