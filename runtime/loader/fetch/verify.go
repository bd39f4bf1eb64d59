package fetch

import (
	"bytes"
	"context"
	"crypto/sha256"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
	"github.com/p2pstream/p2pstream/runtime/loader/ratelog"
	"github.com/p2pstream/p2pstream/runtime/loader/traffic"
)

const (
	maxPending = 64 // segments that wait to be compared or are being compared
	maxRunning = 2  // segments that are being compared
)

// Verifier compares completed segments with the origin's own bytes; one engine has one. What it fetches counts only as
// verified segments and digest errors.
type Verifier struct {
	source   *manifest.Source
	counters *traffic.Recorder
	running  chan struct{}
	pending  atomic.Int64
}

// NewVerifier returns a verifier that asks source.
func NewVerifier(source *manifest.Source, counters *traffic.Recorder) *Verifier {
	return &Verifier{source: source, counters: counters, running: make(chan struct{}, maxRunning)}
}

// Verify compares the data of segment m in a goroutine of work, unless too many comparisons are pending. log reports
// a difference, limited reports an origin that does not deliver the segment.
func (v *Verifier) Verify(ctx context.Context, work *sync.WaitGroup, m manifest.Segment, data []byte, from traffic.Source, log *slog.Logger, limited *ratelog.Log) {
	if v.pending.Add(1) > maxPending {
		v.pending.Add(-1)
		return
	}
	work.Go(func() {
		defer v.pending.Add(-1)
		select {
		case v.running <- struct{}{}:
			defer func() { <-v.running }()
		case <-ctx.Done():
			return
		}
		want, err := v.digest(ctx, m)
		if err != nil {
			limited.Warn("verifying segment failed: the origin does not deliver it", "sequence", m.Sequence, "error", err)
			return
		}
		v.counters.Verified.Add(1)
		if got := sha256.Sum256(data); !bytes.Equal(want, got[:]) {
			v.counters.DigestErrors.Add(1)
			log.Error("segment differs from the origin's", "sequence", m.Sequence, "source", from)
		}
	})
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
	select {
	case v.running <- struct{}{}:
		defer func() { <-v.running }()
	case <-ctx.Done():
		return sum, false
	}
	b, err := v.digest(ctx, m)
	if err != nil {
		return sum, false
	}
	return [sha256.Size]byte(b), true
}
