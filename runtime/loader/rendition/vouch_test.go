package rendition

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/integrity"
	"github.com/p2pstream/p2pstream/runtime/loader/hashes"
	"github.com/p2pstream/p2pstream/runtime/loader/schedule"
	"github.com/p2pstream/p2pstream/runtime/loader/session"
)

// hashTracker takes what a seeder says of its segments.
type hashTracker struct {
	mu     sync.Mutex
	ledger *integrity.Ledger
}

// ledgerOf runs a tracker to which the rendition's journal is told.
func ledgerOf(t *testing.T, r *Rendition) *hashTracker {
	t.Helper()
	k := &hashTracker{ledger: integrity.NewLedger(integrity.Limits{})}
	tracker := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		batch, err := integrity.DecodeBatch(body)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		k.mu.Lock()
		defer k.mu.Unlock()
		k.ledger.Accept(batch, time.Now())
		_ = json.NewEncoder(w).Encode(integrity.Reply{Version: integrity.Version, Boot: "one"})
	}))
	reporter, err := hashes.NewReporter(hashes.ReporterConfig{Tracker: "ws" + strings.TrimPrefix(tracker.URL, "http"), Seeder: "one"},
		r.shared.Journal, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { reporter.Run(ctx) })
	t.Cleanup(func() {
		stop()
		running.Wait()
		tracker.Close()
		http.DefaultClient.CloseIdleConnections()
	})
	return k
}

// await waits until the tracker has the hashes of all of want, and no other hash from 100 on, and that it vouches for them and for
// what follows.
func (k *hashTracker) await(t *testing.T, what string, want ...int64) {
	t.Helper()
	var last error
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); <-time.After(5 * time.Millisecond) {
		k.mu.Lock()
		list := k.ledger.List(checkedSwarm, []string{checkedSwarm}, 99, time.Now())
		k.mu.Unlock()
		var got []int64
		for i, h := range list.Hashes {
			if h != "" {
				got = append(got, list.After+1+int64(i))
			}
		}
		last = nil
		if fmt.Sprint(got) != fmt.Sprint(want) || !list.Covers(want[0]) || !list.Covers(200) {
			last = fmt.Errorf("hashes of %v, vouches for %d to %d, want %v", got, list.From, list.To, want)
		}
		if last == nil {
			return
		}
	}
	t.Fatalf("%s: %v", what, last)
}

// seedingOf is a rendition of a seeder without a running owner that tells trackers its hashes.
func seedingOf(t *testing.T) *Rendition {
	t.Helper()
	r := checking(t)
	r.shared.Checker, r.shared.Journal = nil, hashes.NewJournal()
	r.shared.Settings.Seeder, r.core.Config.Seeder = true, true
	t.Cleanup(r.shared.Work.Wait)
	return r
}

// gets has the origin give segments, by their places.
func (r *Rendition) gets(t *testing.T, places ...int) {
	t.Helper()
	for _, i := range places {
		seg := r.core.Segments()[i]
		r.core.Complete(seg, r.reserve(t, origins(seg.Sequence)), true, time.Now())
		r.drainMail(t, "hashing", func() bool { return isHashed(seg) })
		r.vouch(time.Now())
	}
}

// TestWhatIsVouchedForHasAHash has one segment of a live stream come late, after the one behind it: viewers would neither
// take the segments before it from peers, nor could they be given other media meanwhile.
func TestWhatIsVouchedForHasAHash(t *testing.T) {
	r := seedingOf(t)
	k := ledgerOf(t, r)
	r.gets(t, 0, 1, 2)
	k.await(t, "before", 100, 101, 102)
	r.core.Failed(r.core.Segments()[3], time.Now())
	r.gets(t, 4)
	k.await(t, "while one segment fails", 100, 101, 102, 104)
	r.gets(t, 3)
	k.await(t, "when it has come", 100, 101, 102, 103, 104)
}

// TestWhatTrackersForgetIsToldAgain has an origin fail for so long that the seeder does not vouch for what was before.
func TestWhatTrackersForgetIsToldAgain(t *testing.T) {
	r := seedingOf(t)
	k := ledgerOf(t, r)
	r.gets(t, 0, 1, 2)
	k.await(t, "before", 100, 101, 102)
	for range troubled {
		r.core.Failed(r.core.Segments()[3], time.Now())
	}
	r.vouch(time.Now())
	r.gets(t, 4)
	k.await(t, "after a hole", 104)
	r.gets(t, 3)
	k.await(t, "when the hole is filled", 100, 101, 102, 103, 104)
	r.core.Segments()[0].State = schedule.Missing // it makes room
	r.vouch(time.Now())
	k.await(t, "when the first one has gone", 101, 102, 103, 104)
}

// TestWhatCouldNotBeCheckedIsCounted: the schedule goes to a seeder or the origin by it.
func TestWhatCouldNotBeCheckedIsCounted(t *testing.T) {
	r := checking(t)
	seg := r.core.Segments()[5]
	for n := range 2 {
		s, _ := r.meet(t)
		r.core.Request(s, seg, time.Now())
		_, _, _ = s.Cancel()
		r.answered(s, seg, seg.Attempt, session.Result{Data: r.reserve(t, origins(105)), Total: -1, Succeeded: true})
		r.drainMail(t, "dropping the unproven segment", func() bool { return seg.State == schedule.Missing })
		if got := seg.Unproven; got != n+1 {
			t.Errorf("%d, want %d", got, n+1)
		}
	}
	r.core.Complete(seg, r.reserve(t, origins(105)), true, time.Now())
	if !seg.Held() || seg.Unproven != 0 {
		t.Error("the count outlives the segment's arrival")
	}
}
