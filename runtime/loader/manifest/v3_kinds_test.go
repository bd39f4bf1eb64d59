package manifest

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// TestVectorV3Kinds: each kind of vector of generation V3 is compared by a test, or says why it is of no concern here. A set of
// vectors with a further kind fails.
func TestVectorV3Kinds(t *testing.T) {
	const page = "of pages only: "
	kinds := map[string]map[string]string{
		"identity.json": {
			"stream": "", "stream_v2_record": "", "equal_identity": "", "different_identity": "", "bitrate_choice": "", "hls_multivariant": "",
			"hls_multivariant_pair": "", "default_swarm_id": "",
			"swarm_id_builder": page + "an option of the browser library, which has no counterpart here",
		},
		"segments.json": {
			"hls_media_playlist": "", "playlist_matching": "", "dash_mpd": "", "dash_external_index": "", "sidx_layout": "", "dash_clock_list": "",
			"index_request": page + "the library sees requests of its player, and guesses what they are",
			"url_key":       page + "keys of segments inside the library, which never travel",
			"range_header":  page + "the library reads headers of its player's requests",
		},
		"schedule.json": {
			"election": "", "backup_deadline": "", "decision": "",
			"seconds_left":             page + "how a player's report ages",
			"live_geometry":            page + "where the bindings place their player, which the tracker's settings decide here",
			"live_delay_from_manifest": page + "likewise",
			"max_live_latency":         page + "when a binding moves its player forward",
			"urgent_threshold":         page + "when the library takes the origin; a viewer here asks peers first",
			"urgency":                  page + "likewise",
			"storage":                  page + "what the library forgets; the store here has a bound of its own",
		},
		"tracker.json": {
			"reconnect": "", "glare": "",
			"connection_timeout": page + "an attempt here has 10 s",
		},
	}
	folders := map[string]string{
		"identity.json": "../identity/testdata/v3", "segments.json": "testdata/v3", "schedule.json": "../schedule/testdata/v3", "tracker.json": "../mesh/testdata/v3",
	}
	for file, known := range kinds {
		folder := folders[file]
		if other := os.Getenv("P2PSTREAM_VECTORS"); other != "" {
			folder = filepath.Join(other, "v3")
		}
		b, err := os.ReadFile(filepath.Join(folder, file))
		if err != nil {
			t.Fatal(err)
		}
		var all struct{ Cases []v3Case }
		if err := json.Unmarshal(b, &all); err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		for _, c := range all.Cases {
			if _, ok := known[c.Kind]; !ok && !seen[c.Kind] {
				t.Errorf("%s: no test compares %s", file, c.Kind)
			}
			seen[c.Kind] = true
		}
		for kind := range known {
			if !seen[kind] {
				t.Errorf("%s has no case of %s", file, kind)
			}
		}
	}
}
