package manifest

import (
	"context"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
)

const mpdURL = "https://origin.test/live/manifest.mpd"

// show is an origin whose MPD is a function of the clock. Its times are those of the origin, which may differ from ours.
type show struct {
	text  func(now time.Time) string // of the MPD
	ahead time.Duration              // of the origin's clock
	fails func(*http.Request) *http.Response

	manifests, clocks int
}

func (s *show) now() time.Time { return time.Now().Add(s.ahead) }

func (s *show) RoundTrip(r *http.Request) (*http.Response, error) {
	if s.fails != nil {
		if a := s.fails(r); a != nil {
			return a, nil
		}
	}
	if r.URL.Path == "/time" {
		s.clocks++
		return answer(200, s.now().UTC().Format(time.RFC3339Nano)), nil
	}
	s.manifests++
	text := s.text(s.now())
	tag := fmt.Sprintf("\"%x\"", crc32.ChecksumIEEE([]byte(text)))
	if r.Header.Get("If-None-Match") == tag {
		return answer(304, ""), nil
	}
	return answer(200, text, "ETag", tag), nil
}

// byNumber is a live MPD of segments of 2 s, of which the last ten are kept.
func byNumber(since time.Time) string {
	return fmt.Sprintf(`<MPD type="dynamic" availabilityStartTime="%s" minimumUpdatePeriod="PT20S" timeShiftBufferDepth="PT20S">
<Period id="0" start="PT0S"><AdaptationSet contentType="video" mimeType="video/mp4"><SegmentTemplate timescale="1" duration="2" startNumber="0" media="$RepresentationID$/$Number$.m4s"/>
<Representation id="a" bandwidth="1000" codecs="avc1.4d4015" width="320" height="180"/><Representation id="b" bandwidth="2000" codecs="avc1.4d4015" width="640" height="360"/>
</AdaptationSet></Period><UTCTiming schemeIdUri="urn:mpeg:dash:utc:http-iso:2014" value="/time"/></MPD>`, since.UTC().Format(time.RFC3339Nano))
}

// byTimeline lists segments first to end of a live event in a timeline of 2 s; dynamic or, when it has ended, static.
func byTimeline(since time.Time, first, end int, live bool) string {
	kind := fmt.Sprintf(`type="dynamic" availabilityStartTime="%s" minimumUpdatePeriod="PT2S"`, since.UTC().Format(time.RFC3339Nano))
	if !live {
		kind = fmt.Sprintf(`type="static" mediaPresentationDuration="PT%dS"`, 2*end)
	}
	return fmt.Sprintf(`<?xml version="1.0"?><!-- made by hand --><MPD %s><Period id="0" start="PT0S"><AdaptationSet contentType="video" mimeType="video/mp4">
<SegmentTemplate timescale="10" media="$Time$.m4s"><SegmentTimeline><S t="%d" d="20" r="%d"/></SegmentTimeline></SegmentTemplate>
<Representation id="a" bandwidth="1000" codecs="avc1.4d4015" width="320" height="180"/></AdaptationSet></Period></MPD>`, kind, 20*first, end-first-1)
}

func TestFindsTheFormat(t *testing.T) {
	for text, want := range map[string]bool{
		"<MPD/>": true, "\ufeff<?xml version=\"1.0\"?>\r\n<!-- <html> --><MPD xmlns=\"x\">": true, "<mpd:MPD xmlns:mpd=\"x\">": true, "<!DOCTYPE MPD><MPD>": true,
		"#EXTM3U\n<MPD>": false, "<html><MPD>": false, "": false, "<!-- MPD": false, "<": false, "<MPDx>": false,
		strings.Repeat(" ", rootBytes+1) + "<MPD>": false,
	} {
		if got := isMPD([]byte(text)); got != want {
			t.Errorf("%.40q: %v", text, got)
		}
	}
}

