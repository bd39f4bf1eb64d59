package deploy

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	lua "github.com/yuin/gopher-lua"
	"sigs.k8s.io/yaml"
)

const installPage = repository + "/docs/install.md"

// blocks returns the fenced blocks of a page that are in a language.
func blocks(t *testing.T, page, language string) []string {
	t.Helper()
	raw, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, match := range regexp.MustCompile("(?ms)^```(\\w*)\n(.*?)^```$").FindAllStringSubmatch(string(raw), -1) {
		if match[1] == language {
			found = append(found, match[2])
		}
	}
	return found
}

func TestPageShowsManifestsThatParse(t *testing.T) {
	t.Parallel()
	found := blocks(t, installPage, "yaml")
	if len(found) < 4 {
		t.Fatalf("found %d blocks, want those of kustomize, Argo CD, Flux and Helm", len(found))
	}
	for _, block := range found {
		for doc := range strings.SplitSeq(block, "\n---\n") {
			var object map[string]any
			err := yaml.UnmarshalStrict([]byte(doc), &object)
			part := len(object) == 1 && (object["spec"] != nil || object["streamPods"] != nil) // of a stream, of the chart's values
			if err != nil || !part && (object["apiVersion"] == nil || object["kind"] == nil) {
				t.Errorf("%v in\n%s", err, doc)
			}
		}
	}
}

func TestPageShowsAKustomizationThatWorks(t *testing.T) {
	t.Parallel()
	text := blocks(t, installPage, "yaml")[0]
	_, images, ok := strings.Cut(text, "images:\n")
	if !ok {
		t.Fatalf("the first manifest changes no image:\n%s", text)
	}
	c := manager(t, built(t, overlay(t, "images:\n"+images)))
	if want := "registry.example.com/p2pstream:v0.1.0"; c.Image != want {
		t.Errorf("the manager runs %s, want %s", c.Image, want)
	}
}

// Pages may name only values that the chart accepts.
func TestPagesNameValuesThatThereAre(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile(chartDir + "/values.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var values map[string]any
	if err := yaml.Unmarshal(raw, &values); err != nil {
		t.Fatal(err)
	}
	for _, page := range []string{installPage, chartDir + "/README.md"} {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		named := regexp.MustCompile("(?:^|[\\s`])([a-z]\\w*(?:\\.\\w+)+)=").FindAllStringSubmatch(string(text), -1)
		if len(named) == 0 {
			t.Errorf("%s names no value", filepath.Base(page))
		}
		for _, match := range named {
			if !has(values, strings.Split(match[1], ".")) {
				t.Errorf("%s names %s, which the chart does not know", filepath.Base(page), match[1])
			}
		}
	}
}

func has(values map[string]any, path []string) bool {
	below, ok := values[path[0]]
	if !ok || len(path) == 1 {
		return ok
	}
	m, ok := below.(map[string]any)
	return ok && has(m, path[1:])
}

// Argo CD runs the script with `obj` set and reads a table with status and message.
func TestArgoCDSeesTheHealthOfAStream(t *testing.T) {
	t.Parallel()
	scripts := blocks(t, installPage, "lua")
	if len(scripts) != 1 {
		t.Fatalf("found %d scripts, want 1", len(scripts))
	}
	for name, c := range map[string]struct{ status, health, says string }{
		"new":         {"{}", "Progressing", "Waiting"},
		"no status":   {"nil", "Progressing", "Waiting"},
		"changed":     {`{observedGeneration=1, conditions={{type="Ready", status="True", message="ok"}}}`, "Progressing", "Waiting"},
		"healthy":     {`{observedGeneration=2, conditions={{type="Ready", status="True", message="serves"}}}`, "Healthy", "serves"},
		"rolling out": {`{observedGeneration=2, conditions={{type="Ready", status="True", message="ok"}, {type="Reconciling", status="True", message="rolls"}}}`, "Progressing", "rolls"},
		"stalled":     {`{observedGeneration=2, conditions={{type="Ready", status="True", message="ok"}, {type="Stalled", status="True", message="no Secret"}}}`, "Degraded", "no Secret"},
		"down":        {`{observedGeneration=2, conditions={{type="Ready", status="False", message="gone"}, {type="Stalled", status="False", message=""}}}`, "Degraded", "gone"},
		"unknown":     {`{observedGeneration=2, conditions={{type="Ready", status="Unknown", message="?"}}}`, "Progressing", "Waiting"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			state := lua.NewState()
			defer state.Close()
			if err := state.DoString("obj = {metadata={generation=2}, status=" + c.status + "}"); err != nil {
				t.Fatal(err)
			}
			if err := state.DoString(scripts[0]); err != nil {
				t.Fatal(err)
			}
			health, ok := state.Get(-1).(*lua.LTable)
			if !ok {
				t.Fatalf("returned %s", state.Get(-1))
			}
			if got := health.RawGetString("status").String(); got != c.health {
				t.Errorf("health is %s, want %s", got, c.health)
			}
			if got := health.RawGetString("message").String(); !strings.Contains(got, c.says) {
				t.Errorf("message is %q, want %q in it", got, c.says)
			}
		})
	}
}
