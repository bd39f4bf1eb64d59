package exposure

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"
	"sigs.k8s.io/yaml"

	v1 "github.com/p2pstream/p2pstream/api/v1"
)

// example is one case below testdata/STRATEGY.
type example struct {
	Component Component `json:"component"`
	// One of the exposures of the resource, by the component.
	Tracker *v1.TrackerExposure `json:"tracker,omitempty"`
	STUN    *v1.STUNExposure    `json:"stun,omitempty"`
	Seeders *v1.SeederExposure  `json:"seeders,omitempty"`

	// Ordinal of a seeder.
	Ordinal        int32              `json:"ordinal,omitempty"`
	ViewersOutside bool               `json:"viewersOutside,omitempty"`
	Ready          bool               `json:"ready,omitempty"`
	Nodes          []Node             `json:"nodes,omitempty"`
	Observed       Observed           `json:"observed,omitempty"`
	IngressClasses *IngressClasses    `json:"ingressClasses,omitempty"`
	Kinds          Kinds              `json:"kinds,omitzero"`
	Gateways       map[string]Gateway `json:"gateways,omitempty"`
	Resolved       []string           `json:"resolved,omitempty"`
	// Refused are errors of the API server.
	Refused []string `json:"refused,omitempty"`
}

// target is the one that plan makes of such an exposure.
func (e example) target() Target {
	spec := v1.P2PStreamSpec{Tracker: &v1.TrackerSpec{Exposure: e.Tracker}, STUN: &v1.STUNSpec{Exposure: e.STUN}, Seeders: &v1.SeedersSpec{Exposure: e.Seeders}}
	t := Target{
		Component: e.Component, Settings: SettingsOf(&spec, e.Component),
		Name: "town-hall-" + string(e.Component), Namespace: "media",
		Labels: map[string]string{"label": "of the component"}, Owner: metav1ac.OwnerReference().WithName("town-hall"),
		Selector: map[string]string{"pods": "of the component"},
		PortName: "http", Protocol: corev1.ProtocolTCP, ContainerPort: 8000,
		ViewersOutside: e.ViewersOutside, Ready: e.Ready,
	}
	switch e.Component {
	case STUN:
		t.PortName, t.Protocol, t.ContainerPort = "stun", corev1.ProtocolUDP, 3478
	case Seeder:
		t.Ordinal = e.Ordinal
		t.Name += "-" + strconv.FormatInt(int64(e.Ordinal), 10)
		t.PortName, t.Protocol, t.ContainerPort, t.PublishNotReady = "ice", corev1.ProtocolUDP, 3479, true
	}
	return t
}

// advertised are the URLs that viewers are told, as plan makes them of the addresses.
func advertised(t Target, addresses []Address) []string {
	var urls []string
	for _, a := range addresses {
		switch {
		case t.Component == Tracker:
			return []string{a.WebSocket("/announce")}
		case t.Component == STUN && !a.Starting:
			urls = append(urls, "stun:"+a.HostPort())
		}
	}
	return urls
}

// result is all that a strategy says about an example.
type result struct {
	Traits     Traits              `json:"traits"`
	Objects    []Object            `json:"objects"`
	Port       int32               `json:"port"`
	Addresses  []Address           `json:"addresses"`
	Warning    *Warning            `json:"warning"`
	Refused    map[string]*Refusal `json:"refused,omitempty"`
	Advertised []string            `json:"advertised"`
}

func examine(e example) result {
	t, f := e.target(), Facts{Nodes: e.Nodes, Observed: e.Observed, IngressClasses: e.IngressClasses, Kinds: e.Kinds, Gateways: e.Gateways, Resolved: e.Resolved}
	s := t.Strategy()
	r := result{Traits: s.Traits(t.Component, t.Settings), Objects: s.Objects(t, f), Port: s.Port(t, f), Addresses: s.Addresses(t, f)}
	r.Advertised = advertised(t, r.Addresses)
	r.Warning = s.Warning(t, f, r.Advertised)
	for _, refused := range e.Refused {
		if r.Refused == nil {
			r.Refused = map[string]*Refusal{}
		}
		r.Refused[refused] = s.Refused(t, errors.New(refused), refused)
	}
	return r
}

// examples are the files of all cases, by strategy.
func examples(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/*/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	files = slices.DeleteFunc(files, func(f string) bool { return strings.HasSuffix(f, ".want.yaml") })
	if len(files) == 0 {
		t.Fatal("no cases")
	}
	return files
}

func readExample(t *testing.T, file string) example {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var e example
	if err := yaml.UnmarshalStrict(raw, &e); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return e
}

func TestGoldenStrategies(t *testing.T) {
	t.Parallel()
	for _, file := range examples(t) {
		t.Run(strings.TrimSuffix(strings.TrimPrefix(file, "testdata/"), ".yaml"), func(t *testing.T) {
			t.Parallel()
			e := readExample(t, file)
			if folder := filepath.Base(filepath.Dir(file)); folder != strings.ToLower(string(e.target().Settings.Type)) {
				t.Errorf("a case of %s in folder %s", e.target().Settings.Type, folder)
			}
			raw, err := yaml.Marshal(examine(e))
			if err != nil {
				t.Fatal(err)
			}
			golden := strings.TrimSuffix(file, ".yaml") + ".want.yaml"
			if os.Getenv("P2PSTREAM_UPDATE_GOLDEN") == "1" {
				if err := os.WriteFile(golden, raw, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(string(raw), "\n")); diff != "" {
				t.Errorf("differs from %s (read it, then: make golden)\n%s", golden, diff)
			}
		})
	}
}

// TestEveryStrategyHasCases: each strategy has at least one case of each component that it can expose.
func TestEveryStrategyHasCases(t *testing.T) {
	t.Parallel()
	covered := map[string]bool{}
	for _, file := range examples(t) {
		e := readExample(t, file)
		covered[string(e.target().Settings.Type)+"/"+string(e.Component)] = true
	}
	for _, row := range table {
		for _, c := range row.components {
			if key := string(row.name) + "/" + string(c); !covered[key] {
				t.Errorf("no case of %s, only %v", key, slices.Sorted(maps.Keys(covered)))
			}
		}
	}
}

// TestStrategiesChangeNoArgument: the facts and the target are the same afterwards, and so is what a second call says.
func TestStrategiesChangeNoArgument(t *testing.T) {
	t.Parallel()
	for _, file := range examples(t) {
		e := readExample(t, file)
		first, err := yaml.Marshal(examine(e))
		if err != nil {
			t.Fatal(err)
		}
		second, err := yaml.Marshal(examine(e))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(first), string(second)); diff != "" {
			t.Errorf("%s: a second call differs\n%s", file, diff)
		}
		if diff := cmp.Diff(readExample(t, file), e); diff != "" {
			t.Errorf("%s: an argument was changed\n%s", file, diff)
		}
	}
}
