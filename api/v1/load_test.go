package v1

import (
	"cmp"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

const head = "apiVersion: p2pstream.dev/v1\nkind: P2PStream\nmetadata: {name: a}\n"

func TestLoadRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, in, want string }{
		{"empty", "", "contains no P2PStream"},
		{"only others", "apiVersion: v1\nkind: Secret\n", "only Secret"},
		{"not yaml", "a: [", "document 1"},
		{"a list", "- a\n", "document 1"},
		{"no kind", "apiVersion: v1\n", "kind: missing"},
		{"old version", "apiVersion: p2pstream.dev/v0\nkind: P2PStream\n", `apiVersion: "p2pstream.dev/v0"`},
		{"no name", "apiVersion: p2pstream.dev/v1\nkind: P2PStream\nspec: {source: {url: http://o/m}}\n", "metadata.name"},
		{"unknown field", head + "spec: {source: {url: http://o/m, uri: x}}\n", "spec.source.uri"},
		{"wrong case", head + "spec: {source: {URL: http://o/m}}\n", "spec.source.url"},
		{"duplicate key", head + "spec: {source: {url: http://o/m}}\nspec: {}\n", "spec"},
		{"wrong type", head + "spec: {source: {url: http://o/m}, seeders: {replicas: many}}\n", "replicas"},
		{"not a quantity", head + "spec: {source: {url: http://o/m}, seeders: {cacheSize: big}}\n", "spec.seeders.cacheSize"},
		{"not a duration", head + "spec: {source: {url: http://o/m}, telemetry: {interval: soon}}\n", "spec.telemetry.interval"},
		{"two streams", head + "spec: {source: {url: http://o/m}}\n---\n" + head + "spec: {source: {url: http://o/m}}\n", "a second P2PStream"},
		{"too large", head + "#" + strings.Repeat("x", MaxManifestSize), "larger than"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := Load(strings.NewReader(tt.in))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Load = %v, want an error with %q", err, tt.want)
			}
		})
	}
}

func TestLoadPassesOverOthers(t *testing.T) {
	t.Parallel()
	in := "# a comment\n---\napiVersion: v1\nkind: Namespace\nmetadata: {name: media}\n---\n" + head + "spec: {source: {url: http://o/m}}\n---\n"
	stream, err := Load(strings.NewReader(in))
	if err != nil {
		t.Fatal(err)
	}
	if stream.Name != "a" || stream.Spec.Source.URL != "http://o/m" {
		t.Errorf("Load = %+v", stream)
	}
}

func TestLoadFileSamples(t *testing.T) {
	t.Parallel()
	samples, err := filepath.Glob("../../config/samples/p2pstream_*.yaml")
	if err != nil || len(samples) < 3 {
		t.Fatalf("samples: %v, %v", samples, err)
	}
	for _, file := range samples {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			stream, err := LoadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if stream.Namespace == "" {
				t.Error("the sample names no namespace")
			}
			if stream.Spec.SwarmID == "" {
				t.Error("the sample sets no swarmID")
			}
		})
	}
}

func TestLoadFileNamesTheFile(t *testing.T) {
	t.Parallel()
	if _, err := LoadFile("no-such-file.yaml"); err == nil || !strings.Contains(err.Error(), "no-such-file.yaml") {
		t.Errorf("LoadFile of a missing file = %v", err)
	}
}

func TestValidate(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("testdata/validation.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Name   string         `json:"name"`
		Stream string         `json:"stream"`
		Spec   map[string]any `json:"spec"`
		Want   string         `json:"want"`
	}
	if err := yaml.Unmarshal(raw, &cases); err != nil {
		t.Fatal(err)
	}
	for _, tt := range cases {
		t.Run(tt.Name, func(t *testing.T) {
			t.Parallel()
			doc, err := yaml.Marshal(map[string]any{
				"apiVersion": GroupVersion.String(), "kind": Kind,
				"metadata": map[string]any{"name": cmp.Or(tt.Stream, "a")}, "spec": tt.Spec,
			})
			if err != nil {
				t.Fatal(err)
			}
			_, err = Load(strings.NewReader(string(doc)))
			switch {
			case tt.Want == "" && err != nil:
				t.Errorf("Load = %v, want none", err)
			case tt.Want != "" && (err == nil || !strings.Contains(err.Error(), tt.Want)):
				t.Errorf("Load = %v, want an error with %q", err, tt.Want)
			}
		})
	}
}

func TestWithDefaults(t *testing.T) {
	t.Parallel()
	spec := P2PStreamSpec{Source: SourceSpec{URL: "http://o/m"}}
	d := spec.WithDefaults()
	if spec.Seeders != nil {
		t.Error("WithDefaults changed its receiver")
	}
	if *d.Seeders.Replicas != DefaultSeederReplicas || d.Seeders.CacheSize.String() != DefaultCacheSize || !*d.Viewers.P2P ||
		d.Telemetry.Interval.Duration != DefaultTelemetryInterval || d.Source.SeederURL != spec.Source.URL {
		t.Errorf("WithDefaults = %+v", d)
	}
	zero := int32(0)
	spec.Seeders = &SeedersSpec{Replicas: &zero}
	if d := spec.WithDefaults(); *d.Seeders.Replicas != 0 {
		t.Error("WithDefaults replaced a value that was set")
	}
}

func FuzzLoad(f *testing.F) {
	f.Add([]byte(head + "spec: {source: {url: http://o/m}}\n"))
	f.Add([]byte("---\n---\n"))
	f.Add([]byte("a: &a [*a]\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		stream, err := Load(strings.NewReader(string(data)))
		if (stream == nil) == (err == nil) {
			t.Errorf("Load = %v, %v", stream, err)
		}
	})
}
