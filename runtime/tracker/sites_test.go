package tracker

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/p2pstream/p2pstream/runtime/signaling"
	"github.com/p2pstream/p2pstream/runtime/sites"
	"github.com/p2pstream/p2pstream/runtime/tracker/stats"
)

// volume is a directory as the kubelet mounts a ConfigMap: the files are links to a directory that is replaced as a whole.
type volume struct {
	t    *testing.T
	dir  string
	next int
}

func newVolume(t *testing.T) *volume { return &volume{t: t, dir: t.TempDir()} }

// put replaces the content of the volume. Without files, the volume is that of an optional ConfigMap that does not exist.
func (v *volume) put(files map[string]string) {
	v.t.Helper()
	v.next++
	data := filepath.Join(v.dir, "..data"+strings.Repeat("x", v.next))
	must := func(err error) {
		v.t.Helper()
		if err != nil {
			v.t.Fatal(err)
		}
	}
	must(os.Mkdir(data, 0o755))
	for name, text := range files {
		must(os.WriteFile(filepath.Join(data, name), []byte(text), 0o600))
		if _, err := os.Lstat(filepath.Join(v.dir, name)); err != nil {
			must(os.Symlink(filepath.Join("..data", name), filepath.Join(v.dir, name)))
		}
	}
	must(os.Symlink(data, filepath.Join(v.dir, "..data_tmp")))
	must(os.Rename(filepath.Join(v.dir, "..data_tmp"), filepath.Join(v.dir, "..data")))
}

func (v *volume) path(name string) string { return filepath.Join(v.dir, name) }

