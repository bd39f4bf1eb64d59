package fetch

import (
	"bytes"
	"context"
	"crypto/sha256"
	"io"
	"sync/atomic"

	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
	"github.com/p2pstream/p2pstream/runtime/loader/traffic"
)

const (
	maxPending = 64 // digests that are awaited
	maxRunning = 2  // segments that are read at a time
)

// Verifier compares completed segments with the origin's own bytes; one engine has one. What it fetches counts only as
// verified segments and digest errors.
type Verifier struct {
	source   *manifest.Source
	counters *traffic.Recorder
	running  chan struct{}
	pending  atomic.Int64
	compared atomic.Int64 // segments that are being compared, whose bytes are kept meanwhile
}

// NewVerifier returns a verifier that asks source.
func NewVerifier(source *manifest.Source, counters *traffic.Recorder) *Verifier {
	return &Verifier{source: source, counters: counters, running: make(chan struct{}, maxRunning)}
}

// Verify compares the data of segment m with the origin's bytes; false if they differ. The error says why the origin does
// not deliver it. Few segments are compared at a time: it waits for its turn.
func (v *Verifier) Verify(ctx context.Context, m manifest.Segment, data []byte) (same bool, err error) {
	end, err := v.turn(ctx)
	if err != nil {
		return false, err
	}
	defer end()
	want, err := v.digest(ctx, m)
	if err != nil {
		return false, err
	}
	v.counters.Verified.Add(1)
	got := sha256.Sum256(data)
	if same = bytes.Equal(want, got[:]); !same {
		v.counters.DigestErrors.Add(1)
	}
	return same, nil
}

// turn waits until one more segment may be read; end must be called.
func (v *Verifier) turn(ctx context.Context) (end func(), err error) {
	select {
	case v.running <- struct{}{}:
		return func() { <-v.running }, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// digest is the SHA-256 of the origin's bytes.
func (v *Verifier) digest(ctx context.Context, m manifest.Segment) ([]byte, error) {
	body, _, err := v.source.FetchSegment(ctx, m, 0)
	if err != nil {
		return nil, err
	}
	defer func() { _ = body.Close() }() // read to its end: nothing to learn from closing
	digest := sha256.New()
	if _, err := io.Copy(digest, body); err != nil {
		return nil, err
	}
	return digest.Sum(nil), nil
}

// Digest is the SHA-256 of the origin's bytes of a segment, of which it reads two at a time; false if the origin does not
// deliver it, or ctx ends.
func (v *Verifier) Digest(ctx context.Context, m manifest.Segment) (sum [sha256.Size]byte, ok bool) {
	if v.pending.Add(1) > maxPending {
		v.pending.Add(-1)
		return sum, false
	}
	defer v.pending.Add(-1)
	end, err := v.turn(ctx)
	if err != nil {
		return sum, false
	}
	defer end()
	b, err := v.digest(ctx, m)
	if err != nil {
		return sum, false
	}
	return [sha256.Size]byte(b), true
}
