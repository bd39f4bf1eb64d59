package prometheus

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/p2pstream/p2pstream/test/lab"
)

// series are values by series, in promtool's notation, one value a minute.
type series map[string]string

const of = `namespace="media",name="town-hall"`

// healthy is a stream with twenty viewers, and an operator, where nothing is wrong.
var healthy = series{
	`p2pstream_viewerapi_media_bytes_total{role="viewer",site="berlin",source="http",` + of + `}`:   "0+1000x60",
	`p2pstream_viewerapi_media_bytes_total{role="viewer",site="berlin",source="seeder",` + of + `}`: "0+5000x60",
	`p2pstream_viewerapi_media_bytes_total{role="viewer",site="berlin",source="viewer",` + of + `}`: "0+5000x60",
	`p2pstream_viewerapi_reporting_viewers{` + of + `}`:                                             "20x60",
	`p2pstream_viewerapi_stall_seconds_total{` + of + `}`:                                           "0+1x60",
	`p2pstream_viewerapi_startup_seconds_bucket{le="0.5",` + of + `}`:                               "0+10x60",
	`p2pstream_viewerapi_startup_seconds_bucket{le="10",` + of + `}`:                                "0+10x60",
	`p2pstream_viewerapi_startup_seconds_bucket{le="+Inf",` + of + `}`:                              "0+10x60",
	`p2pstream_viewerapi_site_copies{site="berlin",` + of + `}`:                                     "1.1x60",
	`p2pstream_viewerapi_site_viewers{site="berlin",` + of + `}`:                                    "20x60",
	`p2pstream_viewerapi_checked_segments_total{result="right",` + of + `}`:                         "0+9x60",
	`p2pstream_viewerapi_checked_segments_total{result="wrong",` + of + `}`:                         "3x60",
	`p2pstream_viewerapi_stream_problem{` + of + `}`:                                                "0x60",
	`p2pstream_viewerapi_stream_peerable{` + of + `}`:                                               "1x60",
	`p2pstream_viewerapi_seeders_behind{` + of + `}`:                                                "0x60",
	`p2pstream_viewerapi_reporting_seeders{` + of + `}`:                                             "2x60",
	`p2pstream_tracker_sockets{role="viewer",` + of + `}`:                                           "20x60",
	`p2pstream_tracker_sockets_refused_total{limit="sockets",` + of + `}`:                           "5x60",
	`p2pstream_tracker_sockets_refused_total{limit="no_ticket",` + of + `}`:                         "0+600x60",
	`p2pstream_tracker_certificate_expiration_timestamp_seconds{` + of + `}`:                        "7776000x60", // 90 days
	`p2pstream_seeder_peers{pod="s-0",` + of + `}`:                                                  "20x60",
	`p2pstream_seeder_peers_limit{pod="s-0",` + of + `}`:                                            "200x60",
	`p2pstream_operator_streams{condition="Ready",status="True",reason="Serving"}`:                  "1x60",
	`up{component="seeder",pod="s-0",` + of + `}`:                                                   "1x60",
	`up{component="manager",namespace="p2pstream-system"}`:                                          "1x60",
	`workqueue_longest_running_processor_seconds{component="manager"}`:                              "0x60",
	`controller_runtime_reconcile_total{component="manager",result="success"}`:                      "0+60x60",
	`controller_runtime_reconcile_total{component="manager",result="error"}`:                        "0+1x60",
}

// fault is what happens to a healthy stream, and the alert that is to fire, and no other one. At the minute of quiet it does
// not fire yet. Values of "-" remove a series.
type fault struct {
	alert, what  string
	quiet, fires string
	change       series
}

