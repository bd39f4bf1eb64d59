package proxy

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/manifest/dash"
)

// filmMPD is a film with one of each kind of addressing that needs no real media.
const filmMPD = `<?xml version="1.0"?>
<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT24S" minBufferTime="PT4S">
<BaseURL>media/</BaseURL>
<Period id="p" start="PT0S">
<AdaptationSet contentType="video" mimeType="video/mp4">
<SegmentTemplate duration="4" startNumber="0" initialization="$RepresentationID$/init.mp4" media="$RepresentationID$/$Number%03d$.m4s?token=secret"/>
<Representation id="low" bandwidth="1000000" codecs="avc1.4d401f" width="640" height="360"/>
<Representation id="high" bandwidth="2000000" codecs="avc1.4d401f" width="1280" height="720"/>
</AdaptationSet>
<AdaptationSet contentType="audio" mimeType="audio/mp4" lang="en"><Representation id="a" bandwidth="100000" codecs="mp4a.40.2">
<BaseURL>all.mp4</BaseURL><SegmentList duration="4"><Initialization range="0-99"/>
<SegmentURL mediaRange="100-1099"/><SegmentURL mediaRange="1100-2099"/><SegmentURL mediaRange="2100-3099"/>
<SegmentURL mediaRange="3100-4099"/><SegmentURL mediaRange="4100-5099"/><SegmentURL mediaRange="5100-6099"/></SegmentList></Representation></AdaptationSet>
<AdaptationSet contentType="text" mimeType="text/vtt" lang="de"><Representation id="t" bandwidth="100"><BaseURL>de.vtt</BaseURL></Representation></AdaptationSet>
</Period></MPD>`

// liveMPD counts segments of 2 s from a time on, by the clock.
func liveMPD(since time.Time) string {
	return fmt.Sprintf(`<MPD type="dynamic" availabilityStartTime="%s" minimumUpdatePeriod="PT10S" timeShiftBufferDepth="PT20S" minBufferTime="PT2S">
<Location>/show/manifest.mpd?elsewhere</Location><Period id="0" start="PT0S"><AdaptationSet contentType="video" mimeType="video/mp4">
<BaseURL>/show/</BaseURL><SegmentTemplate duration="2" startNumber="1" initialization="init.mp4" media="$Number$.m4s"/>
<Representation id="a" bandwidth="1000" codecs="avc1.4d4015" width="320" height="180"/></AdaptationSet></Period></MPD>`, since.UTC().Format(time.RFC3339Nano))
}

// staged is an origin with an MPD, and a proxy for it.
func staged(t *testing.T, text string) (o *stage, base string) {
	t.Helper()
	o = newStage(t)
	o.texts["/show/manifest.mpd"] = text
	_, base, _ = proxied(t, o.URL+"/show/manifest.mpd", nil)
	return o, base
}

// read loads an MPD as a player does.
func read(t *testing.T, at string) *dash.Presentation {
	t.Helper()
	r := get(t, at)
	if kind := r.Header.Get("Content-Type"); kind != mpdType {
		t.Errorf("%s: type %s", at, kind)
	}
	for _, hidden := range []string{"secret", "elsewhere", "media/", "/show/"} {
		if bytes.Contains(r.body, []byte(hidden)) {
			t.Errorf("the MPD tells %q:\n%s", hidden, r.body)
		}
	}
	p, err := dash.Parse(r.body, at)
	if err != nil {
		t.Fatalf("%v\n%s", err, r.body)
	}
	return p
}

