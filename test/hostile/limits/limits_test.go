package limits

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/p2pstream/p2pstream/controllers/overview"
	"github.com/p2pstream/p2pstream/controllers/poll"
	"github.com/p2pstream/p2pstream/controllers/push"
	"github.com/p2pstream/p2pstream/runtime/seeder"
	"github.com/p2pstream/p2pstream/runtime/stun"
	"github.com/p2pstream/p2pstream/runtime/tracker"
	"github.com/p2pstream/p2pstream/runtime/viewer/proxy"
)

// root is the folder of the repository.
const root = "../../.."

// program is one section of the page: the configuration that its fields belong to, with defaults, and its series.
type program struct {
	config any
	// series returns those of a program that was just created, as in `name{label="value"}`.
	series func(t *testing.T) map[string]bool
}

var programs = map[string]program{
	"Tracker":          {tracker.Config{}.WithDefaults(1), ofTracker},
	"Viewer API":       {tracker.Config{}.WithDefaults(1), ofTracker},
	"Table of streams": {nil, ofTable},
	"STUN server":      {stun.Config{}.WithDefaults(), ofSTUN},
	"Peers":            {seederOf().WithDefaults(), ofSeeder},
	"Seeder":           {seederOf().WithDefaults(), ofSeeder},
	"Source":           {seederOf().WithDefaults(), ofSeeder},
	"Viewer's proxy":   {nil, ofProxy},
	"Operator":         {nil, ofOperator},
}

func seederOf() seeder.Config {
	return seeder.Config{Source: "http://127.0.0.1:1/m.m3u8", Trackers: []string{"ws://127.0.0.1:1/announce"}, ICEListen: "127.0.0.1:0", Loopback: true}
}

func ofSeeder(t *testing.T) map[string]bool {
	return gathered(t, func(reg *prometheus.Registry) error {
		_, err := seeder.New(seederOf(), nil, reg)
		return err
	})
}

func ofProxy(t *testing.T) map[string]bool {
	return gathered(t, func(reg *prometheus.Registry) error {
		cfg := proxy.Config{}
		cfg.Source = "http://127.0.0.1:1/m.m3u8"
		_, err := proxy.New(cfg, nil, reg)
		return err
	})
}

func ofTracker(t *testing.T) map[string]bool {
	return gathered(t, func(reg *prometheus.Registry) error {
		_, err := tracker.New(tracker.Config{Stream: &tracker.StreamConfig{SourceURL: "http://127.0.0.1:1/m.m3u8"}}, nil, reg)
		return err
	})
}

func ofTable(t *testing.T) map[string]bool {
	dir := t.TempDir()
	token := filepath.Join(dir, "token")
	if err := os.WriteFile(token, []byte("0123456789abcdef\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return gathered(t, func(reg *prometheus.Registry) error {
		_, err := tracker.New(tracker.Config{AdminListen: "127.0.0.1:0",
			Streams: &tracker.StreamsConfig{File: filepath.Join(dir, "table.json"), TokenFile: token}}, nil, reg)
		return err
	})
}

func ofSTUN(t *testing.T) map[string]bool {
	return gathered(t, func(reg *prometheus.Registry) error {
		_, err := stun.New(stun.Config{}, nil, reg)
		return err
	})
}

func ofOperator(t *testing.T) map[string]bool {
	return gathered(t, func(reg *prometheus.Registry) error {
		poll.NewMetrics(reg)
		overview.NewMetrics(reg)
		push.NewMetrics(reg)
		return nil
	})
}

// gathered makes a program and lists its series.
func gathered(t *testing.T, create func(*prometheus.Registry) error) map[string]bool {
	t.Helper()
	reg := prometheus.NewRegistry()
	if err := create(reg); err != nil {
		t.Fatal(err)
	}
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	series := map[string]bool{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			var labels []string
			for _, l := range m.GetLabel() {
				labels = append(labels, fmt.Sprintf("%s=%q", l.GetName(), l.GetValue()))
			}
			name := f.GetName()
			if len(labels) > 0 {
				name += "{" + strings.Join(labels, ",") + "}"
			}
			series[name] = true
		}
	}
	return series
}

// row is one limit.
type row struct{ what, value, field, effect, metric string }

// TestPageAgreesWithTheCode compares the tables of docs/limits.md with defaults, constants and series.
func TestPageAgreesWithTheCode(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(root, "docs", "limits.md"))
	if err != nil {
		t.Fatal(err)
	}
	sections := parse(t, string(page))
	for name := range programs {
		if len(sections[name]) == 0 {
			t.Errorf("section %q has no table", name)
		}
	}
	for name, rows := range sections {
		p, ok := programs[name]
		if !ok {
			t.Errorf("section %q has a table that no test compares with the code", name)
			continue
		}
		t.Run(name, func(t *testing.T) {
			series := p.series(t)
			for _, r := range rows {
				got, err := valueOf(p.config, r.field)
				switch {
				case err != nil:
					t.Errorf("%s: %v", r.what, err)
				case got != r.value:
					t.Errorf("%s: the page says %s, the code %s", r.what, r.value, got)
				}
				if metric := strings.Trim(r.metric, "`"); !series[metric] {
					t.Errorf("%s: there is no series %s", r.what, metric)
				}
			}
		})
	}
}

// TestNoLimitIsMissing requires that every field that is a limit is on the page.
func TestNoLimitIsMissing(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(root, "docs", "limits.md"))
	if err != nil {
		t.Fatal(err)
	}
	for prefix, config := range map[string]reflect.Type{
		"limits.": reflect.TypeFor[tracker.LimitsConfig](), "": reflect.TypeFor[stun.Config](),
	} {
		for i := range config.NumField() {
			f := config.Field(i)
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			switch f.Type.Kind() {
			case reflect.Int, reflect.Int64, reflect.Float64:
			default:
				continue // an address
			}
			if name != "readers" && name != "drain" && !strings.Contains(string(page), "| `"+prefix+name+"` |") {
				t.Errorf("%s%s is not on the page", prefix, name)
			}
		}
	}
}

// parse reads the tables of a page by section.
func parse(t *testing.T, page string) map[string][]row {
	t.Helper()
	sections, section := map[string][]row{}, ""
	for line := range strings.Lines(page) {
		line = strings.TrimSpace(line)
		if title, ok := strings.CutPrefix(line, "## "); ok {
			section = title
		}
		if !strings.HasPrefix(line, "|") || strings.HasPrefix(line, "| what |") || strings.HasPrefix(line, "| ---") {
			continue
		}
		cells := strings.Split(strings.Trim(line, "|"), "|")
		if len(cells) != 5 {
			t.Errorf("%d columns, want 5: %s", len(cells), line)
			continue
		}
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		sections[section] = append(sections[section], row{cells[0], cells[1], cells[2], cells[3], cells[4]})
	}
	return sections
}
