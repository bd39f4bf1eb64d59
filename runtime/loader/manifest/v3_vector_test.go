package manifest

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
)

type v3Case struct {
	ID, Kind        string
	Input, Expected json.RawMessage
}

// v3Cases are the vectors of generation V3 of some kinds.
func v3Cases(t *testing.T, file string, kinds ...string) []v3Case {
	t.Helper()
	folder := os.Getenv("P2PSTREAM_VECTORS")
	if folder == "" {
		folder = "testdata"
	}
	b, err := os.ReadFile(filepath.Join(folder, "v3", file))
	if err != nil {
		t.Fatal(err)
	}
	var all struct{ Cases []v3Case }
	if err := json.Unmarshal(b, &all); err != nil {
		t.Fatal(err)
	}
	cases := slices.DeleteFunc(all.Cases, func(c v3Case) bool { return !slices.Contains(kinds, c.Kind) })
	if len(cases) == 0 {
		t.Fatalf("%s has no case of %v", file, kinds)
	}
	return cases
}

func into(t *testing.T, raw json.RawMessage, v any) {
	t.Helper()
	if err := json.Unmarshal(raw, v); err != nil {
		t.Fatal(err)
	}
}

// v3Properties are what a vector states of a rendition, as text: only what it asserts.
type v3Properties map[string]any

func (want v3Properties) check(t *testing.T, key string, got identity.Properties) {
	t.Helper()
	printed := map[string]string{
		"bitrate": "0", "codecs": got.Codecs, "width": got.Width.String(), "height": got.Height.String(), "language": got.Language,
		"channels": got.Channels.String(), "name": got.Name, "frameRate": got.FrameRate.String(), "videoRange": got.VideoRange,
	}
	if got.Bitrate.Present() {
		printed["bitrate"] = got.Bitrate.String()
	}
	for name, value := range want {
		text, isText := value.(string)
		if n, ok := value.(float64); ok {
			text = identity.FormatNumber(n)
		} else if !isText {
			t.Fatalf("%s of %s is a %T", name, key, value)
		}
		if printed[name] != text {
			t.Errorf("%s has %s %q, want %q", key, name, printed[name], text)
		}
	}
}

type v3Stream struct {
	Type                        identity.StreamType
	Key                         string
	Properties                  v3Properties
	IdentityHash, StreamSwarmID string
	InfoHash                    identity.InfoHash
}

// TestVectorV3Multivariant compares the renditions of playlists, what is none, and their names.
func TestVectorV3Multivariant(t *testing.T) {
	for _, c := range v3Cases(t, "identity.json", "hls_multivariant") {
		t.Run(c.ID, func(t *testing.T) {
			var in struct{ ManifestURL, ConfiguredSwarmID, Playlist string }
			var want struct {
				Streams           []v3Stream
				Stream            *v3Stream
				Keys              []string
				BitrateInIdentity []bool
				StreamsWithName   *int
				StreamCount       int
				FirstStreamCodecs string
				SwarmID           string
				ExcludedPlaylists []string
			}
			into(t, c.Input, &in)
			into(t, c.Expected, &want)
			m, _, err := scanMultivariant(in.Playlist, in.ManifestURL)
			if err != nil {
				t.Fatal(err)
			}
			streams := identity.WrittenStreams(identity.WrittenHLS(m))
			swarmID := identity.DefaultSwarmID(in.ManifestURL)
			if in.ConfiguredSwarmID != "" {
				swarmID = in.ConfiguredSwarmID
			}
			if want.SwarmID != "" && swarmID != want.SwarmID {
				t.Errorf("swarm id %q, want %q", swarmID, want.SwarmID)
			}
			if want.Stream != nil {
				want.Streams = append(want.Streams, *want.Stream)
			}
			var keys []string
			named := 0
			for i, s := range streams {
				keys = append(keys, s.Key)
				if s.Properties.Name != "" {
					named++
				}
				if want.BitrateInIdentity != nil && s.Bitrated != want.BitrateInIdentity[i] {
					t.Errorf("the bitrate of %s is hashed: %v", s.Key, s.Bitrated)
				}
			}
			for _, w := range want.Streams {
				at := slices.Index(keys, w.Key)
				if at < 0 {
					t.Errorf("%s is no stream", w.Key)
					continue
				}
				w.check(t, streams[at], swarmID)
			}
			if want.Keys != nil && !slices.Equal(keys, want.Keys) {
				t.Errorf("streams %v, want %v", keys, want.Keys)
			}
			if want.StreamCount != 0 && len(streams) != want.StreamCount {
				t.Errorf("%d streams, want %d", len(streams), want.StreamCount)
			}
			if want.StreamsWithName != nil && *want.StreamsWithName != named {
				t.Errorf("%d streams have a name, want %d", named, *want.StreamsWithName)
			}
			if want.FirstStreamCodecs != "" && streams[0].Properties.Codecs != want.FirstStreamCodecs {
				t.Errorf("codecs %q, want %q", streams[0].Properties.Codecs, want.FirstStreamCodecs)
			}
			for _, url := range want.ExcludedPlaylists {
				if slices.Contains(keys, url) {
					t.Errorf("%s is a stream", url)
				}
			}
		})
	}
}

