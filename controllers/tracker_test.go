package controllers_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"time"

	"github.com/p2pstream/p2pstream/runtime/telemetry"
	"github.com/p2pstream/p2pstream/runtime/tracker/stats"
)

// fakeTracker answers like a tracker, with the stats that a test sets.
type fakeTracker struct {
	*httptest.Server
	mu          sync.Mutex
	say         stats.Stats
	asked, kept int // how often, and of that with accumulate=1
	// onRead fills in what is said at this moment; may be nil. Its kept is nil for a plain question.
	onRead func(s *stats.Stats, kept telemetry.Kept)
	// refusing: it answers with an error.
	refusing bool
}

// newTracker starts one that reports no viewers.
func newTracker(boot string) *fakeTracker {
	yes := true
	f := &fakeTracker{say: stats.Stats{Version: stats.Version, Boot: boot, StartedAt: time.Now(), ViewersKnown: true, Peerable: &yes, Offload: stats.Offload{WindowSeconds: 60}}}
	f.Server = httptest.NewServer(f)
	return f
}

// ServeHTTP implements http.Handler.
func (f *fakeTracker) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if r.URL.Path != stats.Path {
		http.NotFound(w, r)
		return
	}
	f.asked++
	if f.refusing {
		http.Error(w, "no", http.StatusServiceUnavailable)
		return
	}
	kept, err := stats.KeptOf(r.URL.Query())
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if kept != nil {
		f.kept++
	}
	if f.onRead != nil {
		f.onRead(&f.say, kept)
	}
	f.say.Now = time.Now()
	_ = json.NewEncoder(w).Encode(f.say) // to a test, which notices
}

// set changes what it says.
func (f *fakeTracker) set(change func(*stats.Stats)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(&f.say)
}

// refuse makes it answer with errors, or as before.
func (f *fakeTracker) refuse(refuse bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.refusing = refuse
}

// reset forgets how often it was asked, and says how often that was.
func (f *fakeTracker) reset() (asked, kept int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	asked, kept = f.asked, f.kept
	f.asked, f.kept = 0, 0
	return asked, kept
}

func (f *fakeTracker) address() string { return strings.TrimPrefix(f.URL, "http://") }

// serveTracker makes sure that a tracker answers at a pod's address.
func (w *world) serveTracker(ip string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.trackers[ip] != "" {
		return
	}
	f := newTracker(fmt.Sprintf("boot-%s", ip))
	w.trackers[ip] = f.address()
	w.t.Cleanup(f.Close)
}
