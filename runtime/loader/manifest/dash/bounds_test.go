package dash

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"
)

const someURL = "https://cdn.example/show/manifest.mpd?token=secret"

// shell is an MPD around the contents of its only period.
func shell(attributes, period string) string {
	return `<MPD ` + attributes + `><Period id="p" start="PT0S">` + period + `</Period></MPD>`
}

const videoSet = `<AdaptationSet mimeType="video/mp4">%s<Representation id="v1" bandwidth="1000" codecs="avc1.42c01e" width="640" height="360"/></AdaptationSet>`

const numbers = `<SegmentTemplate duration="4" media="$Number$.m4s"/>`

// TestBounds checks that each bound refuses what is beyond it, with its reason, in little time.
func TestBounds(t *testing.T) {
	vod := `mediaPresentationDuration="PT1H"`
	timeline := func(points string) string {
		return fmt.Sprintf(videoSet, `<SegmentTemplate media="$Time$.m4s"><SegmentTimeline>`+points+`</SegmentTimeline></SegmentTemplate>`)
	}
	representations := func(n int) string {
		return fmt.Sprintf(videoSet, numbers+strings.Repeat(`<Representation id="x" bandwidth="9"/>`, n-1))
	}
	period := func(n int) string {
		return `<Period duration="PT1S">` + representations(n) + `</Period>`
	}
	for name, c := range map[string]struct {
		mpd    string
		reason Reason
	}{
		"bytes":                {shell(vod, fmt.Sprintf(videoSet, numbers)) + strings.Repeat(" ", maxBytes), ReasonTooLarge},
		"depth":                {shell(vod, strings.Repeat("<a>", maxDepth)+strings.Repeat("</a>", maxDepth)), ReasonTooLarge},
		"elements":             {shell(vod, strings.Repeat("<a/>", maxElements)), ReasonTooLarge},
		"attributes":           {shell(vod, `<a `+strings.Repeat(`x="" `, maxAttributes+1)+`/>`), ReasonTooLarge},
		"points":               {shell(vod, timeline(strings.Repeat(`<S d="1"/>`, maxPoints+1))), ReasonTooLarge},
		"repeats":              {shell(vod, timeline(fmt.Sprintf(`<S t="0" d="1" r="%d"/>`, maxEntries))), ReasonTooLarge},
		"repeats of several":   {shell(vod, timeline(strings.Repeat(`<S t="0" d="1" r="500000"/>`, 5))), ReasonTooLarge},
		"repeats without end":  {shell(`mediaPresentationDuration="P900000D"`, timeline(`<S t="0" d="1" r="-1"/>`)), ReasonTooLarge},
		"periods":              {`<MPD>` + strings.Repeat(`<Period/>`, maxPeriods+1) + `</MPD>`, ReasonTooLarge},
		"sets":                 {shell(vod, strings.Repeat(fmt.Sprintf(videoSet, numbers), maxSets+1)), ReasonTooLarge},
		"representations":      {shell(vod, representations(maxRepresentations+1)), ReasonTooLarge},
		"all representations":  {`<MPD>` + strings.Repeat(period(maxRepresentations), maxAllRepresentations/maxRepresentations+1) + `</MPD>`, ReasonTooLarge},
		"base URLs":            {shell(vod, strings.Repeat(`<BaseURL>/a</BaseURL>`, maxBaseURLs+1)), ReasonTooLarge},
		"base URLs in product": {shell(vod, strings.Repeat(`<BaseURL>/a</BaseURL>`, 5)+`<AdaptationSet>`+strings.Repeat(`<BaseURL>/a</BaseURL>`, 5)+`</AdaptationSet>`), ReasonTooLarge},
		"URL":                  {shell(vod, `<BaseURL>`+strings.Repeat("a", maxURLBytes+1)+`</BaseURL>`), ReasonTooLarge},
		"width":                {shell(vod, fmt.Sprintf(videoSet, `<SegmentTemplate duration="4" media="$Number%0999999999d$"/>`)), ReasonTooLarge},
		"text in the middle":   {`<MPD><Period>`, ReasonInvalid},
		"wrong end":            {`<MPD></Period>`, ReasonInvalid},
		"two roots":            {`<MPD></MPD><MPD></MPD>`, ReasonInvalid},
		"another root":         {`<Patch/>`, ReasonNotMPD},
		"document type":        {`<!DOCTYPE MPD><MPD/>`, ReasonDocumentType},
		"other prefix":         {`<MPD xmlns:l="http://www.w3.org/1999/xlink"><Period l:href="/p.xml"/></MPD>`, ReasonRemote},
		"scheme":               {shell(vod, `<BaseURL>data:text/plain,x</BaseURL>`), ReasonScheme},
		"scheme of a clock":    {`<MPD><UTCTiming schemeIdUri="urn:mpeg:dash:utc:http-iso:2014" value="file:///etc/passwd"/></MPD>`, ReasonScheme},
		"scheme of a location": {`<MPD><Location>gopher://x/</Location></MPD>`, ReasonScheme},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse([]byte(c.mpd), someURL)
			if ReasonOf(err) != c.reason {
				t.Errorf("%v, want %s", err, c.reason)
			}
			if err != nil && strings.Contains(err.Error(), "secret") {
				t.Errorf("%v has the token of the URL", err)
			}
		})
	}
}