func TestAForcedFormatIsKept(t *testing.T) {
	mpd, hls := byNumber(time.Now()), "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\na.m3u8\n"
	for _, c := range []struct {
		format, text, want string
		reason             Reason
	}{
		{"", mpd, FormatDASH, ""}, {FormatAuto, hls, FormatHLS, ""}, {FormatDASH, mpd, FormatDASH, ""}, {FormatHLS, hls, FormatHLS, ""},
		{FormatHLS, mpd, "", ReasonNotPlaylist}, {FormatDASH, hls, "", ReasonNotPlaylist}, {"", "<html>", "", ReasonNotPlaylist},
	} {
		s := newSource(t, SourceConfig{URL: mpdURL, Format: c.format, Transport: &show{text: func(time.Time) string { return c.text }}})
		p, err := s.Load(t.Context())
		if ReasonOf(err) != c.reason || (err == nil && p.Format != c.want) {
			t.Errorf("%q reads %.20q as %+v, %v", c.format, c.text, p, err)
		}
	}
	if _, err := NewSource(SourceConfig{URL: mpdURL, Format: "Smooth"}); err == nil || !strings.Contains(err.Error(), "config.format") {
		t.Errorf("an unknown format: %v", err)
	}
}

// seen is what Follow handed out.
type seen struct {
	lists  []*Playlist
	at     []time.Time
	errors []error
}

func (s *seen) on(p *Playlist, err error) {
	if err != nil {
		s.errors = append(s.errors, err)
		return
	}
	s.lists, s.at = append(s.lists, p), append(s.at, time.Now())
}

// watch loads and follows the first rendition, for a while.
func (s *show) watch(t *testing.T, limit time.Duration, pace Pace, during func(*Source)) *seen {
	t.Helper()
	source := newSource(t, SourceConfig{URL: mpdURL, Transport: s})
	p, err := source.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	out := &seen{}
	if during != nil {
		go during(source)
	}
	_ = source.FollowWith(ctx, p.Renditions[0], FollowOptions{Pace: pace, LookOn: true}, out.on) // its end is that of ctx
	return out
}

// TestMPDsByNumberAreNotAskedForSegments: where segments follow from the clock, each is seen when it is there, by the
// origin's clock, and the MPD is loaded as seldom as it says.
func TestMPDsByNumberAreNotAskedForSegments(t *testing.T) {
	for _, ahead := range []time.Duration{0, 3 * time.Hour, -90 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			o := &show{ahead: ahead}
			since := o.now().Add(-100 * time.Second)
			o.text = func(time.Time) string { return byNumber(since) }
			got := o.watch(t, 2*time.Minute, Ahead, nil)
			if len(got.errors) > 0 || len(got.lists) < 59 || len(got.lists) > 62 {
				t.Fatalf("%d states, %v", len(got.lists), got.errors)
			}
			for i, p := range got.lists[1:] {
				last := p.Segments[len(p.Segments)-1]
				there := since.Add(time.Duration(last.Sequence+1) * 2 * time.Second).Add(-ahead)
				if late := got.at[i+1].Sub(there); late < 0 || late > 100*time.Millisecond {
					t.Errorf("segment %d was seen %v after it was there", last.Sequence, late)
				}
				if last.ID(identity.V22) != 4*last.Sequence || last.ID(identity.V23) != last.ID(identity.V22) || last.NextID(identity.V22) != last.ID(identity.V22)+4 || len(p.Segments) != 10 {
					t.Errorf("%+v of %d", last, len(p.Segments))
				}
			}
			if o.manifests > 8 || o.clocks != 1 {
				t.Errorf("%d loads of the MPD and %d of the clock in two minutes, of an MPD that is good for 20 s", o.manifests, o.clocks)
			}
		})
	}
}

// TestASlowClockMakesNoSegmentEarly: how long the question was on its way, and how long the answer, is not known. The origin
// has no segment for a client that adds too much. What was slow at first is asked for again soon, but not again and again:
// a rendition waits for each answer.
func TestASlowClockMakesNoSegmentEarly(t *testing.T) {
	for name, slow := range map[string]struct {
		question, answer time.Duration
		always           bool
	}{
		"question": {question: 800 * time.Millisecond}, "answer": {answer: 800 * time.Millisecond},
		"question, always": {question: 800 * time.Millisecond, always: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := &show{ahead: time.Hour}
				since := o.now().Add(-101 * time.Second)
				o.text = func(time.Time) string { return byNumber(since) }
				o.fails = func(r *http.Request) *http.Response {
					if r.URL.Path != "/time" || (o.clocks > 0 && !slow.always) {
						return nil
					}
					o.clocks++
					time.Sleep(slow.question)
					text := o.now().UTC().Format(time.RFC3339Nano)
					time.Sleep(slow.answer)
					return answer(200, text)
				}
				got := o.watch(t, 3*time.Minute, Ahead, nil)
				if len(got.lists) < 88 || len(got.errors) > 0 || o.clocks != 2 {
					t.Fatalf("%d states, %v, the clock was asked %d times", len(got.lists), got.errors, o.clocks)
				}
				for i, p := range got.lists {
					last := p.Segments[len(p.Segments)-1]
					late := got.at[i].Sub(since.Add(time.Duration(last.Sequence+1) * 2 * time.Second).Add(-o.ahead))
					if late < 0 || (!slow.always && i > len(got.lists)/2+1 && late > 100*time.Millisecond) {
						t.Errorf("segment %d was listed %v after it was there", last.Sequence, late)
					}
				}
			})
		})
	}
}

