package dash

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
)

type v3Case struct {
	ID, Kind        string
	Input, Expected json.RawMessage
}

// v3Cases are vectors of generation V3, which are beside those of HLS.
func v3Cases(t *testing.T, kind string) []v3Case {
	t.Helper()
	folder := os.Getenv("P2PSTREAM_VECTORS")
	if folder == "" {
		folder = filepath.Join("..", "testdata")
	}
	b, err := os.ReadFile(filepath.Join(folder, "v3", "segments.json"))
	if err != nil {
		t.Fatal(err)
	}
	var all struct{ Cases []v3Case }
	if err := json.Unmarshal(b, &all); err != nil {
		t.Fatal(err)
	}
	cases := slices.DeleteFunc(all.Cases, func(c v3Case) bool { return c.Kind != kind })
	if len(cases) == 0 {
		t.Fatalf("no case of %s", kind)
	}
	return cases
}

func into(t *testing.T, raw json.RawMessage, v any) {
	t.Helper()
	if err := json.Unmarshal(raw, v); err != nil {
		t.Fatal(err)
	}
}

type v3Stream struct {
	Key                       string
	Type                      identity.StreamType
	Live                      *bool
	Properties                map[string]any
	FrameRateNear             float64
	PresentationTimes         []float64
	ExternalIDs               json.RawMessage
	StartTimes, EndTimesNear  map[string]float64
	URLs                      []string
	FirstSegmentURL           string
	InitSegments              []string
	SegmentCountOfEveryStream int
}

// TestVectorV3MPD compares streams and segments.
func TestVectorV3MPD(t *testing.T) {
	for _, c := range v3Cases(t, "dash_mpd") {
		t.Run(c.ID, func(t *testing.T) {
			var in struct{ ManifestURL, MPD string }
			var want struct {
				v3Stream
				StreamKey           string
				Streams             []v3Stream
				KeysAndTypes        [][2]string
				BitrateInIdentityOf map[string]bool
			}
			into(t, c.Input, &in)
			into(t, c.Expected, &want)
			p, err := Parse([]byte(in.MPD), in.ManifestURL)
			if err != nil {
				t.Fatal(err)
			}
			streams := identity.WrittenStreams(writtenEntries(p.periods))
			if want.StreamKey != "" {
				want.Key = want.StreamKey
				want.Streams = append(want.Streams, want.v3Stream)
			}
			var keys [][2]string
			for _, s := range streams {
				keys = append(keys, [2]string{s.Key, string(s.Type)})
				if hashed, ok := want.BitrateInIdentityOf[s.Key]; ok && hashed != s.Bitrated {
					t.Errorf("the bitrate of %s is hashed: %v", s.Key, s.Bitrated)
				}
			}
			if want.KeysAndTypes != nil && !slices.Equal(keys, want.KeysAndTypes) {
				t.Errorf("streams %v, want %v", keys, want.KeysAndTypes)
			}
			for _, w := range want.Streams {
				at := slices.IndexFunc(streams, func(s identity.WrittenStream) bool { return s.Key == w.Key })
				if at < 0 {
					t.Errorf("%s is no stream of %v", w.Key, keys)
					continue
				}
				w.check(t, p, streams[at])
			}
		})
	}
}

