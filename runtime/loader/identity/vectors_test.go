package identity

import (
	"encoding/hex"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

type vectorCase struct {
	ID       string          `json:"id"`
	Kind     string          `json:"kind"`
	Note     string          `json:"note"`
	Input    json.RawMessage `json:"input"`
	Expected json.RawMessage `json:"expected"`
}

// vectorCases loads the cases of the given kinds; a file without any of them is
// a mistake worth failing for.
func vectorCases(t *testing.T, file string, kinds ...string) []vectorCase {
	t.Helper()
	folder := os.Getenv("P2PSTREAM_VECTORS")
	if folder == "" {
		folder = "testdata"
	}
	b, err := os.ReadFile(filepath.Join(folder, file))
	if err != nil {
		t.Fatal(err)
	}
	var set struct {
		Cases []vectorCase `json:"cases"`
	}
	if err := json.Unmarshal(b, &set); err != nil {
		t.Fatal(err)
	}
	wanted := make(map[string]bool)
	for _, k := range kinds {
		wanted[k] = true
	}
	var out []vectorCase
	for _, c := range set.Cases {
		if wanted[c.Kind] {
			out = append(out, c)
		}
	}
	if len(out) == 0 {
		t.Fatalf("%s has no case of %v", file, kinds)
	}
	return out
}

func decode[T any](t *testing.T, raw json.RawMessage) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// value reads a JSON null, number or text as a JavaScript value.
func value(t *testing.T, raw json.RawMessage) Value {
	t.Helper()
	if len(raw) == 0 || string(raw) == "null" {
		return Value{}
	}
	if raw[0] == '"' {
		return Text(decode[string](t, raw))
	}
	return Number(decode[float64](t, raw))
}

type vectorStream struct {
	ShakaStreamID int64    `json:"shakaStreamId"`
	Type          string   `json:"type"`
	Index         *int     `json:"index"`
	RuntimeID     string   `json:"runtimeId"`
	ShortID       string   `json:"streamShortId"`
	StreamSwarmID string   `json:"streamSwarmId"`
	InfoHash      InfoHash `json:"infoHash"`
	InfoHashHex   string   `json:"infoHashHex"`
}

func checkInfoHash(t *testing.T, got, want InfoHash, wantHex string) {
	t.Helper()
	if got != want {
		t.Errorf("info hash %q, want %q", got, want)
	}
	if h := hex.EncodeToString([]byte(got)); h != wantHex {
		t.Errorf("info hash bytes %s, want %s", h, wantHex)
	}
}

func TestVectorStream(t *testing.T) {
	for _, c := range vectorCases(t, "identity.json", "stream") {
		t.Run(c.ID, func(t *testing.T) {
			in := decode[struct {
				Props      map[string]json.RawMessage `json:"props"`
				SwarmID    string                     `json:"swarmId"`
				StreamType StreamType                 `json:"streamType"`
			}](t, c.Input)
			want := decode[struct {
				HashedString string `json:"hashedString"`
				vectorStream
			}](t, c.Expected)
			text := func(name string) string {
				v := value(t, in.Props[name])
				return v.string()
			}
			p := Properties{
				Bitrate: value(t, in.Props["bitrate"]), Codecs: text("codecs"),
				Width: value(t, in.Props["width"]), Height: value(t, in.Props["height"]),
				Language: text("language"), Channels: value(t, in.Props["channels"]), Name: text("name"),
				FrameRate: value(t, in.Props["frameRate"]), VideoRange: text("videoRange"),
			}
			if got := p.HashedString(); got != want.HashedString {
				t.Errorf("hashed string %q, want %q", got, want.HashedString)
			}
			s := Stream{Type: in.StreamType, ShortID: p.ShortID()}
			if s.ShortID != want.ShortID {
				t.Errorf("short id %q, want %q", s.ShortID, want.ShortID)
			}
			if got := s.StreamSwarmID(V23, in.SwarmID); got != want.StreamSwarmID {
				t.Errorf("stream swarm id %q, want %q", got, want.StreamSwarmID)
			}
			checkInfoHash(t, s.InfoHash(V23, in.SwarmID), want.InfoHash, want.InfoHashHex)
		})
	}
}

func TestVectorMediaPlaylistAsManifest(t *testing.T) {
	for _, c := range vectorCases(t, "identity.json", "hls_media_playlist_as_manifest") {
		t.Run(c.ID, func(t *testing.T) {
			in := decode[struct {
				URL string `json:"manifestResponseUrl"`
			}](t, c.Input)
			want := decode[struct {
				SwarmID string         `json:"swarmId"`
				Streams []vectorStream `json:"streams"`
			}](t, c.Expected)
			swarm := DefaultSwarmID(in.URL)
			if swarm != want.SwarmID {
				t.Errorf("swarm id %q, want %q", swarm, want.SwarmID)
			}
			if len(want.Streams) != 1 {
				t.Fatalf("case has %d streams", len(want.Streams))
			}
			s, w := MediaPlaylistStream(in.URL), want.Streams[0]
			if s.URI != w.RuntimeID || string(s.Type) != w.Type || s.ShortID != w.ShortID {
				t.Errorf("got %+v, want %+v", s, w)
			}
			if got := s.StreamSwarmID(V23, swarm); got != w.StreamSwarmID {
				t.Errorf("stream swarm id %q, want %q", got, w.StreamSwarmID)
			}
			checkInfoHash(t, s.InfoHash(V23, swarm), w.InfoHash, w.InfoHashHex)
		})
	}
}

func TestVectorOlderCore(t *testing.T) {
	for _, c := range vectorCases(t, "identity.json", "core_2_2_2") {
		t.Run(c.ID, func(t *testing.T) {
			in := decode[struct {
				SwarmID    string     `json:"swarmId"`
				StreamType StreamType `json:"streamType"`
				Index      int        `json:"index"`
			}](t, c.Input)
			want := decode[vectorStream](t, c.Expected)
			s := Stream{Type: in.StreamType, Position: in.Index}
			if got := s.StreamSwarmID(V22, in.SwarmID); got != want.StreamSwarmID {
				t.Errorf("stream swarm id %q, want %q", got, want.StreamSwarmID)
			}
			checkInfoHash(t, s.InfoHash(V22, in.SwarmID), want.InfoHash, want.InfoHashHex)
		})
	}
}

type vectorTrack struct {
	ID         int64           `json:"id"`
	Codecs     string          `json:"codecs"`
	Width      json.RawMessage `json:"width"`
	Height     json.RawMessage `json:"height"`
	FrameRate  json.RawMessage `json:"frameRate"`
	HDR        string          `json:"hdr"`
	Language   string          `json:"language"`
	Channels   json.RawMessage `json:"channelsCount"`
	Label      string          `json:"label"`
	OriginalID string          `json:"originalId"`
}

func (v *vectorTrack) track(t *testing.T) *ShakaTrack {
	if v == nil {
		return nil
	}
	return &ShakaTrack{
		ID: v.ID, Codecs: v.Codecs, HDR: v.HDR, Language: v.Language, Label: v.Label, OriginalID: v.OriginalID,
		Width: value(t, v.Width), Height: value(t, v.Height), FrameRate: value(t, v.FrameRate),
		Channels: value(t, v.Channels),
	}
}

func TestVectorShakaVariants(t *testing.T) {
	generations := map[string]Generation{"shaka_2_2_2_variants": V22, "shaka_2_3_0_source_variants": V23}
	for _, c := range vectorCases(t, "identity.json", "shaka_2_2_2_variants", "shaka_2_3_0_source_variants") {
		t.Run(c.ID, func(t *testing.T) {
			in := decode[struct {
				SwarmID  string `json:"swarmId"`
				Variants []struct {
					Bandwidth    float64 `json:"bandwidth"`
					Video, Audio *vectorTrack
				} `json:"variants"`
			}](t, c.Input)
			want := decode[struct {
				Streams []vectorStream `json:"streams"`
			}](t, c.Expected)
			var variants []ShakaVariant
			for _, v := range in.Variants {
				variants = append(variants, ShakaVariant{Bandwidth: v.Bandwidth, Video: v.Video.track(t), Audio: v.Audio.track(t)})
			}
			g := generations[c.Kind]
			var got []vectorStream
			for _, s := range ShakaStreams(variants) {
				out := vectorStream{
					ShakaStreamID: s.ID, Type: string(s.Type), StreamSwarmID: s.StreamSwarmID(g, in.SwarmID),
					InfoHash: s.InfoHash(g, in.SwarmID),
				}
				if g == V22 {
					out.Index = &s.Position
				} else {
					out.ShortID = s.ShortID
				}
				out.InfoHashHex = hex.EncodeToString([]byte(out.InfoHash))
				got = append(got, out)
			}
			if diff := cmp.Diff(want.Streams, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestVectorDefaultSwarmID(t *testing.T) {
	for _, c := range vectorCases(t, "identity.json", "default_swarm_id") {
		t.Run(c.ID, func(t *testing.T) {
			in := decode[struct {
				URL string `json:"manifestResponseUrl"`
			}](t, c.Input)
			want := decode[struct {
				SwarmID string `json:"swarmId"`
			}](t, c.Expected)
			if got := DefaultSwarmID(in.URL); got != want.SwarmID {
				t.Errorf("swarm id %q, want %q", got, want.SwarmID)
			}
		})
	}
}

func TestVectorShakaDASHStartTimes(t *testing.T) {
	for _, c := range vectorCases(t, "segments.json", "shaka_dash_start_times") {
		t.Run(c.ID, func(t *testing.T) {
			in := decode[struct {
				StartTimes []float64 `json:"startTimes"`
			}](t, c.Input)
			want := decode[struct {
				ExternalIDs []int64 `json:"externalIds"`
			}](t, c.Expected)
			got := make([]int64, 0, len(in.StartTimes))
			for _, s := range in.StartTimes {
				got = append(got, ShakaDASHSegmentID(s))
			}
			if diff := cmp.Diff(want.ExternalIDs, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	for _, start := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		if got := ShakaDASHSegmentID(start); got != 0 {
			t.Errorf("start %v gives id %d", start, got)
		}
	}
}
