package origin

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"
)

// base is a second at which minutes begin, and start the path of a live stream that began then.
var base = time.Unix(1_795_367_400, 0)

const begun = "/live/seg_2/window_4/ren_1/start_1795367400/"

// lines are the lines of a body that are no tags.
func lines(body []byte) (out []string) {
	for _, line := range strings.Split(string(body), "\n") {
		if line != "" && line[0] != '#' {
			out = append(out, line)
		}
	}
	return out
}

// ask fetches a path, which must be answered with the status.
func ask(t *testing.T, url string, status int, headers ...string) (*http.Response, []byte) {
	t.Helper()
	res, body, err := get(t, url, headers...)
	if err != nil || res.StatusCode != status {
		t.Fatalf("%s: %s, %v, want %d", url, res.Status, err, status)
	}
	return res, body
}

func TestEvents(t *testing.T) {
	clock := base
	_, url := start(t, func() time.Time { return clock })
	at := func(seconds int64) { clock = base.Add(time.Duration(seconds) * time.Second) }
	path := url + begun + "event_10_6/"
	list := func() string { _, b := ask(t, path+"240p.m3u8", 200); return string(b) }
	segment := func() []byte { _, b := ask(t, path+"240p/2.m4s", 200); return b }

	at(8)
	first, bytes1 := list(), segment()
	if !strings.Contains(first, "SEQUENCE:0\n") || strings.Contains(first, "ENDLIST") || !strings.Contains(first, "240p/3.m4s") {
		t.Errorf("in the first event:\n%s", first)
	}
	at(12)
	if ended := list(); !strings.Contains(ended, "ENDLIST") || !strings.Contains(ended, "240p/4.m4s") {
		t.Errorf("after it:\n%s", ended)
	}
	at(17)
	if still := list(); !strings.Contains(still, "ENDLIST") {
		t.Errorf("the next one has no segment yet:\n%s", still)
	}
	at(24)
	if again := list(); again == first || !strings.Contains(again, "240p/3.m4s") || strings.Contains(again, "ENDLIST") {
		t.Errorf("in the second event:\n%s", again)
	}
	if bytes.Equal(bytes1, segment()) {
		t.Error("the second event has the media of the first")
	}
	at(14)
	ask(t, url+begun+"event_10_6/gone/240p.m3u8", 404)
	at(24)
	_, named := ask(t, url+begun+"event_10_6/newnames/240p.m3u8", 200)
	if names := lines(named); names[0] != "240p/e1-0.m4s" {
		t.Errorf("names %v", names)
	}
	_, old := ask(t, url+begun+"event_10_6/newnames/240p/e0-2.m4s", 200)
	if !bytes.Equal(old, bytes1) {
		t.Error("the first event's segment has other bytes now")
	}
	// Without a gap no end is ever shown.
	at(10)
	if _, b := ask(t, url+begun+"event_10_0/240p.m3u8", 200); strings.Contains(string(b), "ENDLIST") || !strings.Contains(string(b), "240p/4.m4s") {
		t.Errorf("as the second event begins:\n%s", b)
	}
}

func TestURLsThatExpire(t *testing.T) {
	clock := base.Add(20 * time.Second)
	_, url := start(t, func() time.Time { return clock })
	for _, path := range []string{begun + "signed_5/", "/vod/dur_20/signed_5/"} {
		clock = base.Add(20 * time.Second)
		_, body := ask(t, url+path+"240p.m3u8", 200)
		uri := lines(body)[1]
		_, whole := ask(t, url+path+uri, 200)
		ask(t, url+path+strings.Split(uri, "?")[0], 403)
		ask(t, url+path+strings.Replace(uri, "sig=", "sig=x", 1), 403)
		clock = clock.Add(time.Millisecond)
		_, body = ask(t, url+path+"240p.m3u8", 200)
		again := lines(body)[1]
		if again == uri || strings.Split(again, "?")[0] != strings.Split(uri, "?")[0] {
			t.Errorf("%s is signed again as %s", uri, again)
		}
		if _, b := ask(t, url+path+again, 200); !bytes.Equal(b, whole) {
			t.Error("another signature, other bytes")
		}
		clock = clock.Add(5 * time.Second)
		ask(t, url+path+uri, 403)
	}
	clock = base.Add(20 * time.Second)
	_, master := ask(t, url+begun+"expire_5/master.m3u8", 200)
	uri := lines(master)[0]
	ask(t, url+begun+"expire_5/"+uri, 200)
	clock = clock.Add(5 * time.Second)
	ask(t, url+begun+"expire_5/"+uri, 403)
}

