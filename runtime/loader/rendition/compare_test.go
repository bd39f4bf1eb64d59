package rendition

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/traffic"
)

// TestASeederContradictsAnother whose bytes are not the origin's, be it that the origin gives parts of files or whole ones only.
func TestASeederContradictsAnother(t *testing.T) {
	for name, ranges := range map[string]bool{"parts": true, "whole files": false} {
		t.Run(name, func(t *testing.T) {
			var asked atomic.Int64
			now := atomic.Pointer[[]byte]{}
			origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				asked.Add(1)
				if !ranges {
					r.Header.Del("Range")
				}
				http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(*now.Load()))
			}))
			defer origin.Close()
			r := seedingOf(t)
			seg := r.core.Segments()[0]
			seg.URL = origin.URL + "/100"
			data := wrong(100)
			right := origins(100)
			r.core.Complete(seg, r.reserve(t, bytes.Clone(data)), true, time.Now())
			r.drainMail(t, "hashing", func() bool { return isHashed(seg) })
			before := r.told(t)
			now.Store(&right)
			driver{r}.Compare(seg, data)
			r.drainMail(t, "contradicting", func() bool { return r.told(t) == before+1 })
			r.vouch(time.Now())
			k := ledgerOf(t, r)
			conflicts := func() int64 {
				k.mu.Lock()
				defer k.mu.Unlock()
				return k.ledger.Counts().Conflicts
			}
			for deadline := time.Now().Add(20 * time.Second); conflicts() != 1; <-time.After(5 * time.Millisecond) {
				if time.Now().After(deadline) {
					t.Fatalf("the tracker sees %d conflicts", conflicts())
				}
			}
			if n := r.shared.Counters.Comparisons[traffic.Other].Load(); n != 1 {
				t.Errorf("%d comparisons found other bytes", n)
			}
			// What is right is not read whole, nor is anything more of an origin that gives whole files only.
			requests := asked.Load()
			now.Store(&data)
			driver{r}.Compare(seg, data)
			r.shared.Work.Wait()
			if n := asked.Load() - requests; n != 1 || r.told(t) != before+1 {
				t.Errorf("%d requests, %d hashes are told", n, r.told(t))
			}
		})
	}
}