func (w v3Stream) check(t *testing.T, got identity.WrittenStream, swarmID string) {
	t.Helper()
	if w.Type != "" && w.Type != got.Type {
		t.Errorf("%s is %s, want %s", w.Key, got.Type, w.Type)
	}
	w.Properties.check(t, w.Key, got.Properties)
	s := identity.Stream{Written: got.Name()}
	for what, pair := range map[string][2]string{
		"identity": {got.ID, w.IdentityHash}, "stream swarm id": {s.StreamSwarmID(identity.V3, swarmID), w.StreamSwarmID},
		"info hash": {string(s.InfoHash(identity.V3, swarmID)), string(w.InfoHash)},
	} {
		if pair[1] != "" && pair[0] != pair[1] {
			t.Errorf("%s has %s %q, want %q", w.Key, what, pair[0], pair[1])
		}
	}
}

// TestVectorV3Renditions: renditions that can be fetched have the names that the vectors give to streams.
func TestVectorV3Renditions(t *testing.T) {
	named := 0
	for _, c := range v3Cases(t, "identity.json", "hls_multivariant") {
		var in struct{ ManifestURL, Playlist string }
		into(t, c.Input, &in)
		p, err := ParseMultivariant([]byte(in.Playlist), in.ManifestURL)
		if err != nil {
			t.Fatal(err)
		}
		m, _, err := scanMultivariant(in.Playlist, in.ManifestURL)
		if err != nil {
			t.Fatal(err)
		}
		streams := identity.WrittenStreams(identity.WrittenHLS(m))
		for _, r := range p.Renditions {
			at := slices.IndexFunc(streams, func(s identity.WrittenStream) bool { return s.Key == r.URI })
			if at < 0 {
				if r.Written != (identity.WrittenName{}) {
					t.Errorf("%s: %s is no stream and has the name %v", c.ID, r.URI, r.Written)
				}
				continue
			}
			if named++; r.Written != streams[at].Name() {
				t.Errorf("%s: %s has the name %v, want %v", c.ID, r.URI, r.Written, streams[at].Name())
			}
		}
	}
	if named < 10 {
		t.Errorf("only %d renditions were compared", named)
	}
}

func TestVectorV3MultivariantPair(t *testing.T) {
	for _, c := range v3Cases(t, "identity.json", "hls_multivariant_pair") {
		var in struct {
			ManifestURL string
			Playlists   []string
		}
		var want struct {
			SameIdentity    bool
			BitrateProperty []float64
		}
		into(t, c.Input, &in)
		into(t, c.Expected, &want)
		ids := map[string]bool{}
		for i, text := range in.Playlists {
			m, _, err := scanMultivariant(text, in.ManifestURL)
			if err != nil {
				t.Fatal(err)
			}
			s := identity.WrittenStreams(identity.WrittenHLS(m))[0]
			ids[s.ID] = true
			v3Properties{"bitrate": want.BitrateProperty[i]}.check(t, s.Key, s.Properties)
		}
		if (len(ids) == 1) != want.SameIdentity {
			t.Errorf("%s: identities %v", c.ID, ids)
		}
	}
}

// TestVectorV3Media compares the segments of playlists. Start times of the reference are its own and never travel.
func TestVectorV3Media(t *testing.T) {
	type v3Segment struct {
		ExternalID int64
		URL        string
		ByteRange  *struct{ Start, End int64 }
		Duration   float64
	}
	compared := 0
	for _, c := range v3Cases(t, "segments.json", "hls_media_playlist") {
		t.Run(c.ID, func(t *testing.T) {
			var in struct {
				Loads []struct{ ResponseURL, Text string }
			}
			var want []struct {
				Live         *bool
				Segments     []v3Segment
				ExternalIDs  []int64
				SegmentCount int
				URLs         []string
				InitSegments []v3Segment
			}
			into(t, c.Input, &in)
			into(t, c.Expected, &want)
			numbering := NewNumbering()
			for i, load := range in.Loads {
				p, err := ParseMedia([]byte(load.Text), load.ResponseURL, Rendition{})
				if err != nil {
					t.Fatal(err)
				}
				numbering.Apply(p)
				var ids []int64
				var urls []string
				var segments []v3Segment
				for _, s := range p.Segments {
					one := v3Segment{ExternalID: s.ID(identity.V3), URL: s.URL, Duration: s.Duration.Seconds()}
					if s.Range != nil {
						one.ByteRange = &struct{ Start, End int64 }{s.Range.Offset, s.Range.Offset + s.Range.Length - 1}
					}
					ids, urls, segments = append(ids, one.ExternalID), append(urls, s.URL), append(segments, one)
				}
				w := want[i]
				if w.Live != nil && p.Live != *w.Live {
					t.Errorf("load %d: live %v", i, p.Live)
				}
				for what, pair := range map[string][2]any{
					"ids": {w.ExternalIDs, ids}, "URLs": {w.URLs, urls}, "segments": {w.Segments, segments},
				} {
					if b, _ := json.Marshal(pair[0]); string(b) == "null" {
						continue
					}
					compared++
					if diff := cmp.Diff(pair[0], pair[1]); diff != "" {
						t.Errorf("load %d, %s: %s", i, what, diff)
					}
				}
				if w.SegmentCount != 0 && len(ids) != w.SegmentCount {
					t.Errorf("load %d: %d segments, want %d", i, len(ids), w.SegmentCount)
				}
				for _, init := range w.InitSegments {
					if r := p.Segments[0].Init; r == nil || r.URL != init.URL || r.Range == nil || r.Range.Offset != init.ByteRange.Start || r.Range.Offset+r.Range.Length-1 != init.ByteRange.End {
						t.Errorf("load %d: init %+v, want %+v", i, r, init)
					}
				}
			}
		})
	}
	if compared < 3 {
		t.Errorf("only %d lists were compared", compared)
	}
}

