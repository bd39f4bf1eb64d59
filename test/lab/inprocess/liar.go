package inprocess

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/p2pstream/p2pstream/internal/duration"
	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/seeder"
	"github.com/p2pstream/p2pstream/test/lab"
)

// Liar is a peer that follows every rule but one: what it passes on has the right length and the wrong bytes. It is a seeder
// without a token, with an origin of its own.
type Liar struct {
	*seeder.Server
	// Lies counts the segments that it holds.
	Lies atomic.Int64
}

// StartLiar starts a liar in the swarms of a stream, at a tracker's WebSocket URL.
func StartLiar(t testing.TB, source, tracker string, change func(*seeder.Config)) *Liar {
	t.Helper()
	l := &Liar{}
	from := lab.Must[*url.URL](t)(url.Parse(source))
	wrong := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { l.serve(w, r, from) }))
	t.Cleanup(wrong.Close)
	cfg := seeder.Config{
		Source: wrong.URL + from.RequestURI(), SwarmID: lab.SwarmID, ForeignTrackers: []string{tracker}, Loopback: true,
		PeerIDPrefix: identity.ViewerPrefix, // the tracker refuses those of seeders to peers without the token
		ICEListen:    "127.0.0.1:0", Drain: duration.Duration(1),
	}
	if change != nil {
		change(&cfg)
	}
	l.Server = lab.Must[*seeder.Server](t)(seeder.New(cfg, lab.Logger("liar"), nil))
	Run(t, l.Server)
	return l
}

// serve answers with the playlists of the origin, and with other bytes than its segments.
func (l *Liar) serve(w http.ResponseWriter, r *http.Request, from *url.URL) {
	to := *from
	to.Path, to.RawPath, to.RawQuery = r.URL.Path, r.URL.RawPath, r.URL.RawQuery
	req, err := http.NewRequestWithContext(r.Context(), http.MethodGet, to.String(), nil)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	defer func() { _ = resp.Body.Close() }() // read to its end
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	w.Header().Set("Content-Type", resp.Header.Get("Content-Type"))
	if resp.StatusCode == http.StatusOK && !strings.HasSuffix(r.URL.Path, ".m3u8") {
		l.Lies.Add(1)
		for i := range body {
			body[i] ^= 0x5a
		}
	}
	w.WriteHeader(resp.StatusCode)
	_, _ = io.Copy(w, bytes.NewReader(body)) // the client may have gone
}
