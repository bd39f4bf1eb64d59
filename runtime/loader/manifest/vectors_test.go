package manifest

import (
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
)

type vectorCase struct {
	ID       string          `json:"id"`
	Kind     string          `json:"kind"`
	Input    json.RawMessage `json:"input"`
	Expected json.RawMessage `json:"expected"`
}

func vectorCases(t testing.TB, file, kind string) []vectorCase {
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
	var out []vectorCase
	for _, c := range set.Cases {
		if c.Kind == kind {
			out = append(out, c)
		}
	}
	if len(out) == 0 {
		t.Fatalf("%s has no case of kind %s", file, kind)
	}
	return out
}

func decode[T any](t testing.TB, raw json.RawMessage) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

type multivariantInput struct {
	URL      string `json:"manifestResponseUrl"`
	Playlist string `json:"playlist"`
}

func TestVectorHLSMultivariant(t *testing.T) {
	type stream struct {
		Type          identity.StreamType `json:"type"`
		RuntimeID     string              `json:"runtimeId"`
		ShortID       string              `json:"streamShortId"`
		StreamSwarmID string              `json:"streamSwarmId"`
		InfoHash      identity.InfoHash   `json:"infoHash"`
		InfoHashHex   string              `json:"infoHashHex"`
	}
	for _, c := range vectorCases(t, "identity.json", "hls_multivariant") {
		t.Run(c.ID, func(t *testing.T) {
			in := decode[multivariantInput](t, c.Input)
			want := decode[struct {
				SwarmID string   `json:"swarmId"`
				Streams []stream `json:"streams"`
			}](t, c.Expected)
			p, err := ParseMultivariant([]byte(in.Playlist), in.URL)
			if err != nil {
				t.Fatal(err)
			}
			if p.DefaultSwarmID != want.SwarmID {
				t.Errorf("swarm id %q, want %q", p.DefaultSwarmID, want.SwarmID)
			}
			m, _, err := scanMultivariant(in.Playlist, in.URL)
			if err != nil {
				t.Fatal(err)
			}
			var got []stream
			fetchable := 0
			for _, s := range identity.HLSStreams(m) {
				hash := s.InfoHash(identity.V23, want.SwarmID)
				got = append(got, stream{
					Type: s.Type, RuntimeID: s.URI, ShortID: s.ShortID, InfoHash: hash,
					StreamSwarmID: s.StreamSwarmID(identity.V23, want.SwarmID), InfoHashHex: hex.EncodeToString([]byte(hash)),
				})
				if s.URI != "" {
					fetchable++
				}
			}
			if diff := cmp.Diff(want.Streams, got); diff != "" {
				t.Error(diff)
			}
			if len(p.Renditions) != fetchable {
				t.Errorf("%d renditions, want %d", len(p.Renditions), fetchable)
			}
		})
	}
}

func TestVectorHLSMediaPlaylist(t *testing.T) {
	type span struct {
		Start int64 `json:"start"`
		End   int64 `json:"end"`
	}
	type segment struct {
		ExternalID int64   `json:"externalId"`
		RuntimeID  string  `json:"runtimeId"`
		ByteRange  *span   `json:"byteRange"`
		Start      float64 `json:"startTime"`
		End        float64 `json:"endTime"`
	}
	type state struct {
		Live     bool      `json:"live"`
		Segments []segment `json:"segments"`
	}
	for _, c := range vectorCases(t, "segments.json", "hls_media_playlist") {
		t.Run(c.ID, func(t *testing.T) {
			in := decode[struct {
				StreamRuntimeID string `json:"streamRuntimeId"`
				Loads           []struct {
					ResponseURL string `json:"responseUrl"`
					Text        string `json:"text"`
				} `json:"loads"`
			}](t, c.Input)
			want := decode[[]state](t, c.Expected)
			numbering := NewNumbering()
			var known []segment // what the engine keeps from load to load
			for i, load := range in.Loads {
				r := Rendition{Stream: identity.Stream{URI: in.StreamRuntimeID}}
				p, err := ParseMedia([]byte(load.Text), load.ResponseURL, r)
				if err != nil {
					t.Fatal(err)
				}
				if !p.Redirected {
					numbering.Apply(p)
					times := make(map[string][2]float64)
					for _, s := range known {
						times[s.RuntimeID] = [2]float64{s.Start, s.End}
					}
					now := make([]segment, 0, len(p.Segments))
					for _, s := range p.Segments {
						out := segment{ExternalID: s.ID(identity.V23), RuntimeID: s.Key(), Start: s.Start.Seconds(), End: (s.Start + s.Duration).Seconds()}
						if first, ok := times[out.RuntimeID]; ok {
							out.Start, out.End = first[0], first[1]
						}
						if s.Range != nil {
							out.ByteRange = &span{s.Range.Offset, s.Range.Offset + s.Range.Length - 1}
						}
						now = append(now, out)
					}
					known = now
				}
				got := state{Live: p.Live, Segments: known}
				if got.Segments == nil {
					got.Segments = []segment{}
				}
				if diff := cmp.Diff(want[i], got, cmp.Comparer(func(a, b float64) bool { return a-b < 2e-6 && b-a < 2e-6 })); diff != "" {
					t.Errorf("load %d: %s", i, diff)
				}
			}
		})
	}
}

// A film is numbered by position, and by media sequence in V3.
func TestNumbersOfAFilm(t *testing.T) {
	text := "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-MEDIA-SEQUENCE:7\n#EXTINF:4,\na.ts\n#EXTINF:4,\nb.ts\n#EXT-X-ENDLIST\n"
	p, err := ParseMedia([]byte(text), "https://h/v.m3u8", Rendition{})
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range p.Segments {
		if s.ID(identity.V22) != int64(i) || s.ID(identity.V23) != int64(i) || s.ID(identity.V3) != int64(7+i) {
			t.Errorf("segment %d has ids %d, %d and %d", i, s.ID(identity.V22), s.ID(identity.V23), s.ID(identity.V3))
		}
	}
	if p.Room() != 4*time.Second || p.LiveSyncSegments() != 1 || p.Window != 8*time.Second {
		t.Errorf("room %v, %d segments, window %v", p.Room(), p.LiveSyncSegments(), p.Window)
	}
}
