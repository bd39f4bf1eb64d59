package browser

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/p2pstream/p2pstream/test/lab"
)

// VerifySegments compares every segment that tabs accepted with what its URL serves now, by SHA-256, and returns how
// many it compared. client fetches; lab.Client if nil. The error names every segment that differs or cannot be fetched.
func VerifySegments(ctx context.Context, client *http.Client, reports ...Report) (compared int, err error) {
	client = cmp.Or(client, lab.Client)
	type key struct{ url, byteRange string }
	genuine := map[key]string{}
	var errs []error
	for _, r := range reports {
		for _, s := range r.Segments {
			k := key{s.URL, s.ByteRange}
			if genuine[k] == "" {
				digest, err := digest(ctx, client, s.URL, s.ByteRange)
				if err != nil {
					errs = append(errs, err)
					continue
				}
				genuine[k] = digest
			}
			compared++
			if s.SHA256 != genuine[k] {
				errs = append(errs, fmt.Errorf("segment %s %s by %s has SHA-256 %s, the origin's has %s", s.URL, s.ByteRange, s.Source, s.SHA256, genuine[k]))
			}
		}
	}
	return compared, errors.Join(errs...)
}

// digest is the SHA-256 of a URL's bytes, or of a range of them, in hex.
func digest(ctx context.Context, client *http.Client, url, byteRange string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", fmt.Errorf("asking for a segment: %w", err)
	}
	want := http.StatusOK
	if byteRange != "" {
		req.Header.Set("Range", "bytes="+byteRange)
		want = http.StatusPartialContent
	}
	resp, err := client.Do(req)
	if err != nil {
		return "", fmt.Errorf("fetching a segment: %w", err)
	}
	defer resp.Body.Close() //nolint:errcheck // read to its end
	if resp.StatusCode != want {
		return "", fmt.Errorf("fetching segment %s %s: status %d, want %d", url, byteRange, resp.StatusCode, want)
	}
	h := sha256.New()
	if _, err := io.Copy(h, resp.Body); err != nil {
		return "", fmt.Errorf("reading segment %s: %w", url, err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