var faults = []fault{
	{"P2PStreamViewersStall", "each of 20 viewers stalls one second of a minute", "4m", "20m", series{
		`p2pstream_viewerapi_stall_seconds_total{` + of + `}`: "0+20x60"}},
	{"P2PStreamStartsSlowly", "one viewer in ten starts late", "9m", "30m", series{
		`p2pstream_viewerapi_startup_seconds_bucket{le="0.5",` + of + `}`: "0+9x60"}},
	{"P2PStreamOffloadLost", "all comes from the origin", "9m", "30m", series{
		`p2pstream_viewerapi_media_bytes_total{role="viewer",site="berlin",source="http",` + of + `}`:   "0+11000x60",
		`p2pstream_viewerapi_media_bytes_total{role="viewer",site="berlin",source="seeder",` + of + `}`: "0x60",
		`p2pstream_viewerapi_media_bytes_total{role="viewer",site="berlin",source="viewer",` + of + `}`: "0x60"}},
	{"P2PStreamLineOverloaded", "a line carries three copies", "4m", "20m", series{
		`p2pstream_viewerapi_site_copies{site="berlin",` + of + `}`: "3x60"}},
	{"P2PStreamNoTelemetry", "viewers no longer report", "9m", "30m", series{
		`p2pstream_viewerapi_reporting_viewers{` + of + `}`:                                             "0x60",
		`p2pstream_viewerapi_stall_seconds_total{` + of + `}`:                                           "0x60",
		`p2pstream_viewerapi_media_bytes_total{role="viewer",site="berlin",source="http",` + of + `}`:   "0x60",
		`p2pstream_viewerapi_media_bytes_total{role="viewer",site="berlin",source="seeder",` + of + `}`: "0x60",
		`p2pstream_viewerapi_media_bytes_total{role="viewer",site="berlin",source="viewer",` + of + `}`: "0x60"}},
	{"P2PStreamViewersRefused", "the tracker is full", "4m", "20m", series{
		`p2pstream_tracker_sockets_refused_total{limit="sockets",` + of + `}`: "0+60x60"}},
	{"P2PStreamSegmentsWrong", "a peer sends wrong bytes", "1m", "10m", series{
		`p2pstream_viewerapi_checked_segments_total{result="wrong",` + of + `}`: "3x3 5x60"}},
	{"P2PStreamSourceUnreadable", "the origin fails", "2m", "10m", series{
		`p2pstream_viewerapi_stream_problem{` + of + `}`: "1x60"}},
	{"P2PStreamNotShared", "the stream cannot be shared", "4m", "20m", series{
		`p2pstream_viewerapi_stream_peerable{` + of + `}`: "0x60"}},
	{"P2PStreamSeedersBehind", "a seeder is slow", "2m", "10m", series{
		`p2pstream_viewerapi_seeders_behind{` + of + `}`: "1x60"}},
	{"P2PStreamSeedersGone", "seeders lose the tracker", "4m", "20m", series{
		`p2pstream_viewerapi_reporting_seeders{` + of + `}`: "0x60"}},
	{"P2PStreamSeedersFull", "there are many viewers", "9m", "30m", series{
		`p2pstream_seeder_peers{pod="s-0",` + of + `}`: "195x60"}},
	{"P2PStreamCertificateEnds", "a certificate ends in six days", "9m", "30m", series{
		`p2pstream_tracker_certificate_expiration_timestamp_seconds{` + of + `}`: "518400x60"}},
	{"P2PStreamCertificateEnds", "a certificate cannot be read", "9m", "30m", series{
		`p2pstream_tracker_certificate_expiration_timestamp_seconds{` + of + `}`: "0x60"}},
	{"P2PStreamNotReady", "pods cannot be scheduled", "9m", "30m", series{
		`p2pstream_operator_streams{condition="Ready",status="False",reason="Unschedulable"}`: "2x60"}},
	{"P2PStreamOperatorDown", "the operator does not answer", "4m", "20m", series{
		`up{component="manager",namespace="p2pstream-system"}`: "0x60"}},
	{"P2PStreamOperatorDown", "the operator is not there", "4m", "20m", series{
		`up{component="manager",namespace="p2pstream-system"}`: "-"}},
	{"P2PStreamOperatorNotReconciling", "a run hangs", "9m", "30m", series{
		`workqueue_longest_running_processor_seconds{component="manager"}`: "100+60x60"}},
	{"P2PStreamOperatorNotReconciling", "runs fail", "9m", "30m", series{
		`controller_runtime_reconcile_total{component="manager",result="error"}`: "0+600x60"}},
}

