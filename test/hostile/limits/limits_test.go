package limits

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/p2pstream/p2pstream/controllers/poll"
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
	"Tracker":        {tracker.Config{}.WithDefaults(1), ofTracker},
	"Viewer API":     {tracker.Config{}.WithDefaults(1), ofTracker},
	"STUN server":    {stun.Config{}.WithDefaults(), ofSTUN},
	"Peers":          {seederOf().WithDefaults(), ofSeeder},
	"Seeder":         {seederOf().WithDefaults(), ofSeeder},
	"Source":         {seederOf().WithDefaults(), ofSeeder},
	"Viewer's proxy": {nil, ofProxy},
	"Operator":       {nil, ofOperator},
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

func ofSTUN(t *testing.T) map[string]bool {
	return gathered(t, func(reg *prometheus.Registry) error {
		_, err := stun.New(stun.Config{}, nil, reg)
		return err
	})
}

func ofOperator(t *testing.T) map[string]bool {
	return gathered(t, func(reg *prometheus.Registry) error {
		poll.NewMetrics(reg)
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

// valueOf finds a default: that of a field, `limits.sockets`, or a constant, `sockets.maxFramesWithoutMessage` in `runtime/tracker/sockets`.
func valueOf(config any, field string) (string, error) {
	name, dir, fixed := strings.Cut(field, " in ")
	name, dir = strings.Trim(name, "`"), strings.Trim(dir, "`")
	if fixed {
		_, constant, _ := strings.Cut(name, ".")
		return constantOf(dir, constant)
	}
	v := reflect.ValueOf(config)
path:
	for part := range strings.SplitSeq(name, ".") {
		for i := range v.NumField() {
			if tag, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ","); tag == part {
				v = reflect.Indirect(v.Field(i))
				continue path
			}
		}
		return "", fmt.Errorf("there is no field %s", name)
	}
	switch {
	case v.Type() == reflect.TypeFor[tracker.Duration]():
		return duration(time.Duration(v.Int())), nil
	case v.CanInt():
		return thousands(v.Int()), nil
	case v.CanFloat():
		return thousands(int64(v.Float())), nil
	}
	return "", fmt.Errorf("field %s is a %s", name, v.Type())
}

// constantOf evaluates a constant of a package, which need not be exported.
func constantOf(dir, name string) (string, error) {
	files, err := filepath.Glob(filepath.Join(root, dir, "*.go"))
	if err != nil {
		return "", err
	}
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			return "", err
		}
		if value := find(parsed, name); value != nil {
			return evaluate(value)
		}
	}
	return "", fmt.Errorf("%s has no constant %s", dir, name)
}

func find(file *ast.File, name string) ast.Expr {
	for _, d := range file.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.CONST {
			continue
		}
		for _, s := range g.Specs {
			v := s.(*ast.ValueSpec)
			for i, n := range v.Names {
				if n.Name == name && i < len(v.Values) {
					return v.Values[i]
				}
			}
		}
	}
	return nil
}

// evaluate computes a constant expression of numbers and times.
func evaluate(e ast.Expr) (string, error) {
	text := types.ExprString(e)
	isTime := strings.Contains(text, "time.")
	for unit, n := range map[string]time.Duration{"Millisecond": time.Millisecond, "Second": time.Second, "Minute": time.Minute, "Hour": time.Hour} {
		text = strings.ReplaceAll(text, "time."+unit, strconv.FormatInt(int64(n), 10))
	}
	v, err := types.Eval(token.NewFileSet(), nil, token.NoPos, text)
	if err != nil {
		return "", err
	}
	n, exact := constant.Int64Val(constant.ToInt(v.Value))
	switch {
	case !exact:
		return "", fmt.Errorf("%s is no integer", text)
	case isTime:
		return duration(time.Duration(n)), nil
	}
	return thousands(n), nil
}

// duration writes 1m for 1m0s.
func duration(d time.Duration) string {
	s := d.String()
	for _, zero := range []string{"0s", "0m"} {
		if cut, ok := strings.CutSuffix(s, zero); ok && strings.HasSuffix(cut, map[string]string{"0s": "m", "0m": "h"}[zero]) {
			s = cut
		}
	}
	return s
}

// thousands writes 65,536.
func thousands(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
