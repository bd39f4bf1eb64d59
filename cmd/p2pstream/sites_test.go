package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/runtime/tracker"
)

// check runs `p2pstream sites check` and returns what it printed.
func check(t *testing.T, stdin string, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	root := newRoot()
	root.SetArgs(append([]string{"sites", "check"}, args...))
	root.SetOut(&out)
	root.SetIn(strings.NewReader(stdin))
	err := root.Execute()
	return out.String(), err
}

func TestSitesCheck(t *testing.T) {
	dir := t.TempDir()
	put := func(name, text string) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	csv := put("subnets.csv", "Group Id,Subnets,P2P\nBerlin,10.1.0.0/16 10.2.0.0/16,On\nVPN,10.1.200.0/24 10.200.0.0/16,Off\n")
	text, err := check(t, "", csv, "10.1.2.3", "10.200.0.1", "192.0.2.1")
	const want = `2 sites, 3 prefixes in force
  Berlin: 2 Full
  VPN: 1 Off
outside of all sites: Full
1 prefixes without effect, because an earlier entry holds them:
  line 3, 10.1.200.0/24 of VPN: in line 2, 10.1.0.0/16 of Berlin
10.1.2.3: Berlin, Full (line 2, 10.1.0.0/16)
10.200.0.1: VPN, Off (line 3, 10.200.0.0/16)
192.0.2.1: no site, Full
`
	if err != nil || text != want {
		t.Errorf("%v\n%s", err, text)
	}

	bad := put("bad.csv", "Berlin,10.1.0.0/16,On\nRome,10.3.0.0/99,On\n")
	text, err = check(t, "", bad)
	if !errors.Is(err, errBadLines) || !strings.Contains(text, "1 of 2 lines are ignored:\n  line 2: \"10.3.0.0/99\" is not a range") {
		t.Errorf("%v\n%s", err, text)
	}
	var report struct {
		Ignored   int
		Problems  []struct{ Line int }
		Addresses []struct{ Site, Peering, Prefix string }
	}
	text, err = check(t, "", bad, "-o", "json", "10.1.2.3")
	if jsonErr := json.Unmarshal([]byte(text), &report); jsonErr != nil || err == nil || report.Ignored != 1 || report.Problems[0].Line != 2 ||
		report.Addresses[0].Site != "Berlin" || report.Addresses[0].Prefix != "10.1.0.0/16" {
		t.Errorf("%v %v\n%s", err, jsonErr, text)
	}

	const spec = "mask: {ipv4: 24}\nfallback: {peering: \"Off\"}\nlist:\n- {name: hq, cidrs: [10.9.0.0/16], peering: ReceiveOnly}\nmapRef: {name: subnets}\n"
	manifest := put("stream.yaml", "apiVersion: v1\nkind: ConfigMap\n---\napiVersion: p2pstream.dev/v1\nkind: P2PStream\nmetadata: {name: a}\nspec:\n  source: {url: \"http://o/m.m3u8\"}\n  sites:\n    "+
		strings.ReplaceAll(spec, "\n", "\n    "))
	for _, file := range []string{manifest, put("sites.yaml", spec), put("spec.yaml", "sites:\n  "+strings.ReplaceAll(spec, "\n", "\n  "))} {
		text, err = check(t, "", file, "--map", csv, "10.9.0.1", "10.200.0.1", "192.0.2.1", "2001:db8::1")
		for _, line := range []string{"10.9.0.1: hq, ReceiveOnly (10.9.0.0/16)", "10.200.0.1: VPN, Off", "192.0.2.1: 192.0.2.0/24, Full", "2001:db8::1: no site, Off", "3 sites"} {
			if err != nil || !strings.Contains(text, line) {
				t.Errorf("%s: %v, want %s\n%s", file, err, line, text)
			}
		}
	}
	if text, err = check(t, spec, "-", "10.9.0.1"); err != nil || !strings.Contains(text, "hq, ReceiveOnly") {
		t.Errorf("from the standard input: %v\n%s", err, text)
	}

	for want, args := range map[string][]string{
		"name the map":            {},
		"is not an IP address":    {csv, "10.1.2"},
		"--output \"xml\"":        {csv, "-o", "xml"},
		"--map belongs to":        {csv, "--map", bad},
		"opening the map":         {filepath.Join(dir, "none.csv")},
		"the stream has no spec":  {put("no.yaml", "apiVersion: p2pstream.dev/v1\nkind: P2PStream\nmetadata: {name: a}\nspec: {source: {url: \"http://o/m.m3u8\"}}\n")},
		"YAML reads Off without":  {put("off.yaml", "fallback: {peering: Off}")},
		"more than 4194304 bytes": {put("large.csv", strings.Repeat("x", 5<<20))},
		"it is UTF-16":            {},
	} {
		if want == "it is UTF-16" {
			args, want = []string{put("utf16.csv", "\xff\xfea\x00")}, "is UTF-16"
		}
		if _, err := check(t, "", args...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %s", args, err, want)
		}
	}
}

