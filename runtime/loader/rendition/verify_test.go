package rendition

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/fetch"
	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
	"github.com/p2pstream/p2pstream/runtime/loader/ondemand"
	"github.com/p2pstream/p2pstream/runtime/loader/schedule"
	"github.com/p2pstream/p2pstream/runtime/loader/traffic"
)

// TestNothingIsUsedBeforeItIsVerified has a peer, and then the origin itself, give other bytes than the origin does when
// it is asked again.
func TestNothingIsUsedBeforeItIsVerified(t *testing.T) {
	right, wrong := bytes.Repeat([]byte("right"), 100), bytes.Repeat([]byte("wrong"), 100)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(right) }))
	defer srv.Close()
	source, err := manifest.NewSource(manifest.SourceConfig{URL: srv.URL + "/m.m3u8"})
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	r := idle(t, 100, 4)
	defer r.shared.Work.Wait()
	r.shared.Settings.Verify, r.shared.Settings.OnDemand = true, true
	r.shared.Verifier = fetch.NewVerifier(source, r.shared.Counters)
	seg := r.segments.order[0]
	seg.URL = srv.URL + "/s.ts"
	done := func() {
		t.Helper()
		select {
		case <-r.mail.Signal():
		case <-time.After(30 * time.Second):
			t.Fatal("is not verified")
		}
		for _, work := range r.mail.Take() {
			work()
		}
	}
	used := func() bool {
		loaded := r.announceable(identity.V23).loaded
		return seg.held() || r.shared.Store.Has(seg.key) || len(loaded) > 0
	}
	s, _ := r.meet(t)
	for name, from := range map[string]traffic.Source{"a peer": traffic.FromViewer, "the origin": traffic.FromHTTP} {
		seg.requests.SetFeed(ondemand.NewFeed(seg.attempt, nil, -1, time.Now()))
		r.withhold(seg)
		attempt := seg.begin(nil)
		seg.requests.Publish(attempt, wrong, int64(len(wrong)), time.Now())
		if from == traffic.FromViewer {
			seg.state, seg.from = schedule.Requested, s
		}
		if !r.transit.Reserve(len(wrong)) {
			t.Fatal("no room")
		}
		r.completed(seg, wrong, from)
		if used() {
			t.Errorf("%s: the segment is used before it is verified", name)
		}
		done()
		if used() || seg.state != schedule.Missing || seg.requests.Feed().Shown() != 0 {
			t.Errorf("%s: wrong bytes are used, or shown: %d", name, seg.requests.Feed().Shown())
		}
	}
	if n := r.shared.Counters.DigestErrors.Load(); n != 2 {
		t.Errorf("%d digest errors", n)
	}
	if !r.transit.Reserve(len(right)) {
		t.Fatal("no room")
	}
	r.completed(seg, right, traffic.FromViewer)
	done()
	if !used() || seg.requests.Feed() != nil {
		t.Error("the right bytes are not used")
	}
	if n, _, _ := r.shared.Transit.Stats(); n != 0 {
		t.Errorf("%d bytes are still in transit", n)
	}
}
