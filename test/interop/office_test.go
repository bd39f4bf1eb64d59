package interop

import (
	"strconv"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/test/lab"
)

// TestSixtyFourViewersOnOneSeeder connects a whole office of Go viewers to one seeder. No other test runs beside it:
// 64 connections are set up within 13 s.
func TestSixtyFourViewersOnOneSeeder(t *testing.T) {
	const count = 64
	s := startStream(t, "/live/ren_1/master.m3u8", nil)
	s.startSeeder(t)
	v := s.launchViewers(t, "--count", strconv.Itoa(count), "--join-interval", "200ms", "--duration", "60s")
	lab.Eventually(t, 50*time.Second, "all viewers to be connected to the seeder", func() bool {
		st, err := s.stats(t)
		return err == nil && len(st.SeederStates) == 1 && st.SeederStates[0].State.Peers >= count
	})
	r := waitForReport(t, v, 90*time.Second)
	if len(r.Viewers) != count || r.Total.Stalls != 0 || r.Total.DigestErrors != 0 {
		t.Errorf("%d viewers, %d stalls, %d digest errors", len(r.Viewers), r.Total.Stalls, r.Total.DigestErrors)
	}
	if r.Total.Offload < 0.95 {
		t.Errorf("offload %.3f, want at least 0.95", r.Total.Offload)
	}
}
