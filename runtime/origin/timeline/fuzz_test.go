package timeline

import (
	"net/url"
	"testing"
	"time"
)

// FuzzRequest reads paths and queries of any client.
func FuzzRequest(f *testing.F) {
	for _, seed := range [][2]string{
		{"/live/seg_2/window_6/start_100/event_20_5/gone/240p.m3u8", ""},
		{"/live/start_100/signed_5/240p/3.m4s", "exp=200000&sig=x"},
		{"/live/start_100/passes_5/pass_1001/240p/3.m4s", ""},
		{"/live/start_100/ads/240p/ad-x-7.m4s", "session=x"},
		{"/live/start_100/event_20_5/newnames/240p/e2-1.m4s", ""},
		{"/live/start_100/parts/canskip/canblock/480p.m3u8", "_HLS_skip=YES&_HLS_msn=9223372036854775807"},
		{"/live/start_100/wrap_3/twins/audiob/2.m4s", ""}, {"/vod/dur_9/cameras/watermark/master.m3u8", "session=%0a"},
		{"/live/start_100/event_20_5/timeline/twins/manifest.mpd", ""}, {"/vod/dur_9/byterange/manifest.mpd", ""}, {"/live/start_100/signed_5/slate_2/manifest.mpd", ""},
	} {
		f.Add(seed[0], seed[1], int64(1000))
	}
	c := catalog(f)
	f.Fuzz(func(t *testing.T, path, query string, now int64) {
		r, err := Parse(path)
		if err != nil {
			return
		}
		q, _ := url.ParseQuery(query) // what is wrong in it is left out, as net/http does
		v := Visit{Now: time.Unix(now%maxUnix, 0), Query: q, Session: SessionOf(q)}
		_ = r.Fault(path, v.Now.Unix())
		_ = r.Expired(path, v)
		if wait := r.Blocks(v); wait < 0 || wait > 3*time.Minute {
			t.Errorf("waits %v", wait)
		}
		switch {
		case r.Kind == Multivariant:
			c.AppendMultivariantAt(nil, r.Knobs, v)
		case r.Kind == Manifest:
			_, _ = c.AppendMPDAt(nil, r.Knobs, v) // as below
		case r.Kind == MediaPlaylist:
			_, _ = c.AppendPlaylistAt(nil, r, v) // that there is none is no panic
		case r.Kind == Segment && r.Exists(v.Now.Unix()):
			if b := c.AppendSegmentAt(nil, r, v); len(b) == 0 {
				t.Error("an empty segment")
			}
		}
	})
}