func TestPassesThatExpire(t *testing.T) {
	clock := base.Add(20 * time.Second)
	_, url := start(t, func() time.Time { return clock })
	path := begun + "passes_5/"
	_, body := ask(t, url+path+"240p.m3u8", 200)
	uri := lines(body)[1]
	_, whole := ask(t, url+path+uri, 200)
	pass, name, _ := strings.Cut(uri, "/")
	ask(t, url+path+name, 403)
	clock = clock.Add(time.Second)
	_, body = ask(t, url+path+"240p.m3u8", 200)
	again := lines(body)[1]
	if strings.HasPrefix(again, pass) || !strings.HasSuffix(again, "/"+name) {
		t.Errorf("%s is %s a second later", uri, again)
	}
	if _, b := ask(t, url+path+again, 200); !bytes.Equal(b, whole) {
		t.Error("another pass, other bytes")
	}
	clock = clock.Add(4 * time.Second)
	ask(t, url+path+uri, 403)
}

func TestSessions(t *testing.T) {
	clock := base.Add(20 * time.Second)
	_, url := start(t, func() time.Time { clock = clock.Add(time.Microsecond); return clock })
	// read follows a master to the second segment of its first rendition.
	read := func(path string, headers ...string) (uri string, body []byte) {
		_, master := ask(t, url+path+"master.m3u8", 200, headers...)
		_, list := ask(t, url+path+lines(master)[0], 200, headers...)
		uri = lines(list)[1]
		_, body = ask(t, url+path+uri, 200, headers...)
		return uri, body
	}
	for _, knob := range []string{"ads", "ads/ts", "watermark", "watermark/ts"} {
		one, bytes1 := read(strings.Replace(begun, "seg_2", "seg_1", 1) + knob + "/")
		two, bytes2 := read(strings.Replace(begun, "seg_2", "seg_1", 1) + knob + "/")
		if one == two || bytes.Equal(bytes1, bytes2) {
			t.Errorf("%s: %s and %s are the same for two sessions", knob, one, two)
		}
	}
	path := strings.Replace(begun, "seg_2/", "", 1) + "seg_1/cookie/watermark/"
	var cookies []string
	for range 2 {
		res, _ := ask(t, url+path+"master.m3u8", 200)
		cookies = append(cookies, strings.Split(res.Header.Get("Set-Cookie"), ";")[0])
	}
	ask(t, url+path+"240p.m3u8", 403)
	one, bytes1 := read(path, "Cookie", cookies[0])
	two, bytes2 := read(path, "Cookie", cookies[1])
	if one != two || bytes.Equal(bytes1, bytes2) || cookies[0] == cookies[1] {
		t.Errorf("cookies %v: %s and %s", cookies, one, two)
	}
	for knob, want := range map[string]string{
		"edges": `^/live/.*/edge_\d+/master.m3u8$`, "sessions": `^/live/.*/sessions/240p.m3u8\?session=`,
	} {
		name := map[string]string{"edges": "master.m3u8", "sessions": "240p.m3u8"}[knob]
		res, _ := ask(t, url+begun+knob+"/"+name, 302)
		if !regexp.MustCompile(want).MatchString(res.Header.Get("Location")) {
			t.Errorf("%s: %s", knob, res.Header.Get("Location"))
		}
		ask(t, url+res.Header.Get("Location"), 200)
	}
}

func TestTwins(t *testing.T) {
	_, url := start(t, nil)
	segment := func(knob, track string) []byte {
		_, b := ask(t, url+"/vod/ren_2/"+knob+"/"+track+"/3.m4s", 200)
		return b
	}
	for knob, same := range map[string]bool{"twins": false, "cameras": false, "backup": true} {
		_, master := ask(t, url+"/vod/ren_2/"+knob+"/master.m3u8", 200)
		track := "240p"
		if knob == "twins" {
			track = "audio"
			for _, group := range []string{`GROUP-ID="audio",`, `GROUP-ID="audiob",`, `,AUDIO="audio"`, `,AUDIO="audiob"`} {
				if !strings.Contains(string(master), group) {
					t.Errorf("%s has no %s:\n%s", knob, group, master)
				}
			}
		} else if names := lines(master); names[0] != "240p.m3u8" || names[1] != "240pb.m3u8" || len(names) != 3 {
			t.Errorf("%s lists %v", knob, names)
		}
		ask(t, url+"/vod/ren_2/"+knob+"/"+track+"b.m3u8", 200)
		if got := bytes.Equal(segment(knob, track), segment(knob, track+"b")); got != same {
			t.Errorf("%s: equal bytes: %v", knob, got)
		}
	}
}

