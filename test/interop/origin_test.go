package interop

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/origin"
	"github.com/p2pstream/p2pstream/test/lab/browser"
)

// program is what every program of ours can do.
type program interface {
	Run(ctx context.Context) error
	Ready() <-chan struct{}
}

// start runs a program until the test ends, or until the function it returns is called, which waits for
// it to end.
func start(t testing.TB, name string, p program) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("the %s ended with %v", name, err)
			}
		case <-time.After(20 * time.Second):
			t.Errorf("the %s did not end within 20s of being asked to", name)
		}
	}
	t.Cleanup(stop)
	select {
	case <-p.Ready():
	case err := <-done:
		stopped = true
		t.Fatalf("the %s ended before it was ready: %v", name, err)
	case <-time.After(10 * time.Second):
		t.Fatalf("the %s was not ready within 10s", name)
	}
	return stop
}

// testOrigin is our origin, on loopback unless told otherwise.
type testOrigin struct {
	*origin.Server
	base string
	stop func()
}

func startOrigin(t testing.TB, listen string) *testOrigin {
	t.Helper()
	s, err := origin.New(origin.Config{Listen: listen}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	stop := start(t, "origin", s)
	return &testOrigin{Server: s, base: "http://" + s.Addr().String(), stop: stop}
}

// url of a path such as /vod/dur_60/master.m3u8.
func (o *testOrigin) url(path string) string { return o.base + path }

// verify holds every segment that tabs accepted to the bytes that the origin serves now, by SHA-256.
func (o *testOrigin) verify(t testing.TB, reports ...browser.Report) {
	t.Helper()
	want := map[string]string{}
	checked := 0
	for _, r := range reports {
		for _, s := range r.Segments {
			key := s.URL + "|" + s.ByteRange
			if want[key] == "" {
				digest, err := digest(t.Context(), s.URL, s.ByteRange)
				if err != nil {
					t.Errorf("checking a segment: %v", err)
					continue
				}
				want[key] = digest
			}
			checked++
			if s.SHA256 != want[key] {
				t.Errorf("segment %s %s by %s has SHA-256 %s, the origin's has %s", s.URL, s.ByteRange, s.Source, s.SHA256, want[key])
			}
		}
	}
	if checked == 0 {
		t.Error("no segment was there to check")
	}
}

func digest(ctx context.Context, url, byteRange string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	want := http.StatusOK
	if byteRange != "" {
		req.Header.Set("Range", "bytes="+byteRange)
		want = http.StatusPartialContent
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	if resp.StatusCode != want {
		return "", fmt.Errorf("%s %s: status %d, want %d", url, byteRange, resp.StatusCode, want)
	}
	h := sha256.New()
	if _, err := io.Copy(h, resp.Body); err != nil {
		return "", fmt.Errorf("%s: %w", url, err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
