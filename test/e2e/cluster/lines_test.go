package cluster

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestLines(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c := launcher(t, `case "$*" in
*"offices --json") echo '[{"name":"north","wanBytesIn":900,"wanBytesOut":90},{"name":"walled","wanBytesIn":7}]' ;;
*"-f -") cat >`+filepath.Join(dir, "rules")+` ;;
*"list counters"*) echo '{"nftables":[{"metainfo":{}},{"counter":{"name":"north_udp","packets":3,"bytes":400}},{"counter":{"name":"north_tcp","packets":2,"bytes":300}},
  {"counter":{"name":"north_udp_out","packets":1,"bytes":50}},{"counter":{"name":"north_offices","packets":5,"bytes":60}}]}' ;;
esac`)
	if err := c.Meter(t.Context(), &Office{Name: "north"}, &Office{Name: "south-2"}); err != nil {
		t.Fatal(err)
	}
	rules, err := os.ReadFile(filepath.Join(dir, "rules"))
	if err != nil || !strings.Contains(string(rules), `iifname "o-north" oifname "o-*" counter name "north_offices"`) ||
		!strings.Contains(string(rules), "counter south_2_udp { }") {
		t.Errorf("%v\n%s", err, rules)
	}
	lines, err := c.Lines(t.Context())
	want := Line{UDP: Traffic{3, 400}, TCP: Traffic{2, 300}, UDPOut: Traffic{1, 50}, Offices: Traffic{5, 60}, Down: 900, Up: 90}
	if err != nil || len(lines) != 1 || lines["north"] != want {
		t.Errorf("Lines = %+v, %v, want %+v", lines, err, want)
	}
	if got := want.Since(Line{UDP: Traffic{1, 100}, Down: 1}); got.UDP != (Traffic{2, 300}) || got.Down != 899 || got.TCP != want.TCP {
		t.Errorf("Since = %+v", got)
	}
	for name, script := range map[string]string{"offices": "echo no JSON", "counters": `case "$*" in *offices*) echo '[]' ;; *) echo no JSON ;; esac`} {
		if _, err := launcher(t, script).Lines(t.Context()); err == nil {
			t.Errorf("Lines made sense of no JSON from %s", name)
		}
	}
}
