package peers

import (
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/viewer"
)

// played waits until every viewer has played for a while.
func played(t testing.TB, v *viewer.Server, media time.Duration) viewer.Report {
	t.Helper()
	var r viewer.Report
	eventually(t, media+60*time.Second, "viewers to play "+media.String(), func() bool {
		r = v.Snapshot()
		for _, one := range r.Viewers {
			if one.PlayedMs < media.Milliseconds() {
				return false
			}
		}
		return len(r.Viewers) > 0
	})
	return r
}

func checkClean(t *testing.T, r viewer.Report) {
	t.Helper()
	dump(t, r)
	if r.Total.Stalls != 0 {
		t.Errorf("%d stalls, want none", r.Total.Stalls)
	}
	if r.Total.DigestErrors != 0 {
		t.Errorf("%d segments differ from the origin's", r.Total.DigestErrors)
	}
	for _, one := range r.Viewers {
		if one.Verified == 0 {
			t.Errorf("viewer %d verified nothing", one.ID)
		}
	}
}

func TestSeederServesViewers(t *testing.T) {
	t.Parallel()
	for name, path := range map[string]string{
		"live":                     "/live/seg_2/window_10/master.m3u8",
		"live, fMP4 and own audio": "/live/seg_2/window_10/fmp4/audio/master.m3u8",
		"VOD":                      "/vod/seg_2/dur_60/master.m3u8",
		"VOD, TS and own audio":    "/vod/seg_2/dur_60/ts/audio/master.m3u8",
		"VOD, byte ranges":         "/vod/seg_2/dur_60/byterange/master.m3u8",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSetup(t, path)
			s.seeder(t, nil)
			s.waitSeeded(t)
			v, stop := s.viewers(t, func(c *viewer.Config) { c.Count = 4 })
			r := played(t, v, 10*time.Second)
			checkClean(t, r)
			if r.Total.Offload < 0.95 {
				t.Errorf("offload %.3f, want at least 0.95", r.Total.Offload)
			}
			stop()
		})
	}
}