// TestVectorV3Redirected: a playlist that was led elsewhere is that of the rendition which it was asked for, and its segments
// are found from where it came. Which playlist belongs to which rendition is otherwise no question to a program that asks
// for renditions; the other cases are of pages, which see playlists that their players ask for.
func TestVectorV3Redirected(t *testing.T) {
	compared := 0
	for _, c := range v3Cases(t, "segments.json", "playlist_matching") {
		var in struct {
			Master struct{ URL, Text string }
			Media  []struct{ ResponseURL, RequestedURL, Text string }
		}
		var want struct {
			FirstKey   string
			SegmentsOf map[string]int
		}
		into(t, c.Input, &in)
		into(t, c.Expected, &want)
		if want.FirstKey == "" || len(in.Media) != 1 {
			continue
		}
		p, err := ParseMultivariant([]byte(in.Master.Text), in.Master.URL)
		if err != nil {
			t.Fatal(err)
		}
		at := slices.IndexFunc(p.Renditions, func(r Rendition) bool { return want.SegmentsOf[r.URI] > 0 })
		list, err := ParseMedia([]byte(in.Media[0].Text), in.Media[0].ResponseURL, p.Renditions[at])
		if err != nil || list.Segments[0].Key() != want.FirstKey || len(list.Segments) != want.SegmentsOf[p.Renditions[at].URI] {
			t.Errorf("%s: %v, %+v", c.ID, err, list)
		}
		compared++
	}
	if compared == 0 {
		t.Error("no case")
	}
}

// TestV3Numbers: the numbers of HLS stay when an event ends, and an entry that comes twice has the later one, unless it was
// known before.
func TestV3Numbers(t *testing.T) {
	for name, c := range map[string]struct {
		loads []string
		want  [][2]int64 // ids of V23 and V3 after the last load
	}{
		"a film that begins later":  {[]string{"#EXT-X-MEDIA-SEQUENCE:7\n#EXTINF:4,\na\n#EXTINF:4,\nb\n#EXT-X-ENDLIST\n"}, [][2]int64{{0, 7}, {1, 8}}},
		"an event that ends":        {[]string{"#EXT-X-MEDIA-SEQUENCE:7\n#EXTINF:4,\na\n#EXTINF:4,\nb\n", "#EXT-X-MEDIA-SEQUENCE:8\n#EXTINF:4,\nb\n#EXTINF:4,\nc\n#EXT-X-ENDLIST\n"}, [][2]int64{{8, 8}, {1, 9}}},
		"an entry that comes twice": {[]string{"#EXT-X-MEDIA-SEQUENCE:7\n#EXTINF:4,\na\n#EXTINF:4,\nb\n#EXTINF:4,\na\n"}, [][2]int64{{7, 9}, {8, 8}}},
		"and was known before":      {[]string{"#EXT-X-MEDIA-SEQUENCE:7\n#EXTINF:4,\na\n", "#EXT-X-MEDIA-SEQUENCE:7\n#EXTINF:4,\na\n#EXTINF:4,\nb\n#EXTINF:4,\na\n"}, [][2]int64{{7, 7}, {8, 8}}},
	} {
		numbering := NewNumbering()
		var got [][2]int64
		for _, text := range c.loads {
			p, err := ParseMedia([]byte("#EXTM3U\n#EXT-X-TARGETDURATION:4\n"+text), "https://h/v.m3u8", Rendition{})
			if err != nil {
				t.Fatal(err)
			}
			numbering.Apply(p)
			got = nil
			for _, s := range p.Segments {
				got = append(got, [2]int64{s.ID(identity.V23), s.ID(identity.V3)})
			}
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}