func TestNamesThatComeAgain(t *testing.T) {
	clock := base.Add(13 * time.Second) // six segments
	_, url := start(t, func() time.Time { return clock })
	for knob, same := range map[string]bool{"loop_4": true, "wrap_4": false} {
		clock = base.Add(9 * time.Second)
		_, before := ask(t, url+begun+knob+"/240p/1.m4s", 200)
		clock = base.Add(13 * time.Second)
		_, list := ask(t, url+begun+knob+"/240p.m3u8", 200)
		if names := strings.Join(lines(list), " "); names != "240p/2.m4s 240p/3.m4s 240p/0.m4s 240p/1.m4s" || !strings.Contains(string(list), "SEQUENCE:2\n") {
			t.Errorf("%s: %s", knob, list)
		}
		_, after := ask(t, url+begun+knob+"/240p/1.m4s", 200)
		if bytes.Equal(before, after) != same {
			t.Errorf("%s: the same bytes: %v", knob, !same)
		}
	}
}

func TestOddPlaylists(t *testing.T) {
	clock := base.Add(22 * time.Second) // eleven segments
	_, url := start(t, func() time.Time { return clock })
	long := strings.Replace(begun, "window_4", "window_10", 1)
	for path, want := range map[string]string{
		"negative/240p.m3u8": "#EXTINF:-2.000000,\n240p/7.m4s\n",
		"canskip/240p.m3u8":  "#EXT-X-SERVER-CONTROL:CAN-SKIP-UNTIL=12\n",
		"canskip/240p.m3u8?_HLS_skip=YES": "#EXT-X-SKIP:SKIPPED-SEGMENTS=4\n#EXT-X-PROGRAM-DATE-TIME:" +
			base.Add(10*time.Second).UTC().Format("2006-01-02T15:04:05.000Z07:00") + "\n#EXTINF:2.000000,\n240p/5.m4s\n",
		"canblock/240p.m3u8": "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES\n",
		"parts/240p.m3u8":    "#EXT-X-PART:DURATION=1.0,INDEPENDENT=YES,URI=\"240p/10p2.m4s\"\n#EXTINF:2.000000,\n240p/10.m4s\n#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"240p/11p1.m4s\"\n",
		"dvr/240p.m3u8":      "#EXT-X-PLAYLIST-TYPE:EVENT\n",
	} {
		if _, body := ask(t, url+long+path, 200); !strings.Contains(string(body), want) {
			t.Errorf("%s:\n%s", path, body)
		}
	}
	ask(t, url+long+"parts/240p/10p2.m4s", 200)
	ask(t, url+long+"parts/240p/11p1.m4s", 404)
	_, all := ask(t, url+"/live/ren_1/seg_1/dvr/240p.m3u8", 200)
	if n := len(lines(all)); n != 50_000 {
		t.Errorf("%d entries of the whole history", n)
	}
	_, slate := ask(t, url+long+"slate_3/240p.m3u8", 200)
	if got := strings.Join(lines(slate)[5:], " "); got != "240p/6.m4s 240p/0.m4s 240p/0.m4s 240p/0.m4s 240p/10.m4s" {
		t.Errorf("a slate: %s", got)
	}
	// Half of the answers are old.
	edges := map[string]int{}
	for range 40 {
		clock = clock.Add(time.Millisecond)
		_, body := ask(t, url+begun+"stale_2/240p.m3u8", 200)
		names := lines(body)
		edges[names[len(names)-1]]++
	}
	if edges["240p/8.m4s"] < 10 || edges["240p/10.m4s"] < 10 {
		t.Errorf("the newest segments of forty answers: %v", edges)
	}
	late := strings.Replace(begun, "ren_1", "ren_2", 1) + "late_25/master.m3u8"
	_, before := ask(t, url+late, 200)
	clock = base.Add(25 * time.Second)
	if _, after := ask(t, url+late, 200); len(lines(before)) != 1 || strings.Join(lines(after), " ") != "360p.m3u8 240p.m3u8" {
		t.Errorf("%s\nthen\n%s", before, after)
	}
}

func TestBlockingReloadWaits(t *testing.T) {
	began := time.Now()
	_, url := start(t, func() time.Time { return base.Add(19500*time.Millisecond + time.Since(began)) })
	_, body := ask(t, url+begun+"canblock/240p.m3u8?_HLS_msn=9", 200)
	if !strings.Contains(string(body), "240p/9.m4s") {
		t.Errorf("answered without the segment:\n%s", body)
	}
}

