package origin

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/manifest/dash"
)

// listing are the segments of each rendition of an MPD at the origin's time, by name.
func listing(t *testing.T, url string, now time.Time) (*dash.Presentation, map[string]*dash.Playlist) {
	t.Helper()
	res, body, err := get(t, url)
	if err != nil || res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != "application/dash+xml" {
		t.Fatalf("%s: %v, %v\n%s", url, err, res, body)
	}
	p, err := dash.Parse(body, url)
	if err != nil {
		t.Fatalf("%s: %v\n%s", url, err, body)
	}
	lists := map[string]*dash.Playlist{}
	for _, r := range p.Renditions {
		if lists[r.Name], err = p.Playlist(r, now, nil); err != nil {
			t.Fatalf("%s of %s: %v\n%s", r.Name, url, err, body)
		}
	}
	return p, lists
}

// TestMPDListsWhatIsThere compares what a player sees in an MPD with the HLS playlist of the same stream: the same names,
// and all of them are there.
func TestMPDListsWhatIsThere(t *testing.T) {
	now := today.Add(300 * time.Millisecond)
	_, base := start(t, func() time.Time { return now })
	for _, path := range []string{
		"/live/ren_1/", "/live/seg_2/window_6/audio/ren_1/", "/live/timeline/audio/ren_1/", "/vod/dur_22/ren_1/", "/vod/dur_22/timeline/audio/ren_1/",
		"/live/start_1795367000/end_1795367200/ren_1/", "/live/start_1795367000/end_1795367200/timeline/ren_1/", "/live/start_1795367000/event_60_8/ren_1/",
		"/live/start_1795367000/event_60_8/newnames/ren_1/", "/live/start_1795367000/signed_9/ren_1/", "/live/passes_9/ren_1/",
	} {
		_, lists := listing(t, base+path+"manifest.mpd", now)
		for _, list := range lists {
			_, text, err := get(t, base+path+"240p.m3u8")
			if list.Segments[0].Init != nil && strings.HasSuffix(list.Segments[0].Init.URL, "/audio/init.mp4") {
				_, text, err = get(t, base+path+"audio.m3u8")
			}
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for line := range strings.Lines(string(text)) {
				if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
					names = append(names, base+path+line)
				}
			}
			if len(names) == 0 || len(names) != len(list.Segments) {
				t.Errorf("%s: HLS lists %d segments, DASH %d", path, len(names), len(list.Segments))
				continue
			}
			for i, s := range list.Segments {
				if s.URL != names[i] {
					t.Errorf("%s: segment %d is %s, not %s as in HLS", path, i, s.URL, names[i])
				}
			}
			for _, url := range []string{list.Segments[0].URL, list.Segments[len(list.Segments)-1].URL, list.Segments[0].Init.URL} {
				if res, _, err := get(t, url); err != nil || res.StatusCode != http.StatusOK {
					t.Errorf("%s: %s: %v, %v", path, url, err, res)
				}
			}
		}
	}
}

func TestMPDOfRanges(t *testing.T) {
	_, base := start(t, nil)
	_, lists := listing(t, base+"/vod/dur_22/byterange/ren_1/manifest.mpd", today)
	if len(lists) != 1 {
		t.Fatalf("%d renditions", len(lists))
	}
	_, whole, err := get(t, base+"/vod/dur_22/byterange/ren_1/240p.mp4")
	if err != nil {
		t.Fatal(err)
	}
	for _, list := range lists {
		init := list.Segments[0].Init
		at := init.Range.Length
		if init.Range.Offset != 0 || string(whole[at+4:at+8]) != "styp" || len(list.Segments) != 6 {
			t.Errorf("the initialization is %+v, of %d segments", init.Range, len(list.Segments))
		}
		for _, s := range list.Segments {
			if s.Range.Offset != at || string(whole[at+4:at+8]) != "styp" {
				t.Errorf("segment %d is at %d, not %d", s.IDs.Counted, s.Range.Offset, at)
			}
			at += s.Range.Length
		}
		if at != int64(len(whole)) {
			t.Errorf("the ranges end at %d of %d", at, len(whole))
		}
	}
}

// TestMPDKeepsNumbers: an event that ends keeps the numbers of its segments, and the next one begins anew.
func TestMPDKeepsNumbers(t *testing.T) {
	now := today
	_, base := start(t, func() time.Time { return now })
	url := base + "/live/start_1795367000/event_60_8/ren_1/manifest.mpd"
	ids := func(at int64) (*dash.Presentation, map[string]int64) {
		now = time.Unix(1795367000+at, int64(500*time.Millisecond))
		p, lists := listing(t, url, now)
		out := map[string]int64{}
		for _, s := range lists["240p"].Segments {
			out[s.URL] = s.IDs.Counted
		}
		return p, out
	}
	live, before := ids(58)
	ended, after := ids(61)
	if !live.Live || ended.Dynamic || len(before) != 10 || len(after) != 10 {
		t.Fatalf("live %v with %d segments, then ended %v with %d", live.Live, len(before), !ended.Dynamic, len(after))
	}
	common := 0
	for key, id := range after {
		if other, both := before[key]; both && other != id {
			t.Errorf("%s was %d and is %d", key, other, id)
		} else if both {
			common++
		}
	}
	if common != 9 {
		t.Errorf("%d segments in common", common)
	}
	next, fresh := ids(80)
	if !next.Live || !next.AvailabilityStart.Equal(time.Unix(1795367068, 0)) || len(fresh) != 3 {
		t.Errorf("the next event: live %v since %v, %d segments", next.Live, next.AvailabilityStart, len(fresh))
	}
}

func TestMPDFaults(t *testing.T) {
	_, base := start(t, nil)
	for path, want := range map[string]int{
		"/live/ts/manifest.mpd": 404, "/live/redirect/manifest.mpd": 302, "/live/edges/manifest.mpd": 302, "/live/down_0_60/manifest.mpd": 503,
		"/live/start_1795367000/event_60_330/gone/manifest.mpd": 404, "/vod/window_6/manifest.mpd": 400, "/vod/manifest.mpd": 200, "/vod/cookie/240p/0.m4s": 403,
	} {
		if res, body, err := get(t, base+path); err != nil || res.StatusCode != want {
			t.Errorf("%s: %v, %v, want %d\n%s", path, err, res.Status, want, body)
		}
	}
	if _, body, _ := get(t, base+"/vod/notplaylist/manifest.mpd"); !strings.HasPrefix(string(body), "<!doctype html>") {
		t.Errorf("notplaylist: %.60s", body)
	}
}

func TestClock(t *testing.T) {
	_, base := start(t, nil)
	p, _ := listing(t, base+"/live/manifest.mpd", today)
	if len(p.Clocks) != 1 || p.Clocks[0].Method != dash.ClockGet || p.Clocks[0].URL != base+"/time" {
		t.Fatalf("clocks %+v", p.Clocks)
	}
	_, body, err := get(t, p.Clocks[0].URL)
	if err != nil || string(body) != today.UTC().Format("2006-01-02T15:04:05.000Z") {
		t.Errorf("%q, %v", body, err)
	}
}
