package browser

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestVerifySegments(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/1.ts" {
			http.NotFound(w, r)
			return
		}
		http.ServeContent(w, r, "1.ts", time.Time{}, bytes.NewReader([]byte("segment")))
	}))
	t.Cleanup(s.Close)
	of := func(path, byteRange, content string) Segment {
		sum := sha256.Sum256([]byte(content))
		return Segment{URL: s.URL + path, ByteRange: byteRange, SHA256: hex.EncodeToString(sum[:])}
	}
	for name, tt := range map[string]struct {
		segment  Segment
		compared int
		err      string
	}{
		"genuine":       {of("/1.ts", "", "segment"), 1, ""},
		"a range":       {of("/1.ts", "1-2", "eg"), 1, ""},
		"other bytes":   {of("/1.ts", "", "Segment"), 1, "has SHA-256"},
		"not there":     {of("/2.ts", "", "segment"), 0, "status 404"},
		"no such range": {of("/1.ts", "99-100", "segment"), 0, "status 416"},
	} {
		compared, err := VerifySegments(t.Context(), nil, Report{Segments: []Segment{tt.segment}})
		if compared != tt.compared || (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
			t.Errorf("%s: compared %d, %v; want %d and %q", name, compared, err, tt.compared, tt.err)
		}
	}
}
