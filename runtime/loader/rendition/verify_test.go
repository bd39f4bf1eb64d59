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
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/never.ts" {
			<-r.Context().Done()
			return
		}
		_, _ = w.Write(right)
	}))
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
	seg := r.core.Segments()[0]
	seg.URL = srv.URL + "/s.ts"
	used := func() bool {
		loaded := r.announceable(identity.V23).loaded
		return seg.Held() || r.shared.Store.Has(seg.Key) || len(loaded) > 0
	}
	s, _ := r.meet(t)
	for name, from := range map[string]traffic.Source{"a peer": traffic.FromViewer, "the origin": traffic.FromHTTP} {
		readersOf(seg).SetFeed(ondemand.NewFeed(seg.Attempt, nil, -1, time.Now()))
		if from == traffic.FromViewer {
			r.core.Request(s, seg, time.Now())
			_, _, _ = s.Cancel()
		} else {
			seg.URL = srv.URL + "/never.ts"
			r.core.Fetch(seg, time.Now())
			seg.URL = srv.URL + "/s.ts"
		}
		readersOf(seg).Publish(seg.Attempt, wrong, int64(len(wrong)), time.Now())
		if !r.transit.Reserve(len(wrong)) {
			t.Fatal("no room")
		}
		r.core.Complete(seg, wrong, from == traffic.FromHTTP, time.Now())
		if used() {
			t.Errorf("%s: the segment is used before it is verified", name)
		}
		r.drainMail(t, "the comparison", func() bool { return seg.State == schedule.Missing })
		if used() || seg.State != schedule.Missing || readersOf(seg).Feed().Shown() != 0 {
			t.Errorf("%s: wrong bytes are used, or shown: %d", name, readersOf(seg).Feed().Shown())
		}
	}
	if n := r.shared.Counters.DigestErrors.Load(); n != 2 {
		t.Errorf("%d digest errors", n)
	}
	if !r.transit.Reserve(len(right)) {
		t.Fatal("no room")
	}
	r.core.Complete(seg, right, false, time.Now())
	r.drainMail(t, "the comparison", seg.Held)
	if !used() || readersOf(seg).Feed() != nil {
		t.Error("the right bytes are not used")
	}
	if n, _, _ := r.shared.Transit.Stats(); n != 0 {
		t.Errorf("%d bytes are still in transit", n)
	}
}
