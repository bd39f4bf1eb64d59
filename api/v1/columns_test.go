package v1

import (
	"os"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// TestListsSayWhyNotReady: `kubectl get` shows the reason of Ready beside it, without -o wide.
func TestListsSayWhyNotReady(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"p2pstreams", "p2pnetworks"} {
		raw, err := os.ReadFile("../../config/crd/p2pstream.dev_" + kind + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		var crd struct {
			Spec struct {
				Versions []struct {
					Name    string `json:"name"`
					Columns []struct {
						Name     string `json:"name"`
						Path     string `json:"jsonPath"`
						Priority int    `json:"priority"`
					} `json:"additionalPrinterColumns"`
				} `json:"versions"`
			} `json:"spec"`
		}
		if err := yaml.Unmarshal(raw, &crd); err != nil {
			t.Fatal(err)
		}
		if len(crd.Spec.Versions) == 0 {
			t.Errorf("%s: no version", kind)
		}
		for _, v := range crd.Spec.Versions {
			var shown []string
			for _, c := range v.Columns {
				if c.Priority == 0 && (c.Name == "Ready" || c.Name == "Reason") {
					shown = append(shown, c.Name+"="+c.Path)
				}
			}
			want := `Ready=.status.conditions[?(@.type=="Ready")].status Reason=.status.conditions[?(@.type=="Ready")].reason`
			if got := strings.Join(shown, " "); got != want {
				t.Errorf("%s %s: %s", kind, v.Name, got)
			}
		}
	}
}