// TestMPDIsLoadedOnceForAllRenditions: the media playlists of HLS are loaded one by one; an MPD has them all.
func TestMPDIsLoadedOnceForAllRenditions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &show{}
		since := o.now().Add(-100 * time.Second)
		o.text = func(now time.Time) string {
			n := int(now.Sub(since) / (2 * time.Second))
			return strings.Replace(byTimeline(since, n-10, n, true), "</AdaptationSet>", `<Representation id="b" bandwidth="2000" codecs="avc1.4d4015" width="640" height="360"/></AdaptationSet>`, 1)
		}
		source := newSource(t, SourceConfig{URL: mpdURL, Transport: o})
		p, err := source.Load(t.Context())
		if err != nil || len(p.Renditions) != 2 {
			t.Fatal(p, err)
		}
		loaded := o.manifests
		for _, r := range p.Renditions {
			list, err := source.LoadPlaylist(t.Context(), r)
			if err != nil || len(list.Segments) != 10 {
				t.Fatal(list, err)
			}
		}
		if o.manifests != loaded {
			t.Errorf("%d loads for two playlists of an MPD that has just come", o.manifests-loaded)
		}
	})
}

// TestAllRenditionsGoByTheClock: those that begin while it is asked for the first time wait for its answer.
func TestAllRenditionsGoByTheClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &show{ahead: -2 * time.Hour}
		since := o.now().Add(-100 * time.Second)
		o.text = func(time.Time) string { return byNumber(since) }
		o.fails = func(r *http.Request) *http.Response {
			if r.URL.Path == "/time" {
				time.Sleep(500 * time.Millisecond)
			}
			return nil
		}
		source := newSource(t, SourceConfig{URL: mpdURL, Transport: o})
		p, err := source.Load(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var loading sync.WaitGroup
		for _, r := range p.Renditions {
			loading.Go(func() {
				if list, err := source.LoadPlaylist(t.Context(), r); err != nil || list.LastSequence() != 49 {
					t.Errorf("%s ends with %v, %v", r.Name, list.LastSequence(), err)
				}
			})
		}
		loading.Wait()
	})
}

// TestTimelinesAreNumberedInOrder: an MPD that does not number its segments gives numbers without gaps all the same.
func TestTimelinesAreNumberedInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &show{}
		since := o.now().Add(-100 * time.Second)
		o.text = func(now time.Time) string {
			n := min(60, int(now.Sub(since)/(2*time.Second)))
			return byTimeline(since, n-10, n, n < 60)
		}
		got := o.watch(t, 40*time.Second, Ahead, nil)
		if len(got.errors) > 0 || len(got.lists) < 10 {
			t.Fatalf("%d states, %v", len(got.lists), got.errors)
		}
		numbers := map[string]int64{}
		for i, p := range got.lists {
			if p.Restarted || !p.Live {
				t.Errorf("state %d: %+v", i, p)
			}
			for j, s := range p.Segments {
				if j > 0 && s.Sequence != p.Segments[j-1].Sequence+1 {
					t.Errorf("state %d: %d after %d", i, s.Sequence, p.Segments[j-1].Sequence)
				}
				if n, known := numbers[s.URL]; known && n != s.Sequence {
					t.Errorf("state %d: %s was %d, is %d", i, s.URL, n, s.Sequence)
				}
				if s.ID(identity.V22) != int64(s.Start/(500*time.Millisecond)) {
					t.Errorf("id %d of a segment at %v", s.ID(identity.V22), s.Start)
				}
				numbers[s.URL] = s.Sequence
			}
		}
		if last := got.lists[len(got.lists)-1]; !last.Ended || len(numbers) != 20 {
			t.Errorf("ended %v after %d segments", last.Ended, len(numbers))
		}
	})
}

