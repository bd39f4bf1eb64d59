package plan

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"sigs.k8s.io/yaml"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	tracker "github.com/p2pstream/p2pstream/runtime/tracker/config"
)

// readNetwork returns the network, a stream on it and the facts of one case below testdata.
func readNetwork(t testing.TB, name string) (network *v1.P2PNetwork, stream *v1.P2PStream, facts Facts) {
	t.Helper()
	load := func(file string, into any) {
		raw, err := os.ReadFile(filepath.Join("testdata", name, file))
		if err != nil {
			t.Fatal(err)
		}
		if err := yaml.UnmarshalStrict(raw, into); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
	}
	network, stream = &v1.P2PNetwork{}, &v1.P2PStream{}
	load("network.yaml", network)
	load("attached.yaml", stream)
	load("facts.yaml", &facts)
	return network, stream, facts
}

func networkCases(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/*/network.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("cases: %v, %v", files, err)
	}
	for i, f := range files {
		files[i] = filepath.Base(filepath.Dir(f))
	}
	return files
}

// made are the plans of a network and of a stream on it, and what the tracker is told of the stream.
func made(t testing.TB, name string, served bool) (network, stream Plan, entry string) {
	t.Helper()
	n, s, facts := readNetwork(t, name)
	network, err := MakeNetwork(n, NetworkFacts{TableSecret: NetworkBase(n.Name) + "-table-0123456789", Table: []byte("table of " + n.Name)}, facts)
	if err != nil {
		t.Fatal(err)
	}
	attached, _, err := Attach(s, n)
	if err != nil {
		t.Fatal(err)
	}
	facts.Network = &Attachment{Namespace: n.Namespace, Name: n.Name, URL: network.Endpoints.Config, STUN: network.Endpoints.STUN, Pods: n.Spec.Pods,
		TokenSecret: TokenSecretName(s.Name) + "-0123456789", Served: served}
	if stream, err = Make(attached, facts); err != nil {
		t.Fatal(err)
	}
	e, err := Entry(attached, []string{"sha256:" + strings.Repeat("0", 64)})
	if err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	return network, stream, string(raw)
}

func TestGoldenNetworks(t *testing.T) {
	t.Parallel()
	for _, name := range networkCases(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			network, stream, entry := made(t, name, true)
			got := "# network\n" + text(t, network) + "# entry\n---\n" + entry + "\n# stream\n" + text(t, stream)
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

// TestNetworkAndStreamOfOneNameDoNotMeet: neither selects pods of the other, nor has a child of the same name.
func TestNetworkAndStreamOfOneNameDoNotMeet(t *testing.T) {
	t.Parallel()
	n, _, facts := readNetwork(t, "network-plain")
	network, err := MakeNetwork(n, NetworkFacts{TableSecret: "s"}, facts)
	if err != nil {
		t.Fatal(err)
	}
	own, err := Make(&v1.P2PStream{ObjectMeta: metav1.ObjectMeta{Name: n.Name, Namespace: n.Namespace, UID: "u"}, Spec: v1.P2PStreamSpec{Source: v1.SourceSpec{URL: "http://o/m.m3u8"}}}, facts)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range network.Objects {
		for _, b := range own.Objects {
			if a.Ref == b.Ref {
				t.Errorf("both have %v", a.Ref)
			}
		}
	}
	if a, b := networkSelector("x", ComponentTracker), Selector("x", ComponentTracker); a["app.kubernetes.io/name"] == b["app.kubernetes.io/name"] {
		t.Errorf("%v selects what %v does", a, b)
	}
	if labels := NetworkLabels("x", ComponentTracker); labels[LabelStream] != "" || labels[LabelNetwork] != "x" || labels[LabelManagedBy] != ManagedBy {
		t.Errorf("labels %v", labels)
	}
}

// TestTheTrackerOfANetworkStarts: its configuration is valid, and it may write nothing but its table.
func TestTheTrackerOfANetworkStarts(t *testing.T) {
	t.Parallel()
	for _, name := range networkCases(t) {
		network, _, _ := made(t, name, true)
		found := false
		for _, o := range network.Objects {
			switch made := object(t, o).(type) {
			case *corev1.ConfigMap:
				if made.Data[fileTracker] == "" {
					continue
				}
				found = true
				var c tracker.Config
				if err := json.Unmarshal([]byte(made.Data[fileTracker]), &c); err != nil {
					t.Fatal(err)
				}
				if err := c.Validate(); err != nil || c.Streams == nil || c.Stream != nil || c.SeederTokenFile != "" {
					t.Errorf("%s: %v, %s", name, err, made.Data[fileTracker])
				}
			default:
				template := podTemplateOf(made)
				if template == nil {
					continue
				}
				for _, m := range template.Spec.Containers[0].VolumeMounts {
					if !m.ReadOnly && m.MountPath != mountData {
						t.Errorf("%s may write %s", o.Name, m.MountPath)
					}
				}
			}
			if len(validation.IsDNS1035Label(o.Name)) > 0 {
				t.Errorf("%s is not the name of a Service", o.Name)
			}
		}
		if !found {
			t.Errorf("%s: no configuration of a tracker", name)
		}
	}
}

// TestLongestNamesFit into names of Services and values of labels.
func TestLongestNamesOfNetworksFit(t *testing.T) {
	t.Parallel()
	n, _, facts := readNetwork(t, "network-plain")
	n.Name = "n" + strings.Repeat("x", v1.MaxNetworkNameLength-1)
	network, err := MakeNetwork(n, NetworkFacts{TableSecret: "s"}, facts)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range network.Objects {
		if len(o.Name) > validation.DNS1035LabelMaxLength {
			t.Errorf("%s has %d characters", o.Name, len(o.Name))
		}
	}
}

// TestOwnTrackerStaysUntilTheNetworkServes: it is neither planned nor pruned.
func TestOwnTrackerStaysUntilTheNetworkServes(t *testing.T) {
	t.Parallel()
	_, before, _ := made(t, "network-plain", false)
	_, after, _ := made(t, "network-plain", true)
	own := Ref{"Deployment", TrackerName("live")}
	if !slices.Contains(before.Pending, own) || slices.Contains(after.Pending, own) {
		t.Errorf("pending: %v, then %v", before.Pending, after.Pending)
	}
}

func TestWhatANetworkDoesNotGive(t *testing.T) {
	t.Parallel()
	n := func(x int32) *int32 { return &x }
	q := func(s string) *resource.Quantity { v := resource.MustParse(s); return &v }
	limits := &v1.NetworkLimits{SeedersPerStream: n(2), UplinkPerSeeder: "500Mbit", CacheSize: q("256Mi")}
	for want, change := range map[string]func(*v1.P2PStreamSpec){
		"":                             func(*v1.P2PStreamSpec) {},
		"spec.source.headersSecretRef": func(s *v1.P2PStreamSpec) { s.Source.HeadersSecretRef = &v1.SecretReference{Name: "h"} },
		"spec.source.caSecretRef":      func(s *v1.P2PStreamSpec) { s.Source.CASecretRef = &v1.SecretReference{Name: "h"} },
		"spec.viewers.tokens":          func(s *v1.P2PStreamSpec) { s.Viewers = &v1.ViewersSpec{Tokens: &v1.TokensSpec{}} },
	} {
		stream := &v1.P2PStream{Spec: v1.P2PStreamSpec{Source: v1.SourceSpec{URL: "http://o/m.m3u8"}}}
		change(&stream.Spec)
		before := stream.DeepCopy()
		attached, above, err := Attach(stream, &v1.P2PNetwork{Spec: v1.P2PNetworkSpec{Streams: &v1.NetworkStreamsSpec{Limits: limits}}})
		invalid := (*InvalidError)(nil)
		if (err == nil) != (want == "") || err != nil && (!strings.Contains(err.Error(), want) || !errors.As(err, &invalid)) {
			t.Errorf("%v, want %q", err, want)
		}
		if diff := cmp.Diff(before, stream); diff != "" {
			t.Errorf("Attach changed the stream\n%s", diff)
		}
		if err == nil && (len(above) > 0 || attached.Spec.Seeders.Uplink != "500Mbit" || attached.Spec.Seeders.CacheSize.String() != "256Mi") {
			t.Errorf("a stream that says nothing has %+v, want the limits", attached.Spec.Seeders)
		}
	}
}

// TestLimitsOfANetwork: who asks for more is told, and gets what they allow.
func TestLimitsOfANetwork(t *testing.T) {
	t.Parallel()
	n := func(x int32) *int32 { return &x }
	q := func(s string) *resource.Quantity { v := resource.MustParse(s); return &v }
	limits := &v1.NetworkLimits{SeedersPerStream: n(2), UplinkPerSeeder: "500Mbit", CacheSize: q("256Mi")}
	for want, asked := range map[string]v1.SeedersSpec{
		"spec.seeders.replicas: 3 is above the network's limit of 2":                                                               {Replicas: n(3)},
		"spec.seeders.scale.max: 3 is above the network's limit of 2":                                                              {Scale: &v1.SeederScale{Max: n(3)}},
		"spec.seeders.scale.min: 3 is above the network's limit of 2":                                                              {Scale: &v1.SeederScale{Min: n(3)}},
		"spec.seeders.scale.min: 3 is above the network's limit of 2; spec.seeders.scale.max: 4 is above the network's limit of 2": {Scale: &v1.SeederScale{Min: n(3), Max: n(4)}},
		"spec.seeders.uplink: 1Gbit is above the network's limit of 500Mbit":                                                       {Uplink: "1Gbit"},
		"spec.seeders.cacheSize: 1Gi is above the network's limit of 256Mi":                                                        {CacheSize: q("1Gi")},
	} {
		stream := &v1.P2PStream{Spec: v1.P2PStreamSpec{Source: v1.SourceSpec{URL: "http://o/m.m3u8"}, Seeders: &asked}}
		before := stream.DeepCopy()
		attached, above, err := Attach(stream, &v1.P2PNetwork{Spec: v1.P2PNetworkSpec{Streams: &v1.NetworkStreamsSpec{Limits: limits}}})
		if err != nil || strings.Join(above, "; ") != want {
			t.Errorf("%q, %v, want %q", above, err, want)
		}
		if diff := cmp.Diff(before, stream); diff != "" {
			t.Errorf("Attach changed the stream\n%s", diff)
		}
		spec := attached.Spec.WithDefaults().Seeders
		if scale := spec.Scale; scale != nil && (*scale.Max != 2 || scale.Min != nil && *scale.Min != 2) || scale == nil && *spec.Replicas > 2 {
			t.Errorf("%s: it gets %+v", want, spec)
		}
		if spec.Uplink != "500Mbit" || spec.CacheSize.String() != "256Mi" {
			t.Errorf("%s: it gets %s and %s", want, spec.Uplink, spec.CacheSize)
		}
	}
}

// TestScaleWithinANetwork: a stream that names no maximum gets the network's, and one that may have no seeder at all cannot count
// them by the audience.
func TestScaleWithinANetwork(t *testing.T) {
	t.Parallel()
	for limit, want := range map[int32]int32{0: -1, 1: 1, 2: 2, 9: v1.DefaultMaxSeeders} {
		stream := &v1.P2PStream{Spec: v1.P2PStreamSpec{Source: v1.SourceSpec{URL: "http://o/m.m3u8"}, Seeders: &v1.SeedersSpec{Scale: &v1.SeederScale{}}}}
		limits := &v1.NetworkLimits{SeedersPerStream: &limit}
		attached, above, err := Attach(stream, &v1.P2PNetwork{Spec: v1.P2PNetworkSpec{Streams: &v1.NetworkStreamsSpec{Limits: limits}}})
		if err != nil || len(above) > 0 {
			t.Fatal(above, err)
		}
		if want < 0 {
			if r := attached.Spec.Seeders; r.Scale != nil || *r.Replicas != 0 {
				t.Errorf("limit %d: it gets %+v", limit, r)
			}
			continue
		}
		if spec := attached.Spec.WithDefaults(); *spec.Seeders.Scale.Max != want || attached.Spec.Seeders.Replicas != nil {
			t.Errorf("limit %d: at most %d, replicas %v", limit, *spec.Seeders.Scale.Max, attached.Spec.Seeders.Replicas)
		}
	}
}
