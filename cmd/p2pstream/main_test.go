package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/p2pstream/p2pstream/internal/duration"
	"github.com/p2pstream/p2pstream/runtime/seeder"
)

func TestExitCodes(t *testing.T) {
	bad := filepath.Join(t.TempDir(), "bad.json")
	if err := os.WriteFile(bad, []byte(`{"sauce": 1}`), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("KUBECONFIG", "/nowhere")
	for name, tt := range map[string]struct {
		args []string
		want int
	}{
		"version":                    {[]string{"version"}, 0},
		"help":                       {[]string{"seeder", "--help"}, 0},
		"unknown flag":               {[]string{"seeder", "--sauce"}, exitUsage},
		"words after flags":          {[]string{"origin", "now"}, exitUsage},
		"missing source":             {[]string{"seeder"}, exitUsage},
		"bad size":                   {[]string{"seeder", "--cache", "much"}, exitUsage},
		"bad rate":                   {[]string{"seeder", "--uplink", "500MB"}, exitUsage},
		"bad duration":               {[]string{"viewer", "--duration", "long"}, exitUsage},
		"bad listen address":         {[]string{"tracker", "--listen", "here"}, exitUsage},
		"bad log level":              {[]string{"origin", "--log-level", "loud"}, exitUsage},
		"unknown field in a file":    {[]string{"seeder", "--config", bad}, exitUsage},
		"no such file":               {[]string{"seeder", "--config", "/nowhere"}, exitUsage},
		"no such manifest":           {[]string{"demo", "-f", "/nowhere"}, exitUsage},
		"demo with a bad count":      {[]string{"demo", "--viewers", "-1"}, exitUsage},
		"headless with a listener":   {[]string{"viewer", "--source", "http://x/m.m3u8", "--headless", "--listen", "127.0.0.1:0"}, exitUsage},
		"many viewers for players":   {[]string{"viewer", "--source", "http://x/m.m3u8", "--count", "20"}, exitUsage},
		"a host with a port":         {[]string{"viewer", "--source", "http://x/m.m3u8", "--allow-host", "tv:8080"}, exitUsage},
		"a proxy elsewhere":          {[]string{"viewer", "--source", "http://x/m.m3u8", "--listen", "192.0.2.1:1"}, exitFailure},
		"a proxy for a moment":       {[]string{"viewer", "--source", "http://127.0.0.1:9/m.m3u8", "--listen", "127.0.0.1:0", "--duration", "50ms"}, 0},
		"an unavailable port":        {[]string{"origin", "--listen", "192.0.2.1:1"}, exitFailure},
		"a missing token file":       {[]string{"seeder", "--source", "http://x/m", "--tracker", "ws://x", "--token-file", "/nowhere"}, exitFailure},
		"manager without an image":   {[]string{"manager", "--image", ""}, exitUsage},
		"manager with a bad address": {[]string{"manager", "--image", "i", "--metrics-bind-address", "8080"}, exitUsage},
		"manager without a cluster":  {[]string{"manager", "--image", "i"}, exitFailure},
		"unusable TLS files":         {[]string{"tracker", "--tls-cert", "/nowhere", "--tls-key", "/nowhere"}, exitUsage},
	} {
		t.Run(name, func(t *testing.T) {
			if got := run(tt.args); got != tt.want {
				t.Errorf("p2pstream %s: exit code %d, want %d", strings.Join(tt.args, " "), got, tt.want)
			}
		})
	}
}

func TestEveryCommandShowsAnExample(t *testing.T) {
	for _, c := range newRoot().Commands() {
		if !strings.Contains(c.Example, "p2pstream "+c.Name()) {
			t.Errorf("%s: --help shows no example", c.Name())
		}
		if c.Short == "" {
			t.Errorf("%s: no description", c.Name())
		}
	}
}

// TestFlagsWinOverTheFile reads a complete file and flags that override some of it.
func TestFlagsWinOverTheFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "seeder.json")
	if err := os.WriteFile(file, []byte(`{"source": "http://file/m.m3u8", "trackers": ["ws://file"],
		"maxPeers": 7, "uplinkBps": 1000000, "cacheBytes": 1024, "drain": "3s", "reportInterval": "2s"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	var got seeder.Config
	c := seederFlags(func(_ *cobra.Command, cfg seeder.Config) error {
		got = cfg
		return nil
	})
	c.SetArgs([]string{"--config", file, "--tracker", "ws://flag", "--tracker", "ws://flag2", "--uplink", "5Mbit", "--drain", "9s"})
	if err := c.Execute(); err != nil {
		t.Fatal(err)
	}
	want := seeder.Config{
		Source: "http://file/m.m3u8", Trackers: []string{"ws://flag", "ws://flag2"}, MaxPeers: 7, UplinkBps: 5e6, CacheBytes: 1024,
		Drain: duration.Duration(9 * time.Second), ReportInterval: duration.Duration(2 * time.Second), AdminListen: ":9091",
	}
	if strings.Join(got.Trackers, " ") != strings.Join(want.Trackers, " ") {
		t.Errorf("trackers %v, want %v", got.Trackers, want.Trackers)
	}
	got.Trackers, want.Trackers = nil, nil
	if got.Source != want.Source || got.MaxPeers != want.MaxPeers || got.UplinkBps != want.UplinkBps ||
		got.CacheBytes != want.CacheBytes || got.Drain != want.Drain || got.ReportInterval != want.ReportInterval || got.AdminListen != want.AdminListen {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
}