// TestANewEventOfAnMPDIsSeen: another event under the same URL, with the same names and times.
func TestANewEventOfAnMPDIsSeen(t *testing.T) {
	for name, text := range map[string]func(since time.Time, n int) string{
		"by number":  func(since time.Time, _ int) string { return byNumber(since) },
		"a timeline": func(since time.Time, n int) string { return byTimeline(since, max(0, n-10), n, true) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := &show{}
				first := o.now().Add(-100 * time.Second)
				second := o.now().Add(20 * time.Second)
				o.text = func(now time.Time) string {
					since := first
					if now.After(second.Add(4 * time.Second)) {
						since = second
					}
					return text(since, int(now.Sub(since)/(2*time.Second)))
				}
				got := o.watch(t, 70*time.Second, Ahead, nil)
				begun := slices.IndexFunc(got.lists, func(p *Playlist) bool { return p.Restarted })
				if begun < 0 || slices.ContainsFunc(got.lists[begun+1:], func(p *Playlist) bool { return p.Restarted }) {
					t.Fatalf("a new event in state %d of %d; %v", begun, len(got.lists), got.errors)
				}
				if at := got.at[begun].Sub(second.Add(4 * time.Second)); at > 26*time.Second {
					t.Errorf("seen after %v", at)
				}
				if p := got.lists[len(got.lists)-1]; p.Segments[len(p.Segments)-1].Start > time.Minute {
					t.Errorf("the new event is at %v", p.Segments[len(p.Segments)-1].Start)
				}
			})
		})
	}
}

// TestMPDsThatFail: what players cannot use is an error with a reason, and what was running goes on when the origin mends it.
func TestMPDsThatFail(t *testing.T) {
	for name, bad := range map[string]string{
		"billion laughs":  `<!DOCTYPE lolz [<!ENTITY lol "lol">]><MPD>&lol;</MPD>`,
		"another format":  "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\na.m3u8\n",
		"too large":       "<MPD>" + strings.Repeat(" ", 5<<20) + "</MPD>",
		"xlink":           `<MPD type="static"><Period xmlns:xlink="http://www.w3.org/1999/xlink" xlink:href="https://other.test/p"/></MPD>`,
		"no such track":   `<MPD type="static" mediaPresentationDuration="PT9S"><Period><AdaptationSet mimeType="audio/mp4"><SegmentTemplate duration="3" media="$Number$"/><Representation id="c" bandwidth="1" codecs="mp4a.40.2"/></AdaptationSet></Period></MPD>`,
		"beyond all time": strings.Replace(byTimeline(time.Now(), 0, 3, true), `S t="0"`, `S t="99999999999999"`, 1),
		"nothing":         "",
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := &show{}
				since := o.now().Add(-100 * time.Second)
				from, to := o.now().Add(10*time.Second), o.now().Add(20*time.Second)
				o.text = func(now time.Time) string {
					if now.After(from) && now.Before(to) {
						return bad
					}
					n := int(now.Sub(since) / (2 * time.Second))
					return byTimeline(since, n-10, n, true)
				}
				got := o.watch(t, 40*time.Second, Ahead, nil)
				if len(got.errors) == 0 {
					t.Fatal("no error")
				}
				for _, err := range got.errors {
					if ReasonOf(err) == "" || strings.Contains(err.Error(), "manifest.mpd?") {
						t.Errorf("%v", err)
					}
				}
				last := got.lists[len(got.lists)-1]
				if at := got.at[len(got.at)-1]; at.Before(to.Add(15*time.Second)) || last.Restarted {
					t.Errorf("the last state is of %v, %+v", at, last)
				}
			})
		})
	}
}

func TestIndexesAreFetchedOnce(t *testing.T) {
	index := []byte("\x00\x00\x00\x38sidx\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02" +
		"\x00\x00\x00\x0a\x00\x00\x00\x03\x90\x00\x00\x00\x00\x00\x00\x14\x00\x00\x00\x03\x90\x00\x00\x00")
	asked := 0
	o := &show{text: func(time.Time) string {
		return fmt.Sprintf(`<MPD type="static" mediaPresentationDuration="PT6S"><Period><AdaptationSet contentType="video" mimeType="video/mp4">
<Representation id="a" bandwidth="1000" codecs="avc1.4d4015"><BaseURL>a.mp4</BaseURL><SegmentBase indexRange="100-%d"/></Representation></AdaptationSet></Period></MPD>`, 99+len(index))
	}}
	o.fails = func(r *http.Request) *http.Response {
		if r.URL.Path != "/live/a.mp4" {
			return nil
		}
		asked++
		a := answer(206, string(index), "Content-Range", fmt.Sprintf("bytes 100-%d/1000", 99+len(index)))
		a.ContentLength = int64(len(index))
		return a
	}
	source := newSource(t, SourceConfig{URL: mpdURL, Transport: o})
	p, err := source.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		list, err := source.LoadPlaylist(t.Context(), p.Renditions[0])
		if err != nil || len(list.Segments) != 2 || *list.Segments[1].Range != (ByteRange{Offset: 100 + int64(len(index)) + 10, Length: 20}) || list.Segments[1].ID(identity.V22) != 6 {
			t.Fatalf("%+v, %v", list, err)
		}
	}
	if asked != 1 {
		t.Errorf("the index was fetched %d times", asked)
	}
}