func (w v3Stream) check(t *testing.T, p *Presentation, s identity.WrittenStream) {
	t.Helper()
	if w.Type != "" && w.Type != s.Type {
		t.Errorf("%s is %s, want %s", w.Key, s.Type, w.Type)
	}
	got := s.Properties
	printed := map[string]string{
		"bitrate": got.Bitrate.String(), "codecs": got.Codecs, "width": got.Width.String(), "height": got.Height.String(), "language": got.Language,
		"channels": got.Channels.String(), "name": got.Name, "frameRate": got.FrameRate.String(),
	}
	if !got.Bitrate.Present() {
		printed["bitrate"] = "0"
	}
	for name, value := range w.Properties {
		if n, ok := value.(float64); ok {
			value = identity.FormatNumber(n)
		}
		if printed[name] != value {
			t.Errorf("%s has %s %q, want %v", w.Key, name, printed[name], value)
		}
	}
	if rate, _ := identity.ParseNumber(got.FrameRate.String()); w.FrameRateNear != 0 && math.Abs(rate-w.FrameRateNear) > 0.01 {
		t.Errorf("%s has frame rate %v, want %v", w.Key, rate, w.FrameRateNear)
	}
	r := p.written(t, w.Key)
	if r.Written != s.Name() || r.Written.ID == "" {
		t.Errorf("%s has the name %v, want %v", r.Name, r.Written, s.Name())
	}
	list, err := p.Playlist(r, time.Time{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if w.SegmentCountOfEveryStream != 0 && len(list.Segments) != w.SegmentCountOfEveryStream {
		t.Errorf("%d segments, want %d", len(list.Segments), w.SegmentCountOfEveryStream)
	}
	var ids []int64
	var starts []float64
	var inits []string
	for i, segment := range list.Segments {
		ids, starts = append(ids, segment.IDs.Of(identity.V3)), append(starts, segment.start)
		if url := segment.Init.URL; !slices.Contains(inits, url) {
			inits = append(inits, url)
		}
		if w.URLs != nil && !strings.HasSuffix(segment.URL, "/"+w.URLs[i]) {
			t.Errorf("segment %d is %s, want %s", i, segment.URL, w.URLs[i])
		}
		if end, ok := w.EndTimesNear[strconv.Itoa(i)]; ok && math.Abs(segment.end-end) > 0.01 {
			t.Errorf("segment %d ends at %v, want %v", i, segment.end, end)
		}
		if start, ok := w.StartTimes[strconv.Itoa(i)]; ok && segment.start != start {
			t.Errorf("segment %d begins at %v, want %v", i, segment.start, start)
		}
	}
	checkIDs(t, w.ExternalIDs, ids)
	if w.PresentationTimes != nil && !slices.Equal(starts, w.PresentationTimes) {
		t.Errorf("times %v, want %v", starts, w.PresentationTimes)
	}
	if w.InitSegments != nil && !slices.Equal(inits, w.InitSegments) {
		t.Errorf("inits %v, want %v", inits, w.InitSegments)
	}
	if w.FirstSegmentURL != "" && list.Segments[0].URL != w.FirstSegmentURL {
		t.Errorf("the first segment is %s, want %s", list.Segments[0].URL, w.FirstSegmentURL)
	}
	if w.Live != nil && *w.Live != list.Live {
		t.Errorf("live: %v", list.Live)
	}
}

// checkIDs compares with a list of ids, or with some of them by their places.
func checkIDs(t *testing.T, want json.RawMessage, got []int64) {
	t.Helper()
	if len(want) == 0 {
		return
	}
	var all []int64
	if want[0] == '[' {
		if into(t, want, &all); !slices.Equal(all, got) {
			t.Errorf("ids %v, want %v", got, all)
		}
		return
	}
	var some map[int]int64
	into(t, want, &some)
	for i, id := range some {
		if got[i] != id {
			t.Errorf("segment %d has the id %d, want %d", i, got[i], id)
		}
	}
}

// written is the rendition that is a representation of V3.
func (p *Presentation) written(t *testing.T, id string) Rendition {
	t.Helper()
	for _, r := range p.Renditions {
		if r.parts[0].original == id {
			return r
		}
	}
	t.Fatalf("no rendition is %s", id)
	return Rendition{}
}

func TestVectorV3ExternalIndex(t *testing.T) {
	for _, c := range v3Cases(t, "dash_external_index") {
		var in struct{ ManifestURL, MPD string }
		var want struct {
			Key   string
			Index struct {
				URL       string
				ByteRange struct{ Start, End int64 }
			}
		}
		into(t, c.Input, &in)
		into(t, c.Expected, &want)
		p, err := Parse([]byte(in.MPD), in.ManifestURL)
		if err != nil {
			t.Fatal(err)
		}
		r := p.written(t, want.Key)
		part := ByteRange{Offset: want.Index.ByteRange.Start, Length: want.Index.ByteRange.End - want.Index.ByteRange.Start + 1}
		if len(r.Indexes) != 1 || r.Indexes[0].Key() != (Resource{URL: want.Index.URL, Range: &part}).Key() {
			t.Errorf("%s: indexes %+v, want %+v", c.ID, r.Indexes, want.Index)
		}
		if _, err := p.Playlist(r, time.Time{}, nil); ReasonOf(err) != ReasonNoIndex {
			t.Errorf("%s: %v without its index", c.ID, err)
		}
	}
}

// TestVectorV3Sidx compares where an index says that segments are, and their ids.
func TestVectorV3Sidx(t *testing.T) {
	type span struct{ Start, End int64 }
	for _, c := range v3Cases(t, "sidx_layout") {
		var in struct {
			FetchedRange, IndexRange                  span
			BoxSize                                   int
			FirstOffset                               uint64
			FirstReferencedSize, SecondReferencedSize uint32
			Box                                       struct {
				BoxSize     int
				Timescale   uint32
				FirstOffset uint64
				References  []struct{ ReferenceType, ReferencedSize, SubsegmentDuration uint32 }
			}
		}
		var want struct {
			ByteRanges              []span
			StartTimes              []float64
			SegmentCount            int
			FirstRange, SecondRange span
			ExternalIDs             json.RawMessage
		}
		into(t, c.Input, &in)
		into(t, c.Expected, &want)
		spec, offset, size := indexSpec{Timescale: in.Box.Timescale, Offset: in.Box.FirstOffset}, in.FetchedRange.Start, in.Box.BoxSize
		for _, r := range in.Box.References {
			spec.Sizes = append(spec.Sizes, r.ReferenceType<<31|r.ReferencedSize)
			spec.Durations = append(spec.Durations, r.SubsegmentDuration)
		}
		if in.BoxSize != 0 { // a real one, of which the vector has the first two sizes
			offset, size = in.IndexRange.Start, in.BoxSize
			spec = indexSpec{Version: 1, Timescale: 24000, Offset: in.FirstOffset}
			for i := range want.SegmentCount {
				spec.Sizes = append(spec.Sizes, in.FirstReferencedSize+uint32(min(i, 1))*(in.SecondReferencedSize-in.FirstReferencedSize))
				spec.Durations = append(spec.Durations, 48048)
			}
			want.ByteRanges = []span{want.FirstRange, want.SecondRange}
		}
		// What the vector's box has behind its fields counts for its size and says nothing.
		box := spec.box()
		box = append(box, make([]byte, size-len(box))...)
		box[2], box[3] = byte(size>>8), byte(size)
		references, err := ParseIndex(box, offset)
		if err != nil {
			t.Errorf("%s: %v", c.ID, err)
			continue
		}
		var starts []float64
		var ids []int64
		var ranges []span
		at := 0.0
		for _, r := range references {
			if !r.Nested {
				starts, ids = append(starts, at), append(ids, identity.WrittenDASHSegmentID(at))
				ranges = append(ranges, span{r.Range.Offset, r.Range.Offset + r.Range.Length - 1})
			}
			at += r.Seconds
		}
		if !slices.Equal(ranges[:len(want.ByteRanges)], want.ByteRanges) || (want.StartTimes != nil && !slices.Equal(starts, want.StartTimes)) {
			t.Errorf("%s: %v at %v, want %+v", c.ID, ranges, starts, want)
		}
		if want.SegmentCount != 0 && len(ranges) != want.SegmentCount {
			t.Errorf("%s: %d segments, want %d", c.ID, len(ranges), want.SegmentCount)
		}
		checkIDs(t, want.ExternalIDs, ids)
	}
}

// TestVectorV3ClockList: lists that follow from the clock have the ids that the vectors name. What is listed is what Shaka
// lists, which is there a little earlier and stays a segment longer.
func TestVectorV3ClockList(t *testing.T) {
	begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, c := range v3Cases(t, "dash_clock_list") {
		var in struct {
			SegmentSeconds, WindowSeconds, SecondsAfterStart, ServerAheadSeconds float64
			FirstNumberAtZero                                                    int
		}
		var want struct {
			Numbers, HasNumber, HasNotNumber []int64
			FirstPresentationTime            float64
			ListNextChangesAt                float64
			Removed                          [][]int64 `json:"removedExternalIdsPerStream"`
		}
		into(t, c.Input, &in)
		into(t, c.Expected, &want)
		p, err := Parse(fmt.Appendf(nil, `<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="dynamic" availabilityStartTime="2026-01-01T00:00:00Z" timeShiftBufferDepth="PT%vS" minimumUpdatePeriod="PT4S">
<Period id="0" start="PT0S"><AdaptationSet mimeType="video/mp4"><Representation id="v" bandwidth="1" codecs="avc1.4d401f">
<SegmentTemplate media="$Number$.m4s" duration="%v" startNumber="%d"/></Representation></AdaptationSet></Period></MPD>`, in.WindowSeconds, in.SegmentSeconds, in.FirstNumberAtZero), "https://h/m.mpd")
		if err != nil {
			t.Fatal(err)
		}
		now := begin.Add(time.Duration((in.SecondsAfterStart + in.ServerAheadSeconds) * float64(time.Second)))
		list, err := p.Playlist(p.Renditions[0], now, nil)
		if err != nil {
			t.Fatal(err)
		}
		listed := map[int64]int64{} // number → id
		for i, s := range list.Segments {
			listed[list.First+int64(i)] = s.IDs.Of(identity.V3)
		}
		for _, n := range append(want.Numbers, want.HasNumber...) {
			if id, ok := listed[n]; !ok || id != n*int64(in.SegmentSeconds)*10 {
				t.Errorf("%s: number %d has the id %d, listed: %v", c.ID, n, id, ok)
			}
		}
		if n := len(want.Numbers); n > 0 {
			last := list.Segments[len(list.Segments)-1]
			if _, later := listed[want.Numbers[n-1]+1]; later || listed[want.Numbers[0]] != identity.WrittenDASHSegmentID(want.FirstPresentationTime) ||
				!list.Due().Equal(begin.Add(time.Duration(want.ListNextChangesAt*float64(time.Second)))) {
				t.Errorf("%s: the last one is %+v, the next one is due at %v", c.ID, last, list.Due())
			}
		}
		for _, ids := range want.Removed {
			// Shaka keeps one segment longer than the window, so that the one which V3 drops now is its first.
			if first := list.Segments[0].IDs.Of(identity.V3); first > ids[0]+int64(in.SegmentSeconds)*10 {
				t.Errorf("%s: the first one is %d, and %d is dropped now", c.ID, first, ids[0])
			}
		}
		for _, n := range want.HasNotNumber {
			if in.ServerAheadSeconds == 0 {
				t.Fatalf("%s: no case for this", c.ID)
			}
			if _, there := listed[n]; there && float64(n+1)*in.SegmentSeconds < in.SecondsAfterStart+in.ServerAheadSeconds-in.WindowSeconds {
				t.Errorf("%s: number %d is listed", c.ID, n)
			}
		}
	}
}