// TestLongLists checks that a very long list keeps its newest segments, whatever names them.
func TestLongLists(t *testing.T) {
	for name, c := range map[string]struct {
		mpd     string
		entries int64
	}{
		"numbers":  {shell(`mediaPresentationDuration="PT100000H"`, fmt.Sprintf(videoSet, numbers)), 90_000_000},
		"timeline": {shell(`mediaPresentationDuration="PT100000H"`, fmt.Sprintf(videoSet, `<SegmentTemplate media="$Time$.m4s"><SegmentTimeline><S t="0" d="4" r="999999"/></SegmentTimeline></SegmentTemplate>`)), 1_000_000},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := Parse([]byte(c.mpd), someURL)
			if err != nil {
				t.Fatal(err)
			}
			list, err := p.Playlist(p.Renditions[0], time.Unix(0, 0), nil)
			if err != nil {
				t.Fatal(err)
			}
			last := list.Segments[len(list.Segments)-1]
			if list.Entries != c.entries || len(list.Segments) != maxSegments || list.Omitted != c.entries-maxSegments || last.IDs.Counted != 8*(c.entries-1) {
				t.Errorf("%d entries, %d segments, %d omitted, the last one is %d", list.Entries, len(list.Segments), list.Omitted, last.IDs.Counted)
			}
		})
	}
}

// TestPlaylistRefuses checks what can be seen only when segments are listed.
func TestPlaylistRefuses(t *testing.T) {
	base := fmt.Sprintf(videoSet, `<SegmentBase indexRange="0-99"/>`)
	for name, c := range map[string]struct {
		mpd    string
		index  []byte
		reason Reason
	}{
		"no end":            {shell(``, fmt.Sprintf(videoSet, numbers)), nil, ReasonInvalid},
		"too many":          {shell(`mediaPresentationDuration="P9000000000000D"`, fmt.Sprintf(videoSet, `<SegmentTemplate timescale="1000000" duration="1" media="$Number$"/>`)), nil, ReasonTooLarge},
		"too far":           {shell(`mediaPresentationDuration="PT1H"`, fmt.Sprintf(videoSet, `<SegmentTemplate media="$Time$"><SegmentTimeline><S t="1e200" d="4"/></SegmentTimeline></SegmentTemplate>`)), nil, ""},
		"no index":          {shell(`mediaPresentationDuration="PT1H"`, base), nil, ReasonNoIndex},
		"an index of zeros": {shell(`mediaPresentationDuration="PT1H"`, base), make([]byte, 100), ReasonIndex},
		"URLs": {shell(`mediaPresentationDuration="PT100H"`, fmt.Sprintf(videoSet, `<BaseURL>`+strings.Repeat("a", 8000)+`/</BaseURL><SegmentTemplate duration="1" media="$Number$"/>`)),
			nil, ReasonTooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := Parse([]byte(c.mpd), someURL)
			if err != nil {
				t.Fatal(err)
			}
			r := p.Renditions[0]
			indexes := map[string][]byte{}
			for _, index := range r.Indexes {
				if c.index != nil {
					indexes[index.Key()] = c.index
				}
			}
			list, err := p.Playlist(r, time.Unix(0, 0), indexes)
			if ReasonOf(err) != c.reason {
				t.Errorf("%v, want %q", err, c.reason)
			}
			if c.reason == "" && len(list.Segments) != 0 {
				t.Errorf("%d segments behind the end", len(list.Segments))
			}
			if _, err := p.Playlist(Rendition{Name: r.Name}, time.Unix(0, 0), nil); ReasonOf(err) != ReasonUnknown {
				t.Errorf("a rendition of another presentation: %v", err)
			}
		})
	}
}

