package fetch

import (
	"bytes"
	"context"
	"crypto/sha256"
	"io"
	"math/rand/v2"

	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
	"github.com/p2pstream/p2pstream/runtime/loader/traffic"
)

// A sample is one part of many of a segment, in bytes; other media differ everywhere but in headers.
const (
	sampleShare = 32
	leastSample = 4 << 10
	// maxCompared is how many segments may wait for an origin that is slow. Their bytes are kept beside the store.
	maxCompared = 8
)

// Contradicts compares a part of the data of segment m, anywhere in it, with the origin's bytes, and all of it if these differ. It
// returns the SHA-256 of the whole then; false if the segment is the same, or if that cannot be said now. With whole, all of it is
// read of an origin that gives no parts.
func (v *Verifier) Contradicts(ctx context.Context, m manifest.Segment, data []byte, whole bool) (sum [sha256.Size]byte, differs bool) {
	sum, result := v.contradicts(ctx, m, data, whole)
	v.counters.Comparisons[result].Add(1)
	return sum, result == traffic.Other
}

func (v *Verifier) contradicts(ctx context.Context, m manifest.Segment, data []byte, whole bool) (sum [sha256.Size]byte, result traffic.Comparison) {
	defer v.compared.Add(-1)
	if v.compared.Add(1) > maxCompared {
		return sum, traffic.Uncompared
	}
	same, err := v.sample(ctx, m, data)
	switch {
	case err == nil && same:
		return sum, traffic.Same
	case err != nil && (!whole || manifest.ReasonOf(err) != manifest.ReasonRangeIgnored):
		return sum, traffic.Uncompared
	}
	sum, ok := v.Digest(ctx, m)
	switch {
	case !ok:
		return sum, traffic.Uncompared
	case sum == sha256.Sum256(data):
		return sum, traffic.Same
	}
	return sum, traffic.Other
}

// sample compares a part; false if it differs. The error says why the origin does not deliver it.
func (v *Verifier) sample(ctx context.Context, m manifest.Segment, data []byte) (same bool, err error) {
	n := min(max(len(data)/sampleShare, leastSample), len(data))
	if n == 0 {
		return true, nil
	}
	at := rand.IntN(len(data) - n + 1)
	part := manifest.ByteRange{Offset: int64(at), Length: int64(n)}
	if m.Range != nil {
		part.Offset += m.Range.Offset
	}
	m.Range = &part
	end, err := v.turn(ctx)
	if err != nil {
		return false, err
	}
	defer end()
	body, _, err := v.source.FetchSegment(ctx, m, 0)
	if err != nil {
		return false, err
	}
	defer func() { _ = body.Close() }() // read to its end: nothing to learn from closing
	got, err := io.ReadAll(body)
	if err != nil {
		return false, err
	}
	return bytes.Equal(got, data[at:at+n]), nil
}
