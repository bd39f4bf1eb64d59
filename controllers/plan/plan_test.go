package plan

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/controllers/exposure"
)

// read returns the stream and the facts of one case below testdata.
func read(t testing.TB, name string) (*v1.P2PStream, Facts) {
	t.Helper()
	stream, err := v1.LoadFile(filepath.Join("testdata", name, "stream.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(filepath.Join("testdata", name, "facts.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var facts Facts
	if err := yaml.UnmarshalStrict(raw, &facts); err != nil {
		t.Fatalf("facts.yaml: %v", err)
	}
	return stream, facts
}

// assigned returns observations of Services with the given node ports.
func assigned(nodePorts map[string]int32) exposure.Observed {
	o := exposure.Observed{}
	for name, port := range nodePorts {
		o[name] = exposure.Observation{NodePort: port}
	}
	return o
}

// cases are the names of all cases below testdata.
func cases(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/*/stream.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("cases: %v, %v", files, err)
	}
	for i, f := range files {
		files[i] = filepath.Base(filepath.Dir(f))
	}
	return files
}

func makePlan(t testing.TB, name string) Plan {
	t.Helper()
	p, err := Make(read(t, name))
	if err != nil {
		t.Fatalf("Make(%s): %v", name, err)
	}
	return p
}

// text is a plan as in its golden file: endpoints, warnings and so on, then each object as kubectl would apply it.
func text(t testing.TB, p Plan) string {
	t.Helper()
	var b bytes.Buffer
	document := func(v any) {
		y, err := yaml.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		b.WriteString("---\n")
		b.Write(y)
	}
	document(map[string]any{
		"endpoints": p.Endpoints, "pending": p.Pending, "warnings": p.Warnings, "seederSelector": p.SeederSelector,
	})
	for _, o := range p.Objects {
		document(o.Apply)
	}
	return b.String()
}

func TestGoldenPlans(t *testing.T) {
	t.Parallel()
	for _, name := range cases(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := text(t, makePlan(t, name))
			file := filepath.Join("testdata", name, "want.yaml")
			if os.Getenv("P2PSTREAM_UPDATE_GOLDEN") == "1" {
				if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
				t.Errorf("plan differs from %s (read it, then: make golden)\n%s", file, diff)
			}
		})
	}
}