// TestParseIndex checks what is refused of an index.
func TestParseIndex(t *testing.T) {
	good := indexSpec{Timescale: 1000, Offset: 10, Sizes: []uint32{5, 6}, Durations: []uint32{4000, 2000}}
	references, err := ParseIndex(append([]byte("\x00\x00\x00\x0cfreexxxx"), good.box()...), 100)
	if err != nil || len(references) != 2 || references[1].Start != 4 || references[1].End != 6 {
		t.Fatalf("%+v, %v", references, err)
	}
	// The player counts from the place of what it fetched and the size of the box alone.
	if want := int64(100 + len(good.box()) + 10 + 5); references[1].Range.Offset != want || references[1].Range.Length != 6 {
		t.Errorf("range %+v, want one at %d", references[1].Range, want)
	}
	change := func(f func(s *indexSpec)) []byte {
		s := good
		s.Sizes = append([]uint32{}, good.Sizes...)
		f(&s)
		return s.box()
	}
	for name, c := range map[string]struct {
		data   []byte
		offset int64
		reason Reason
	}{
		"nothing":          {nil, 0, ReasonIndex},
		"cut":              {good.box()[:40], 0, ReasonIndex},
		"no timescale":     {change(func(s *indexSpec) { s.Timescale = 0 }), 0, ReasonIndex},
		"no bytes":         {change(func(s *indexSpec) { s.Sizes[0] = 0 }), 0, ReasonIndex},
		"too far":          {change(func(s *indexSpec) { s.Version, s.Offset = 1, math.MaxUint64 }), 0, ReasonIndex},
		"too late":         {change(func(s *indexSpec) { s.Version, s.Earliest = 1, 1<<60 }), 0, ReasonIndex},
		"far away":         {good.box(), math.MaxInt64, ReasonIndex},
		"before":           {good.box(), -1, ReasonIndex},
		"too long":         {make([]byte, maxIndexBytes+1), 0, ReasonTooLarge},
		"a box of 2 EB":    {[]byte("\x00\x00\x00\x01free\x20\x00\x00\x00\x00\x00\x00\x00"), 0, ReasonIndex},
		"a box of 4 bytes": {[]byte("\x00\x00\x00\x04free"), 0, ReasonIndex},
		"count that lies":  {append(good.box()[:30], 0xFF, 0xFF, 0, 0, 0, 1), 0, ReasonIndex},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := ParseIndex(c.data, c.offset); ReasonOf(err) != c.reason {
				t.Errorf("%v, want %s", err, c.reason)
			}
		})
	}
}

// TestIndexOfIndexes: players refuse a file whose index names further ones, and so does a list.
func TestIndexOfIndexes(t *testing.T) {
	for _, c := range testCases(t) {
		if c.Name != "vod-base" {
			continue
		}
		for url, spec := range c.Sidx {
			spec.Sizes = append([]uint32{}, spec.Sizes...)
			spec.Sizes[0] |= 1 << 31
			c.Sidx[url] = spec
		}
		if _, _, err := c.load(t, 0); ReasonOf(err) != ReasonIndex {
			t.Errorf("%v, want %s", err, ReasonIndex)
		}
		return
	}
	t.Error("there is no such case")
}