// TestLocationIsFollowed: the next state comes from where the MPD says, with the swarm of the first one.
func TestLocationIsFollowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &show{}
		since := o.now().Add(-100 * time.Second)
		gone := false
		var asked []string
		o.fails = func(r *http.Request) *http.Response {
			asked = append(asked, r.URL.Path)
			if gone && r.URL.Path == "/edge/7.mpd" {
				return answer(403, "")
			}
			return nil
		}
		o.text = func(now time.Time) string {
			n := int(now.Sub(since) / (2 * time.Second))
			return strings.Replace(byTimeline(since, n-10, n, true), "<Period", "<Location>/edge/7.mpd</Location><Period", 1)
		}
		source := newSource(t, SourceConfig{URL: mpdURL, Transport: o})
		p, err := source.Load(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Second)
		again, err := source.Refresh(t.Context())
		if err != nil || again.DefaultSwarmID != p.DefaultSwarmID || again.URL != "https://origin.test/edge/7.mpd" {
			t.Fatalf("%+v, %v", again, err)
		}
		gone = true
		time.Sleep(5 * time.Second)
		if back, err := source.Refresh(t.Context()); err != nil || back.URL != mpdURL || !slices.Contains(asked, "/edge/7.mpd") {
			t.Errorf("%v, asked %v", err, asked)
		}
	})
}

// TestAClockThatDoesNotAnswerIsNotWaitedFor: our own clock is taken meanwhile.
func TestAClockThatDoesNotAnswerIsNotWaitedFor(t *testing.T) {
	for name, answers := range map[string]func() *http.Response{
		"an error": func() *http.Response { return answer(500, "") }, "no time": func() *http.Response { return answer(200, "soon") },
		"without end": func() *http.Response {
			a := answer(200, "")
			a.Body = io.NopCloser(strings.NewReader(strings.Repeat("9", 1<<20)))
			return a
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := &show{}
				since := o.now().Add(-100 * time.Second)
				o.text = func(time.Time) string { return byNumber(since) }
				asked := 0
				o.fails = func(r *http.Request) *http.Response {
					if r.URL.Path != "/time" {
						return nil
					}
					asked++
					return answers()
				}
				got := o.watch(t, time.Minute, Ahead, nil)
				if len(got.lists) < 29 || len(got.errors) > 0 || asked > 3 {
					t.Errorf("%d states, %v, asked %d times", len(got.lists), got.errors, asked)
				}
			})
		})
	}
}

func TestVerdictOfAnMPD(t *testing.T) {
	since := time.Now().Add(-100 * time.Second)
	for name, c := range map[string]struct {
		text, reason  string
		peerable, off bool
		more          Evidence
	}{
		"whole segments by number": {text: byNumber(since), peerable: true, reason: Peerable},
		"a timeline":               {text: byTimeline(since, 40, 50, true), reason: "TimelineAddressing"},
		"other media per session":  {text: byNumber(since), reason: DifferentPerSession, off: true, more: Evidence{Differences: []Difference{{Rendition: "180p", Sequence: 3}}}},
	} {
		t.Run(name, func(t *testing.T) {
			source := newSource(t, SourceConfig{URL: mpdURL, Transport: &show{text: func(time.Time) string { return c.text }}})
			p, err := source.Load(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			list, err := source.LoadPlaylist(t.Context(), p.Renditions[0])
			if err != nil {
				t.Fatal(err)
			}
			c.more.Playlists = map[string]*Playlist{p.Renditions[0].Name: list}
			if v := Judge(p, c.more); v.Peerable != c.peerable || v.Reason != c.reason || v.MainOff != c.off {
				t.Errorf("%+v", v)
			}
		})
	}
}
