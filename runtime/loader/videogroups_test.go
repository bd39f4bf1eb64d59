package loader

import (
	"testing"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
)

// TestVideoGroups has a manifest with a camera of its own in EXT-X-MEDIA, which pages with hls.js do not know. A seeder holds it
// for peers of V3 and leaves it alone without them.
func TestVideoGroups(t *testing.T) {
	const master = "#EXTM3U\n" +
		"#EXT-X-MEDIA:TYPE=VIDEO,GROUP-ID=\"cameras\",NAME=\"Main\",DEFAULT=YES\n" +
		"#EXT-X-MEDIA:TYPE=VIDEO,GROUP-ID=\"cameras\",NAME=\"Left\",URI=\"left.m3u8\"\n" +
		"#EXT-X-MEDIA:TYPE=VIDEO,GROUP-ID=\"unused\",NAME=\"Right\",URI=\"right.m3u8\"\n" +
		"#EXT-X-STREAM-INF:BANDWIDTH=800000,RESOLUTION=640x360,CODECS=\"avc1.64001e,mp4a.40.2\",VIDEO=\"cameras\"\na.m3u8\n"
	for name, tt := range map[string]struct {
		generations []identity.Generation
		want        map[string]int64
	}{
		"with peers of V3":    {identity.Generations(), map[string]int64{"360p": 10, "video-left": 10}},
		"without peers of V3": {nil, map[string]int64{"360p": 10}},
	} {
		t.Run(name, func(t *testing.T) {
			v := newVenue(t)
			for _, playlist := range []string{"a", "left", "right"} {
				v.put("/"+playlist+".m3u8", live(playlist, 3, 10))
			}
			v.put("/m.m3u8", master)
			holding(t, seeding(t, v, func(c *Config) { c.Generations = tt.generations }), tt.want)
			if v.count("/right.m3u8") > 0 {
				t.Error("a group that no variant uses was loaded")
			}
			if _, wanted := tt.want["video-left"]; !wanted && v.count("/left.m3u8") > 0 {
				t.Error("a rendition was loaded that no peer shares")
			}
		})
	}
}