// segments are those of a rendition.
func segments(t *testing.T, p *dash.Presentation, i int) []dash.Segment {
	t.Helper()
	list, err := p.Playlist(p.Renditions[i], time.Now(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return list.Segments
}

// TestEverythingOfAnMPD fetches what a player would and holds it against the origin's bytes.
func TestEverythingOfAnMPD(t *testing.T) {
	o, base := staged(t, filmMPD)
	p := read(t, base+"/"+mpdName)
	equal := func(url, kind string, want []byte) {
		t.Helper()
		r := get(t, url)
		if !bytes.Equal(r.body, want) || r.Header.Get("Content-Type") != kind || r.ContentLength != int64(len(want)) {
			t.Errorf("%s: %d bytes, want %d; %v", url, len(r.body), len(want), r.Header)
		}
	}
	if len(p.Renditions) != 3 {
		t.Fatalf("%d renditions", len(p.Renditions))
	}
	for i, name := range []string{"low", "high"} {
		all := segments(t, p, i)
		if len(all) != stageFilms {
			t.Fatalf("%d segments", len(all))
		}
		equal(all[0].Init.URL, "video/mp4", film("/show/media/"+name+"/init.mp4"))
		for n, s := range all {
			equal(s.URL, "video/mp4", film(fmt.Sprintf("/show/media/%s/%03d.m4s", name, n)))
		}
	}
	whole := film("/show/media/all.mp4")
	all := segments(t, p, 2)
	equal(all[0].Init.URL, "audio/mp4", whole[:100])
	for n, s := range all {
		equal(s.URL, "audio/mp4", whole[100+1000*n:1100+1000*n])
	}
	equal(textURL(t, base), "text/vtt", film("/show/media/de.vtt"))
	for _, path := range []string{"/show/media/low/003.m4s", "/show/media/low/init.mp4"} {
		if n := o.count(path); n != 1 {
			t.Errorf("%s was fetched %d times", path, n)
		}
	}
	if n := o.count("/show/media/all.mp4"); n != 1+stageFilms {
		t.Errorf("the file of audio was asked %d times", n)
	}
}

// textURL is where an MPD leads for its subtitles: the only file that is named as a whole.
func textURL(t *testing.T, base string) string {
	t.Helper()
	for line := range strings.SplitSeq(string(get(t, base+"/"+mpdName).body), "<BaseURL>") {
		if url, _, _ := strings.Cut(line, "<"); strings.HasSuffix(url, "/file.vtt") {
			return url
		}
	}
	t.Fatal("no subtitles are named")
	return ""
}

// TestALiveMPD plays a stream whose segments follow from the clock. The player loads the MPD again under its own name.
func TestALiveMPD(t *testing.T) {
	o, base := staged(t, liveMPD(time.Now().Add(-time.Minute)))
	p := read(t, base+"/"+mpdName)
	if len(p.Reload) != 1 || !strings.HasPrefix(p.Reload[0], base+"/p/") {
		t.Fatalf("reloaded from %v", p.Reload)
	}
	again := read(t, p.Reload[0])
	all := segments(t, again, 0)
	if len(all) < 8 || all[0].URL != segments(t, p, 0)[0].URL && all[0].URL != segments(t, p, 0)[1].URL {
		t.Fatalf("%d segments from %s on", len(all), all[0].URL)
	}
	newest := all[len(all)-1]
	number := strings.TrimSuffix(newest.URL[strings.LastIndexByte(newest.URL, '-')+1:], ".m4s")
	if got := get(t, newest.URL).body; !bytes.Equal(got, film("/show/"+number+".m4s")) {
		t.Errorf("segment %s: %d bytes", number, len(got))
	}
	// The next one is published in two seconds at most.
	var n int
	if _, err := fmt.Sscan(number, &n); err != nil {
		t.Fatal(err)
	}
	next := strings.Replace(newest.URL, "-"+number+".", fmt.Sprintf("-%d.", n+1), 1)
	eventually(t, "the next segment", func() bool { return ask(t, http.MethodGet, next).StatusCode == http.StatusOK })
	far := strings.Replace(newest.URL, "-"+number+".", fmt.Sprintf("-%d.", n+1000), 1)
	if r := ask(t, http.MethodGet, far); r.StatusCode != http.StatusNotFound || !bytes.Contains(r.body, []byte("not published")) {
		t.Errorf("a segment of the future: %s %s", r.Status, r.body)
	}
	if n := o.count(fmt.Sprintf("/show/%d.m4s", n+1000)); n != 0 {
		t.Error("the origin was asked for a segment that is not published")
	}
}

// TestEachFormatHasItsName tells who opens the other one where to go.
func TestEachFormatHasItsName(t *testing.T) {
	o, base := staged(t, filmMPD)
	if r := ask(t, http.MethodGet, base+"/master.m3u8"); r.StatusCode != http.StatusNotFound || !bytes.Contains(r.body, []byte("/manifest.mpd")) {
		t.Errorf("%s %s", r.Status, r.body)
	}
	s, base, _ := proxied(t, o.URL+"/show/master.m3u8", nil)
	if r := ask(t, http.MethodGet, base+"/manifest.mpd"); r.StatusCode != http.StatusNotFound || !bytes.Contains(r.body, []byte("/master.m3u8")) {
		t.Errorf("%s %s", r.Status, r.body)
	}
	if !strings.HasSuffix(s.URL(), "/master.m3u8") {
		t.Errorf("an HLS stream starts at %s", s.URL())
	}
	s, _, _ = proxied(t, o.URL+"/show/manifest.mpd", nil)
	eventually(t, "the proxy to know its format", func() bool { return strings.HasSuffix(s.URL(), "/manifest.mpd") })
}

// TestMPDNamesAreTheSameAfterARestart: a player that has loaded an MPD goes on with another proxy.
func TestMPDNamesAreTheSameAfterARestart(t *testing.T) {
	o := newStage(t)
	o.texts["/show/manifest.mpd"] = filmMPD
	_, base, stop := proxied(t, o.URL+"/show/manifest.mpd", nil)
	url := segments(t, read(t, base+"/"+mpdName), 0)[2].URL
	stop()
	_, again, _ := proxied(t, o.URL+"/show/manifest.mpd", nil)
	if got := get(t, strings.Replace(url, base, again, 1)).body; !bytes.Equal(got, film("/show/media/low/002.m4s")) {
		t.Errorf("%d bytes", len(got))
	}
	for _, path := range []string{"/p/abcd/none/segment-1.m4s", "/p/abcd/x", "/p/abcd/manifest.mpd/x"} {
		if r := ask(t, http.MethodGet, again+path); r.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %s", path, r.Status)
		}
	}
}