// TestMapChangesWithoutARestart: the list and the file of sites are read again, and a file that is missing, broken or removed
// takes nothing away.
func TestMapChangesWithoutARestart(t *testing.T) {
	v := newVolume(t)
	v.put(map[string]string{"sites.json": `{"list":[{"name":"berlin","cidrs":["10.1.0.0/16"]}]}`})
	s, err := New(Config{Sites: &SitesConfig{File: v.path("sites.json"), MapFile: v.path("sites.csv")}}, nil, prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	expect := func(when string, problem stats.SiteMapProblem, ignored int, want map[string]string) {
		t.Helper()
		s.sites.Check()
		st := s.siteStats()
		if st.Problem != problem || st.IgnoredLines != ignored || (problem == "") != (st.Detail == "") {
			t.Errorf("%s: %+v", when, st)
		}
		for address, site := range want {
			if got := s.Sites().Lookup(netip.MustParseAddr(address)).Name; got != site {
				t.Errorf("%s: %s is in %q, want %q", when, address, got, site)
			}
		}
	}
	expect("without the file", stats.SiteMapMissing, 0, map[string]string{"10.1.0.1": "berlin", "10.2.0.1": ""})
	list := `{"list":[{"name":"berlin","cidrs":["10.1.0.0/16"]}]}`
	v.put(map[string]string{"sites.json": list, "sites.csv": "paris,10.2.0.0/16,On\nrome,10.3.0.0/99,On\n"})
	expect("with the file", "", 1, map[string]string{"10.1.0.1": "berlin", "10.2.0.1": "paris", "10.3.0.1": ""})
	if first := s.siteStats().FirstIgnored; first == nil || first.Line != 2 || !strings.Contains(first.Text, "10.3.0.0/99") {
		t.Errorf("%+v", first)
	}
	v.put(map[string]string{"sites.json": list, "sites.csv": "rome,10.3.0.0/16,On\n"})
	expect("with another file", "", 0, map[string]string{"10.1.0.1": "berlin", "10.2.0.1": "", "10.3.0.1": "rome"})
	v.put(map[string]string{"sites.json": list, "sites.csv": "\xff\xfer\x00"})
	expect("with a file of another encoding", stats.SiteMapUnreadable, 0, map[string]string{"10.3.0.1": "rome"})
	v.put(map[string]string{"sites.json": `{"list":[{"name":"madrid","cidrs":["10.1.0.0/16"]}]}`})
	expect("without the file, and with another list", stats.SiteMapMissing, 0, map[string]string{"10.1.0.1": "madrid", "10.3.0.1": "rome"})
	v.put(map[string]string{"sites.json": `{"list":[{"name":"madrid","cidrs":["10.1.0.0/99"]}]}`})
	expect("with a list that is not valid", stats.SiteMapMissing, 0, map[string]string{"10.1.0.1": "madrid", "10.3.0.1": "rome"})
}

func TestInvalidSites(t *testing.T) {
	for want, cfg := range map[string]SitesConfig{
		"config.sites.list[0].cidrs":              {Config: sites.Config{List: []sites.Entry{{Name: "a", CIDRs: []string{"10.0.0.0/99"}}}}},
		"config.sites.file: it holds mask":        {Config: sites.Config{Mask: sites.Mask{IPv4: 24}}, File: "sites.json"},
		"config.sites.file: open /does/not/exist": {File: "/does/not/exist"},
	} {
		if _, err := New(Config{Sites: &cfg}, nil, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	// A file of sites that does not exist is no reason not to start.
	s, err := New(Config{Sites: &SitesConfig{MapFile: "/does/not/exist"}}, nil, prometheus.NewRegistry())
	if err != nil || s.Sites() == nil || s.siteStats().Problem != stats.SiteMapMissing {
		t.Errorf("%v", err)
	}
}

// TestSocketsFollowTheMap: an open socket is in another place once the map has changed.
func TestSocketsFollowTheMap(t *testing.T) {
	v := newVolume(t)
	v.put(map[string]string{"sites.csv": "paris,127.0.0.0/8,On\n"})
	s := running(t, Config{Sites: &SitesConfig{MapFile: v.path("sites.csv")}})
	first, second := dial(t, s, nil, ""), dial(t, s, nil, "")
	for i, c := range []*client{first, second} {
		c.send(announce(hashOne, peerID(1+i), 5))
		c.expect(signaling.KindReply)
	}
	if m := first.expect(signaling.KindOffer); !m.HasOrigin || !m.Origin.Near {
		t.Errorf("two clients of one site: %+v", m)
	}
	v.put(map[string]string{"sites.csv": "rome,127.0.0.0/8,Off\n"})
	s.sites.Check()
	s.streams.only.hub.barrier()
	second.send(announce(hashOne, peerID(2), 5))
	second.expect(signaling.KindReply)
	for _, m := range first.collect() {
		if m.Kind == signaling.KindOffer {
			t.Errorf("an offer in a site without peering: %+v", m)
		}
	}
	without, err := New(Config{}, nil, prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	if without.Sites() != nil || without.siteStats() != nil {
		t.Error("a tracker without sites has some")
	}
}

// TestOneAddress: that of many viewers is told, unless they are on this machine.
func TestOneAddress(t *testing.T) {
	s := running(t, placed("Forwarded"))
	header := map[string][]string{"X-Forwarded-For": {"198.51.100.7"}}
	d := dialer(proxyAddress, nil)
	for i := range manyViewers {
		if got := s.streams.only.Audience().OneAddress; got != "" {
			t.Fatalf("%d viewers: %s", i, got)
		}
		c := dialThrough(t, s, d, header)
		c.send(announce(hashOne, peerID(i), 0))
		c.read()
	}
	if got := s.streams.only.Audience().OneAddress; got != "198.51.100.7" {
		t.Errorf("all viewers have %q", got)
	}
	c := dialThrough(t, s, d, map[string][]string{"X-Forwarded-For": {"198.51.100.8"}})
	c.send(announce(hashOne, peerID(99), 0))
	c.read()
	if got := s.streams.only.Audience().OneAddress; got != "" {
		t.Errorf("all viewers have %q", got)
	}
}