// TestEachFaultFiresItsAlert has promtool play each fault against the rules, and health as well.
func TestEachFaultFiresItsAlert(t *testing.T) {
	t.Parallel()
	type object = map[string]any
	input := func(change series) (out []object) {
		all := maps.Clone(healthy)
		maps.Copy(all, change)
		for _, name := range slices.Sorted(maps.Keys(all)) {
			if all[name] != "-" {
				out = append(out, object{"series": name, "values": all[name]})
			}
		}
		return out
	}
	const firing = `count by (alertname) (ALERTS{alertstate="firing"})`
	tests := []object{{"name": "healthy", "interval": "1m", "input_series": input(nil), "promql_expr_test": []object{
		{"expr": firing, "eval_time": "10m"}, {"expr": firing, "eval_time": "50m"}}}}
	for _, f := range faults {
		tests = append(tests, object{"name": f.alert + ": " + f.what, "interval": "1m", "input_series": input(f.change), "promql_expr_test": []object{
			{"expr": firing, "eval_time": f.quiet},
			{"expr": firing, "eval_time": f.fires, "exp_samples": []object{{"labels": `{alertname="` + f.alert + `"}`, "value": 1}}},
		}})
	}
	file := filepath.Join(t.TempDir(), "faults.yaml")
	text := lab.Must[[]byte](t)(yaml.Marshal(object{"rule_files": []string{lab.Must[string](t)(filepath.Abs(rulesFile))}, "evaluation_interval": "1m", "tests": tests}))
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), "promtool", "test", "rules", file).CombinedOutput(); err != nil {
		t.Errorf("%v; make deps installs promtool\n%s", err, out)
	}
}

// TestEachAlertIsExplained wants of each alert a fault that fires it, and a page that says what to do.
func TestEachAlertIsExplained(t *testing.T) {
	t.Parallel()
	const pages = "../../docs/runbooks"
	alerts := map[string]bool{}
	for _, r := range rules(t) {
		if r.Alert == "" {
			continue
		}
		alerts[r.Alert] = true
		if !slices.ContainsFunc(faults, func(f fault) bool { return f.alert == r.Alert }) {
			t.Errorf("%s: no fault fires it", r.Alert)
		}
		page, err := os.ReadFile(filepath.Join(pages, r.Alert+".md"))
		if err != nil {
			t.Errorf("%s: %v", r.Alert, err)
			continue
		}
		for _, headline := range []string{"Alert `" + r.Alert + "`.", "## What it means", "## What viewers notice", "## Find the cause", "## What to do"} {
			if !strings.Contains(string(page), headline+"\n") {
				t.Errorf("%s: its page lacks %q", r.Alert, headline)
			}
		}
		if title, _, _ := strings.Cut(string(page), "\n"); !strings.HasPrefix(title, "# ") || strings.Contains(title, r.Alert) {
			t.Errorf("%s: its page has the title %q", r.Alert, title)
		}
		if !strings.HasSuffix(r.Annotations["runbook_url"], "/docs/runbooks/"+r.Alert+".md") || r.Annotations["summary"] == "" || r.Annotations["description"] == "" {
			t.Errorf("%s: lacks summary, description or the link to its page: %v", r.Alert, r.Annotations)
		}
		if !slices.Contains([]string{"info", "warning", "critical"}, r.Labels["severity"]) {
			t.Errorf("%s: severity is %q", r.Alert, r.Labels["severity"])
		}
	}
	for _, file := range lab.Must[[]os.DirEntry](t)(os.ReadDir(pages)) {
		if name := strings.TrimSuffix(file.Name(), ".md"); !alerts[name] {
			t.Errorf("%s explains an alert that there is not", file.Name())
		}
	}
}
