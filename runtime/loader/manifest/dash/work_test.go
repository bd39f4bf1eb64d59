package dash

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestLittleWork checks that MPDs which make much of little, within all bounds, are read or refused in bounded time. Each
// would take minutes if the work were done once for each representation.
func TestLittleWork(t *testing.T) {
	vod := `mediaPresentationDuration="PT2000000S"`
	set := func(inner string, n int) string {
		var b strings.Builder
		b.WriteString(`<AdaptationSet mimeType="video/mp4">` + inner)
		for i := range n {
			fmt.Fprintf(&b, `<Representation id="v%d" bandwidth="%d" codecs="avc1.42c01e"/>`, i, i+1)
		}
		return b.String() + `</AdaptationSet>`
	}
	list := func(attributes string) string {
		return `<SegmentList ` + attributes + `>` + strings.Repeat(`<SegmentURL media="a"/>`, 90_000) + `</SegmentList>`
	}
	var ownDurations, languages strings.Builder
	for i := range maxRepresentations {
		fmt.Fprintf(&ownDurations, `<Representation id="o%d" bandwidth="%d"><SegmentList duration="%d"/></Representation>`, i, i+1, i+1)
	}
	for i := range 600 {
		languages.WriteString(`<Period duration="PT1S">`)
		for j := range 4 {
			fmt.Fprintf(&languages, `<AdaptationSet mimeType="audio/mp4" lang="l%dx%d">%s<Representation id="a%d"/></AdaptationSet>`, i, j, numbers, j)
		}
		languages.WriteString(`</Period>`)
	}
	for name, c := range map[string]struct {
		mpd    string
		reason Reason
	}{
		"one timeline of many tracks": {shell(vod, set(`<SegmentTemplate media="$Number$"><SegmentTimeline><S d="1" r="1999990"/></SegmentTimeline></SegmentTemplate>`, maxRepresentations)), ""},
		"one list of many tracks":     {shell(vod, set(list(`duration="1"`), maxRepresentations)), ""},
		"one list of many durations":  {shell(vod, `<AdaptationSet mimeType="video/mp4">`+list("")+ownDurations.String()+`</AdaptationSet>`), ReasonTooLarge},
		"text in a million pieces":    {shell(vod, set(numbers, 1)+`<BaseURL>`+strings.Repeat(`a<!---->`, 1_000_000)+`</BaseURL>`), ReasonTooLarge},
		"a language for each track":   {`<MPD type="dynamic">` + languages.String() + `</MPD>`, ReasonTooLarge},
		"an id in every place": {shell(vod, strings.ReplaceAll(set(`<SegmentTemplate duration="1" media="`+strings.Repeat("$RepresentationID$", 400)+`"/>`, 1),
			`"v0"`, `"`+strings.Repeat("v", maxAttributeBytes)+`"`)), ""},
		"a query in every place": {shell(vod, `<SupplementalProperty schemeIdUri="urn:mpeg:dash:urlparam:2014"><UrlQueryInfo useMPDUrlQuery="true" queryTemplate="`+
			strings.Repeat("$querypart$&amp;", 1000)+`"/></SupplementalProperty>`+set(`<SegmentTemplate duration="1" initialization="i" media="$Number$"/>`, 5)), ReasonTooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			began := time.Now()
			p, err := Parse([]byte(c.mpd), "https://cdn.example/a.mpd?"+strings.Repeat("q", 100))
			if ReasonOf(err) != c.reason {
				t.Fatalf("%v, want %q", err, c.reason)
			}
			if err == nil {
				for _, r := range p.Renditions[:min(3, len(p.Renditions))] {
					if _, err := p.Playlist(r, time.Unix(0, 0), nil); err != nil && ReasonOf(err) != ReasonTooLarge {
						t.Fatal(err)
					}
				}
			}
			t.Logf("%v for %d bytes", time.Since(began).Round(time.Millisecond), len(c.mpd))
			if took := time.Since(began); took > 30*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}
