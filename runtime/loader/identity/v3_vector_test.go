package identity

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

type v3Names struct{ IdentityHash, StreamSwarmID, InfoHash string }

type v3Properties map[string]json.RawMessage

func (raw v3Properties) properties(t *testing.T) Properties {
	t.Helper()
	text := func(name string) string { return value(t, raw[name]).string() }
	return Properties{
		Bitrate: value(t, raw["bitrate"]), Codecs: text("codecs"), Width: value(t, raw["width"]), Height: value(t, raw["height"]),
		Language: text("language"), Channels: value(t, raw["channels"]), Name: text("name"), FrameRate: value(t, raw["frameRate"]),
		VideoRange: text("videoRange"),
	}
}

// TestVectorV3Stream compares identities of generation V3, and those of V23 that its authors recorded, with their own.
func TestVectorV3Stream(t *testing.T) {
	for _, c := range vectorCases(t, "v3/identity.json", "stream", "stream_v2_record") {
		t.Run(c.ID, func(t *testing.T) {
			in := decode[struct {
				Properties v3Properties
				SwarmID    string
				StreamType StreamType
			}](t, c.Input)
			want := decode[v3Names](t, c.Expected)
			p, g := in.Properties.properties(t), V3
			s := Stream{Type: in.StreamType, ShortID: p.ShortID(), Written: WrittenName{in.StreamType, p.WrittenID()}}
			got := v3Names{IdentityHash: p.WrittenID()}
			if c.Kind == "stream_v2_record" {
				got.IdentityHash, g = p.ShortID(), V23
			}
			got.StreamSwarmID, got.InfoHash = s.StreamSwarmID(g, in.SwarmID), string(s.InfoHash(g, in.SwarmID))
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestVectorV3Alike(t *testing.T) {
	for _, c := range vectorCases(t, "v3/identity.json", "equal_identity", "different_identity") {
		t.Run(c.ID, func(t *testing.T) {
			in := decode[struct{ Properties []v3Properties }](t, c.Input)
			want := decode[struct {
				AllEqual     bool
				IdentityHash string
			}](t, c.Expected)
			ids := map[string]bool{}
			for _, raw := range in.Properties {
				ids[raw.properties(t).WrittenID()] = true
			}
			if (len(ids) == 1) != want.AllEqual || (want.IdentityHash != "" && !ids[want.IdentityHash]) {
				t.Errorf("identities %v, want %+v", ids, want)
			}
		})
	}
}

func TestVectorV3Bitrate(t *testing.T) {
	for _, c := range vectorCases(t, "v3/identity.json", "bitrate_choice") {
		t.Run(c.ID, func(t *testing.T) {
			in := decode[struct {
				Streams []struct {
					Type       StreamType
					Properties v3Properties
				}
			}](t, c.Input)
			want := decode[struct{ Bitrates []*float64 }](t, c.Expected)
			var entries []WrittenEntry
			for i, s := range in.Streams {
				entries = append(entries, WrittenEntry{s.Type, fmt.Sprint(i), s.Properties.properties(t)})
			}
			streams := WrittenStreams(entries)
			if len(streams) != len(want.Bitrates) {
				t.Fatalf("%d streams, want %d", len(streams), len(want.Bitrates))
			}
			for i, s := range streams {
				p := s.Properties.withoutBitrate()
				if want.Bitrates[i] != nil {
					p.Bitrate = Number(*want.Bitrates[i])
				}
				if s.Bitrated != (want.Bitrates[i] != nil) || s.ID != p.WrittenID() {
					t.Errorf("stream %d: %+v, want bitrate %v", i, s, want.Bitrates[i])
				}
			}
		})
	}
}

func TestVectorV3DefaultSwarmID(t *testing.T) {
	for _, c := range vectorCases(t, "v3/identity.json", "default_swarm_id") {
		t.Run(c.ID, func(t *testing.T) {
			type manifest struct {
				ResponseURL, RequestedURL string
				RegistersStreams          bool
			}
			in := decode[struct {
				manifest
				Manifests []manifest
			}](t, c.Input)
			named := in.manifest
			for i := len(in.Manifests) - 1; i >= 0; i-- {
				if in.Manifests[i].RegistersStreams { // the first of them names the swarm
					named = in.Manifests[i]
				}
			}
			if got, want := AskedSwarmID(named.RequestedURL, named.ResponseURL), decode[struct{ SwarmID string }](t, c.Expected).SwarmID; got != want {
				t.Errorf("swarm id %q, want %q", got, want)
			}
		})
	}
}

// TestWrittenAlike: renditions that peers of V3 could take for each other are not shared with them.
func TestWrittenAlike(t *testing.T) {
	audio := func(key, name string) WrittenEntry { return WrittenEntry{Secondary, key, Properties{Name: name}} }
	video := func(key string, bitrate, height float64) WrittenEntry {
		p := Properties{Bitrate: Number(bitrate)}
		if height > 0 {
			p.Height = Number(height)
		}
		return WrittenEntry{Main, key, p}
	}
	for name, c := range map[string]struct {
		entries []WrittenEntry
		want    string
	}{
		"a ladder":                           {[]WrittenEntry{video("a", 1, 360), video("b", 2, 720)}, "a:true b:true"},
		"two of one height":                  {[]WrittenEntry{video("a", 1, 360), video("b", 2, 360)}, "a:true b:true"},
		"a backup":                           {[]WrittenEntry{video("a", 1, 360), video("b", 1, 360)}, "a:false b:false"},
		"one name for two audio tracks":      {[]WrittenEntry{video("v", 1, 360), audio("a", "English"), audio("b", "English")}, "v:true a:false b:false"},
		"nothing known of the only one":      {[]WrittenEntry{video("a", 1, 0)}, "a:true"},
		"nothing known of one of two":        {[]WrittenEntry{video("a", 1, 360), video("b", 2, 0)}, "a:true b:false"},
		"one rendition in two entries":       {[]WrittenEntry{video("a", 1, 360), video("a", 2, 360)}, "a:true"},
		"nothing known, and the other audio": {[]WrittenEntry{video("a", 1, 0), audio("b", "English")}, "a:true b:true"},
	} {
		got := ""
		for _, s := range WrittenStreams(c.entries) {
			got += fmt.Sprintf(" %s:%v", s.Key, s.Shared)
			if (s.Name() != WrittenName{}) != s.Shared {
				t.Errorf("%s: %s is called %v", name, s.Key, s.Name())
			}
		}
		if got != " "+c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

// TestWrittenNumbers: numbers and codecs of playlists as V3's parser reads them.
func TestWrittenNumbers(t *testing.T) {
	for text, want := range map[string]string{
		"29.970": "29.97", "30.000": "30", "60000/1001": "60000", "0": "0", "abc": "NaN", "": "NaN", ".5x": "0.5", "1e2": "100", "1e": "1", "-Infinity": "-Infinity", "+2.": "2", ".": "NaN",
	} {
		if got := formatNumber(parseLeadingFloat(text)); got != want {
			t.Errorf("%q gives %s, want %s", text, got, want)
		}
	}
	for list, want := range map[string]string{
		"avc1.66.30, mp4a.40.2": "avc1.66.30", "AVC1.4D401F,dvh1.05": "AVC1.4D401F", "stpp": "", "hvc1.2.4.L153.B0,hev1 ,vp09": "hvc1.2.4.L153.B0,hev1,vp09",
	} {
		if got := WrittenVideoCodecs(list); got != want {
			t.Errorf("%q has video codecs %q, want %q", list, got, want)
		}
	}
	for start, want := range map[float64]int64{0: 0, 0.25: 3, -0.25: -2, 22.05: 221, 1e300: maxSafeInteger, -1e300: -maxSafeInteger} {
		if got := WrittenDASHSegmentID(start); got != want {
			t.Errorf("a segment at %v has the id %d, want %d", start, got, want)
		}
	}
}
