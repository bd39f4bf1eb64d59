package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/p2pstream/p2pstream/runtime/seeder"
	"github.com/p2pstream/p2pstream/runtime/tracker"
)

func configFile(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "config.json")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// asJSON returns a configuration as the equivalent file, for comparison.
func asJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestSeederInAPod has a file for all seeders of a stream, and flags that differ between them.
func TestSeederInAPod(t *testing.T) {
	file := configFile(t, `{"source":"https://o.example/m.m3u8","trackers":["ws://t:8001/announce"],"advertise":["198.51.100.1"],
		"adminListen":":9091","icePortsFile":"/etc/p2pstream/ice-ports.json","headersDir":"/etc/p2pstream/headers","caFile":"/etc/p2pstream/ca/ca.crt"}`)
	for want, args := range map[string][]string{
		`"advertise":["198.51.100.1"]`: {"--ordinal=0"},
		`"advertise":["192.0.2.7"],"maxPeers":200,"cacheBytes":536870912,` +
			`"adminListen":":9091","icePortsFile":"/etc/p2pstream/ice-ports.json","ordinal":2,` +
			`"headersDir":"/etc/p2pstream/headers","caFile":"/etc/p2pstream/ca/ca.crt"}`: {"--ordinal=2", "--advertise=192.0.2.7"},
		`"advertise":["192.0.2.7","2001:db8::7"]`: {"--advertise=192.0.2.7", "--advertise=2001:db8::7"},
	} {
		var got seeder.Config
		c := seederFlags(func(_ *cobra.Command, cfg seeder.Config) error {
			got = cfg
			return cfg.Validate()
		})
		c.SetArgs(append([]string{"--config", file}, args...))
		if err := c.Execute(); err != nil {
			t.Fatal(err)
		}
		if text := asJSON(t, got); !strings.Contains(text, want) {
			t.Errorf("%v: %s\nlacks %s", args, text, want)
		}
	}
}

// TestTrackerFlagsOverAStreamInTheFile: flags of the stream work without --stream-source.
func TestTrackerFlagsOverAStreamInTheFile(t *testing.T) {
	file := configFile(t, `{"listen":":1","stream":{"sourceURL":"https://o.example/m.m3u8","stun":["stun:a"]}}`)
	for want, args := range map[string][]string{
		`"stream":{"sourceURL":"https://o.example/m.m3u8","stun":["stun:a"],"stunFile":"/s","headersDir":"/h","caFile":"/c"}`: {
			"--config", file, "--stun-file", "/s", "--headers-dir", "/h", "--ca-file", "/c"},
		`"stream":{"sourceURL":"https://other.example/m.m3u8","stun":["stun:b"]}`: {
			"--config", file, "--stream-source", "https://other.example/m.m3u8", "--stun", "stun:b"},
		`"internalListen":":2"`: {"--config", file, "--internal-listen", ":2"},
	} {
		var got tracker.Config
		c := trackerFlags(func(_ *cobra.Command, cfg tracker.Config) error {
			got = cfg
			return cfg.Validate()
		})
		c.SetArgs(args)
		if err := c.Execute(); err != nil {
			t.Fatal(err)
		}
		if text := asJSON(t, got); !strings.Contains(text, want) {
			t.Errorf("%v: %s\nlacks %s", args, text, want)
		}
	}
	if code := run([]string{"tracker", "--stun", "stun:a"}); code != exitUsage {
		t.Errorf("a STUN server for no stream: exit code %d", code)
	}
}
