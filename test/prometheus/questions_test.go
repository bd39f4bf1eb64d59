package prometheus

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/p2pstream/p2pstream/test/lab"
)

const (
	monitoring = "../../charts/p2pstream/monitoring"
	rulesFile  = monitoring + "/rules.yaml"
)

// rule is one recording or alerting rule.
type rule struct {
	Record      string            `json:"record"`
	Alert       string            `json:"alert"`
	Expr        string            `json:"expr"`
	For         string            `json:"for"`
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
}

// rules are those of the chart.
func rules(t *testing.T) (all []rule) {
	t.Helper()
	var file struct {
		Groups []struct {
			Name  string `json:"name"`
			Rules []rule `json:"rules"`
		} `json:"groups"`
	}
	if err := yaml.UnmarshalStrict(lab.Must[[]byte](t)(os.ReadFile(rulesFile)), &file); err != nil {
		t.Fatal(err)
	}
	for _, g := range file.Groups {
		all = append(all, g.Rules...)
	}
	if len(all) == 0 {
		t.Fatal("no rules found")
	}
	return all
}

// question is an expression that has an answer while programs run.
type question struct{ from, expr string }

var (
	comparison = regexp.MustCompile(` (==|!=|<=|>=|<|>) `)
	labelQuery = regexp.MustCompile(`^label_values\((.*), (\w+)\)$`)
	variables  = strings.NewReplacer("$__rate_interval", "15s", "$namespace", ".*", "$name", ".*", "$component", ".*")
)

// questions are those of rules and dashboards. An alert's expression has no answer while all is well, so its comparisons are
// asked for their results instead, 0 or 1.
func questions(t *testing.T) (all []question) {
	t.Helper()
	for _, r := range rules(t) {
		expr := r.Expr
		if r.Alert != "" {
			expr = comparison.ReplaceAllString(expr, " $1 bool ")
		}
		all = append(all, question{r.Record + r.Alert, expr})
	}
	files := lab.Must[[]string](t)(filepath.Glob(monitoring + "/dashboards/*.json"))
	if len(files) == 0 {
		t.Fatal("no dashboards found")
	}
	for _, file := range files {
		var board struct {
			Templating struct {
				List []struct{ Name, Type, Query string }
			}
			Panels []struct {
				Title   string
				Targets []struct{ Expr string }
			}
		}
		if err := json.Unmarshal(lab.Must[[]byte](t)(os.ReadFile(file)), &board); err != nil {
			t.Fatal(err)
		}
		from := strings.TrimSuffix(filepath.Base(file), ".json")
		for _, v := range board.Templating.List {
			if v.Type != "query" {
				continue
			}
			parts := labelQuery.FindStringSubmatch(v.Query)
			if parts == nil {
				t.Fatalf("%s: variable %s does not ask for the values of a label: %s", from, v.Name, v.Query)
			}
			all = append(all, question{from + ", variable " + v.Name, variables.Replace("group by (" + parts[2] + ") (" + parts[1] + ")")})
		}
		for _, p := range board.Panels {
			for _, q := range p.Targets {
				all = append(all, question{from + ", panel " + p.Title, variables.Replace(q.Expr)})
			}
		}
	}
	return all
}
