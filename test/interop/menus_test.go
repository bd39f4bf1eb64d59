package interop

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/test/lab"
)

// TestPlayerPageMenus plays a stream that has audio in two languages, captions and a picture: the page shows the picture before
// playback, and a person can choose in the menus, in either format.
func TestPlayerPageMenus(t *testing.T) {
	t.Parallel()
	for format, path := range map[string]string{"HLS": "/vod/dur_120/fmp4/audio/master.m3u8", "DASH": dashPaths["vod"]} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			testMenus(t, path, format)
		})
	}
}

func testMenus(t *testing.T, path, format string) {
	t.Helper()
	pool.Take(t, 1)
	var picture, german atomic.Int64
	s := startStreamBehind(t, path, nil, func(origin string) string { return translated(t, origin, &picture, &german) })
	s.startSeeder(t)
	p := openPlayer(t, sharedBrowser(t), s, "?poster=poster.png")
	p.does(countStalls)
	p.eventually("the poster", fmt.Sprintf(`video.poster === %q`, s.source[:strings.LastIndex(s.source, "/")]+"/poster.png"))
	lab.Eventually(t, 30*time.Second, "the picture to be asked for", func() bool { return picture.Load() > 0 })

	p.eventually("two languages", `shown("audio-menu") && [...document.getElementById("audio").options].map((o) => o.text).join() === `+
		map[string]string{"HLS": `"English,Deutsch"`, "DASH": `"en,de"`}[format])
	p.does(`choose("audio", 1)`)
	p.eventually("the German audio", `document.getElementById("audio").selectedIndex === 1 && ((p) => `+
		map[string]string{"HLS": `p.audioTrack === 1`, "DASH": `p.getVariantTracks().some((t) => t.active && t.language === "de")`}[format]+`)(globalThis.p2pstreamViewer.player)`)
	lab.Eventually(t, 30*time.Second, "German audio to be asked for", func() bool { return german.Load() > 0 })

	const cue = `[...video.textTracks].some((t) => t.mode === "showing" && [...t.activeCues ?? []].some((c) => c.text.startsWith("Caption ")))`
	p.eventually("a menu of captions", `shown("captions-menu") && document.getElementById("captions").options.length === 2 && text("captions").startsWith("Off")`)
	if p.is(cue) {
		t.Error("captions are shown that nobody has chosen")
	}
	p.does(`choose("captions", 1)`)
	p.eventually("captions", cue)
	p.does(`press("c")`)
	p.eventually("the key to take captions away", `!(`+cue+`) && document.getElementById("captions").selectedIndex === 0`)

	played := `video.currentTime > 20 && globalThis.p2pstreamViewer.counters.seeder > 0`
	p.eventually("the stream to play on with peers", played)
	p.eventually("the page to say so", `text("status").startsWith("Playing")`)
	const said = `globalThis.stallsSeen.join(", ") + (shown("notice") ? "; " + text("what") : "")`
	if got := p.says(said); got != "" {
		t.Errorf("playback stalled, or the page says that something is wrong: %s", got)
	}
}

// countStalls notes stalls as other pages of this suite do: 250 ms without media to play. What the page itself counts is each
// time that Chromium's decoder has to wait.
const countStalls = `globalThis.stallsSeen = [], video.addEventListener("waiting", () => {
	const time = video.currentTime;
	setTimeout(() => {
		if (!time || video.currentTime !== time || video.seeking || video.paused) return;
		globalThis.stallsSeen.push("stalled at " + time);
	}, 250);
})`

// translated is a server before an origin that adds a second language, captions and a picture to each manifest, and returns its
// URL. It counts requests for the picture and for media of the second language.
func translated(t testing.TB, origin string, picture, german *atomic.Int64) string {
	t.Helper()
	to := lab.Must[*url.URL](t)(url.Parse(origin))
	media := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(to)
			r.Out.URL.Path = strings.Replace(r.In.URL.Path, "/de/", "/", 1)
		},
		ModifyResponse: addTracks,
	}
	var poster bytes.Buffer
	if err := png.Encode(&poster, image.NewGray(image.Rect(0, 0, 16, 9))); err != nil {
		t.Fatal(err)
	}
	own := map[string]struct{ kind, content string }{
		"poster.png":    {"image/png", poster.String()},
		"captions.vtt":  {"text/vtt", captions()},
		"captions.m3u8": {"application/vnd.apple.mpegurl", "#EXTM3U\n#EXT-X-TARGETDURATION:120\n#EXT-X-PLAYLIST-TYPE:VOD\n#EXTINF:120,\ncaptions.vtt\n#EXT-X-ENDLIST\n"},
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := path.Base(r.URL.Path)
		switch file, ours := own[name]; {
		case ours:
			if name == "poster.png" {
				picture.Add(1)
			}
			w.Header().Set("Access-Control-Allow-Origin", "*")
			w.Header().Set("Content-Type", file.kind)
			_, _ = io.WriteString(w, file.content) // a page that went away needs no answer
		default:
			if strings.Contains(r.URL.Path, "/de/") && path.Ext(name) == ".m4s" {
				german.Add(1)
			}
			media.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// captions are a cue for each second of two minutes.
func captions() string {
	var b strings.Builder
	b.WriteString("WEBVTT\n")
	for i := range 120 {
		_, _ = fmt.Fprintf(&b, "\n%02d:%02d.000 --> %02d:%02d.000\nCaption %d\n", i/60, i%60, (i+1)/60, (i+1)%60, i)
	}
	return b.String()
}

var (
	hlsAudio = regexp.MustCompile(`(?m)^#EXT-X-MEDIA:TYPE=AUDIO.*\n`)
	hlsLevel = regexp.MustCompile(`(?m)^#EXT-X-STREAM-INF:.*$`)
	mpdAudio = regexp.MustCompile(`(?s)<AdaptationSet contentType="audio".*?</AdaptationSet>\n`)
)

// addTracks changes manifests on their way.
func addTracks(r *http.Response) error {
	name := path.Base(r.Request.URL.Path)
	if name != "master.m3u8" && name != "manifest.mpd" || r.StatusCode != http.StatusOK {
		return nil
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	text := string(body)
	if name == "master.m3u8" {
		text = hlsAudio.ReplaceAllStringFunc(text, func(english string) string {
			return english + strings.NewReplacer("English", "Deutsch", `"en"`, `"de"`, "DEFAULT=YES", "DEFAULT=NO", `URI="`, `URI="de/`).Replace(english) +
				"#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID=\"text\",NAME=\"English\",LANGUAGE=\"en\",DEFAULT=NO,AUTOSELECT=NO,URI=\"captions.m3u8\"\n"
		})
		text = hlsLevel.ReplaceAllString(text, `$0,SUBTITLES="text"`)
	} else {
		text = mpdAudio.ReplaceAllStringFunc(text, func(english string) string {
			return english + strings.NewReplacer(`lang="en"`, `lang="de"`, `id="audio"`, `id="de"`, `"audio/init`, `"de/audio/init`, `"audio/$`, `"de/audio/$`).Replace(english) +
				`<AdaptationSet contentType="text" mimeType="text/vtt" lang="en"><Representation id="text" bandwidth="1000"><BaseURL>captions.vtt</BaseURL></Representation></AdaptationSet>` + "\n"
		})
	}
	r.Body = io.NopCloser(strings.NewReader(text))
	r.ContentLength = int64(len(text))
	r.Header.Set("Content-Length", strconv.Itoa(len(text)))
	r.Header.Del("ETag")
	return nil
}
