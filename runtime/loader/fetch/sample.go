package fetch

import (
	"bytes"
	"context"
	"io"
	"math/rand/v2"

	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
)

// A sample is one part of many of a segment, in bytes; other media differ everywhere but in headers.
const (
	sampleShare = 32
	leastSample = 4 << 10
)

// Sample compares a part of the data of segment m, anywhere in it, with the origin's bytes; false if they differ. The error says why
// the origin does not deliver it: with manifest.ReasonRangeIgnored it gives whole files only.
func (v *Verifier) Sample(ctx context.Context, m manifest.Segment, data []byte) (same bool, err error) {
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
	select {
	case v.running <- struct{}{}:
		defer func() { <-v.running }()
	case <-ctx.Done():
		return false, context.Cause(ctx)
	}
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