// TestUntrueValidators: with them a client that asks conditionally never hears of a change, and one that does not, does.
func TestUntrueValidators(t *testing.T) {
	clock := base.Add(20 * time.Second)
	_, url := start(t, func() time.Time { return clock })
	for _, knob := range []string{"notmodified", "onetag"} {
		for _, name := range []string{"240p.m3u8", "timeline/manifest.mpd"} {
			at := url + begun + knob + "/" + name
			clock = base.Add(20 * time.Second)
			first, before := ask(t, at, 200)
			clock = base.Add(26 * time.Second)
			ask(t, at, 304, "If-None-Match", first.Header.Get("ETag"))
			second, after := ask(t, at, 200)
			if bytes.Equal(before, after) {
				t.Errorf("%s %s: nothing has changed", knob, name)
			}
			if same := first.Header.Get("ETag") == second.Header.Get("ETag"); same != (knob == "onetag") {
				t.Errorf("%s %s: the same ETag: %v", knob, name, same)
			}
		}
		first, _ := ask(t, url+begun+knob+"/240p/3.m4s", 200)
		ask(t, url+begun+knob+"/240p/3.m4s", 200, "If-None-Match", `"other"`)
		if first.Header.Get("ETag") == oneTag {
			t.Errorf("%s has an effect on segments", knob)
		}
	}
}

func TestBusyOriginSaysWhenToComeBack(t *testing.T) {
	clock := base.Add(12 * time.Second)
	_, url := start(t, func() time.Time { return clock })
	for _, name := range []string{"master.m3u8", "240p.m3u8", "240p/3.m4s"} {
		if res, _ := ask(t, url+begun+"busy_10_20/"+name, 429); res.Header.Get("Retry-After") != "8" {
			t.Errorf("%s: Retry-After %q", name, res.Header.Get("Retry-After"))
		}
	}
	clock = base.Add(20 * time.Second)
	ask(t, url+begun+"busy_10_20/240p.m3u8", 200)
}

func TestOddBodies(t *testing.T) {
	_, url := start(t, nil)
	_, whole := ask(t, url+"/vod/240p/3.m4s", 200)
	res, body := ask(t, url+"/vod/gzip/240p/3.m4s", 200)
	z, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil || res.Header.Get("Content-Encoding") != "gzip" {
		t.Fatalf("gzip: %v, %v", err, res.Header)
	}
	if plain, err := io.ReadAll(z); err != nil || !bytes.Equal(plain, whole) {
		t.Errorf("gzip: %d bytes, %v", len(plain), err)
	}
	res, body = ask(t, url+"/vod/nolength/240p/3.m4s", 200)
	if res.ContentLength >= 0 || len(res.TransferEncoding) > 0 || !res.Close || !bytes.Equal(body, whole) {
		t.Errorf("nolength: %d, %v, closes %v", res.ContentLength, res.TransferEncoding, res.Close)
	}
	res, body = ask(t, url+"/vod/chunked/240p/3.m4s", 200)
	if res.ContentLength >= 0 || fmt.Sprint(res.TransferEncoding) != "[chunked]" || !bytes.Equal(body, whole) {
		t.Errorf("chunked: %d, %v", res.ContentLength, res.TransferEncoding)
	}
	_, file := ask(t, url+"/vod/dur_8/byterange/240p.mp4", 200)
	if _, got := ask(t, url+"/vod/dur_8/byterange/norange/240p.mp4", 200, "Range", "bytes=5-99"); !bytes.Equal(got, file) {
		t.Errorf("norange: %d bytes", len(got))
	}
}

func TestKnobsThatDisagree(t *testing.T) {
	_, url := start(t, nil)
	for _, path := range []string{
		"/live/ren_1/twins/", "/live/loop_3/wrap_3/", "/live/gone/", "/live/newnames/", "/live/event_3_1/", "/vod/byterange/cameras/",
		"/vod/dvr/", "/live/norange/loop_0/", "/live/busy_9_9/", "/live/busy_9_61/", "/live/twins/backup/",
	} {
		ask(t, url+path+"master.m3u8", 400)
	}
	for _, name := range []string{"240p/ad-x-1.m4s", "240p/e0-1.m4s", "240p/1p1.m4s", "240pb/1.m4s"} {
		ask(t, url+"/live/"+name, 404)
	}
}