// TestFlagsOfSites override the file; other flags of the tracker work as before.
func TestFlagsOfSites(t *testing.T) {
	file := configFile(t, `{"sites":{"fallback":{"peering":"Off"},"mask":{"ipv4":16},"mapFile":"a.csv"},"clientAddress":{"from":"Forwarded","trustedProxies":["10.0.0.0/8"]}}`)
	for want, args := range map[string][]string{
		`"clientAddress":{"from":"Forwarded","trustedProxies":["10.0.0.0/8"]},"sites":{"mask":{"ipv4":16},"fallback":{"peering":"Off"},"mapFile":"a.csv"}`: {"--config", file},
		`"sites":{"mask":{"ipv4":24,"ipv6":56},"fallback":{"peering":"ReceiveOnly"},"mapFile":"b.csv"}`: {"--config", file, "--site-map=b.csv",
			"--site-mask-ipv4=24", "--site-mask-ipv6=56", "--site-fallback=ReceiveOnly"},
		`"clientAddress":{"from":"ProxyProtocol","trustedProxies":["192.0.2.0/24","fd00::/8"]}`: {"--client-address=ProxyProtocol", "--trusted-proxy=192.0.2.0/24", "--trusted-proxy=fd00::/8"},
		`"sites":{"gateways":5,"cellSize":200}`:                                                 {"--site-gateways=5", "--site-cell-size=200"},
		`"sites":{"file":"sites.json"}`:                                                         {"--sites-file=sites.json"},
		`{"listen":":8000","adminListen":":9090"}`:                                              {},
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
	for want, args := range map[string][]string{
		"config.clientAddress.trustedProxies: is empty":         {"--client-address=Forwarded"},
		"config.clientAddress.from: \"XFF\"":                    {"--client-address=XFF"},
		"config.clientAddress.from: proxies are trusted, but":   {"--trusted-proxy=10.0.0.0/8"},
		"config.sites.gateways: 65 is not between 1 and 64":     {"--site-gateways=65"},
		"config.sites.cellSize: 9 is not between 10 and 50000":  {"--site-cell-size=9"},
		"config.sites.mask.ipv4: 99":                            {"--site-mask-ipv4=99"},
		"config.sites.fallback.peering: \"on\" is not Full, Re": {"--site-fallback=on"},
	} {
		c := trackerFlags(func(_ *cobra.Command, cfg tracker.Config) error { return cfg.Validate() })
		c.SilenceUsage, c.SilenceErrors = true, true
		c.SetArgs(args)
		if err := c.Execute(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %s", args, err, want)
		}
	}
}

// TestPageOfSites: docs/sites.md shows what the command prints for the page's own map, and specs that can be read.
func TestPageOfSites(t *testing.T) {
	raw, err := os.ReadFile("../../docs/sites.md")
	if err != nil {
		t.Fatal(err)
	}
	page := string(raw)
	block := func(begin string) string {
		_, after, ok := strings.Cut(page, begin)
		text, _, end := strings.Cut(after, "```")
		if !ok || !end {
			t.Fatalf("the page has no %q", begin)
		}
		return text
	}
	file := filepath.Join(t.TempDir(), "subnets.csv")
	if err := os.WriteFile(file, []byte(block("```csv\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	command, want, _ := strings.Cut(block("```\n$ p2pstream sites check subnets.csv"), "\n")
	got, err := check(t, "", append([]string{file}, strings.Fields(command)...)...)
	if err != nil || got != want {
		t.Errorf("%v: the command prints\n%s\nthe page says\n%s", err, got, want)
	}
	specs := 0
	for _, text := range strings.Split(page, "```yaml\nspec:\n")[1:] {
		text, _, _ = strings.Cut(text, "```")
		stream := "apiVersion: p2pstream.dev/v1\nkind: P2PStream\nmetadata: {name: a}\nspec:\n  source: {url: \"http://o/m.m3u8\"}\n" + strings.Replace(text, "[…]", "[10.0.0.0/24]", 1)
		if _, err := v1.Load(strings.NewReader(stream)); err != nil {
			t.Errorf("%v in\n%s", err, text)
		}
		specs++
	}
	if specs < 4 {
		t.Errorf("the page has %d specs", specs)
	}
}
