package source

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/netip"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/test/e2e/pki"
)

func start(t *testing.T) *Origin {
	t.Helper()
	authority, err := pki.New("test")
	if err != nil {
		t.Fatal(err)
	}
	pair, err := authority.Issue("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := pair.TLS()
	if err != nil {
		t.Fatal(err)
	}
	listen := new(net.ListenConfig).Listen
	o, err := Start(t.Context(), listen, freeAddress(t), freeAddress(t), certificate)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(o.Leave)
	return o
}

// freeAddress is an address on which no program listens.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func get(ctx context.Context, url string) (string, error) {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	resp, err := client.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return string(body), err
}

// TestOrigin counts what a client fetches over http and https, and finds it gone while it is away.
func TestOrigin(t *testing.T) {
	t.Parallel()
	o, ctx := start(t), t.Context()
	here, elsewhere := netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("10.0.0.0/8")

	for _, url := range []string{o.URL("/vod/dur_60/master.m3u8"), o.SecureURL("/vod/dur_60/master.m3u8")} {
		if body, err := get(ctx, url); err != nil || !strings.HasPrefix(body, "#EXTM3U") {
			t.Fatalf("%s: %q, %v", url, body, err)
		}
	}
	if _, err := get(ctx, o.URL("/no/such/stream.m3u8")); err != nil {
		t.Fatal(err)
	}
	body, err := get(ctx, o.URL("/vod/dur_60/360p.m3u8"))
	if err != nil {
		t.Fatal(err)
	}
	var segment string
	for line := range strings.Lines(body) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			segment = line
			break
		}
	}
	media, err := get(ctx, o.URL("/vod/dur_60/"+segment))
	if err != nil {
		t.Fatal(err)
	}
	want := Count{Playlists: 3, Segments: 1, SegmentBytes: int64(len(media))}
	// An answer is counted once it is sent, which its receiver may notice first.
	for deadline := time.Now().Add(10 * time.Second); o.From(here) != want && time.Now().Before(deadline); {
		runtime.Gosched()
	}
	if got := o.From(here); got != want || len(media) == 0 {
		t.Errorf("From = %+v, want %+v", got, want)
	}
	if got := o.From(elsewhere); got != (Count{}) {
		t.Errorf("clients that do not exist fetched %+v", got)
	}

	o.Leave()
	if _, err := get(ctx, o.URL("/vod/dur_60/master.m3u8")); err == nil {
		t.Error("the origin answers while it is away")
	}
	if err := o.Return(ctx); err != nil {
		t.Fatal(err)
	}
	if second, err := get(ctx, o.URL("/vod/dur_60/"+segment)); err != nil || second != media {
		t.Errorf("after its return the origin gives other bytes (%v)", err)
	}
}
