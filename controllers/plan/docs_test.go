package plan

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	v1 "github.com/p2pstream/p2pstream/api/v1"
)

// recipes are the manifests of a page by their headings.
func recipes(t *testing.T, page string) map[string][]string {
	t.Helper()
	raw, err := os.ReadFile("../../docs/" + page)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string][]string{}
	for _, section := range strings.Split(string(raw), "\n## ")[1:] {
		heading, _, _ := strings.Cut(section, "\n")
		for _, block := range regexp.MustCompile("(?ms)^```yaml\n(.*?)^```$").FindAllStringSubmatch(section, -1) {
			found[heading] = append(found[heading], strings.Split(block[1], "---\n")...)
		}
	}
	return found
}

func kindOf(t *testing.T, doc string) string {
	t.Helper()
	var head struct {
		Kind string `json:"kind"`
	}
	if err := yaml.Unmarshal([]byte(doc), &head); err != nil {
		t.Fatalf("%v in\n%s", err, doc)
	}
	return head.Kind
}

// TestRecipesOfTheEntrance: each is a network that can be planned as it is, with the URL that the page says, and what leads to it names
// Services that there are.
func TestRecipesOfTheEntrance(t *testing.T) {
	t.Parallel()
	const host = "https://ecdn.example.com"
	wants := map[string]struct{ url, object string }{
		"LoadBalancer":        {host, "Service/corp-network-tracker"},
		"ingress-nginx":       {host, "Ingress/corp-network-tracker"},
		"Gateway API":         {host, "Service/corp-network-tracker"},
		"A proxy of your own": {"https://www.example.com/ecdn", "Service/corp-network-tracker"},
		"Node ports":          {host + ":30443", "Service/corp-network-tracker"},
	}
	_, _, facts := readNetwork(t, "network-corp")
	facts.Kinds.Certificate, facts.Issued = true, &Issued{Ready: true}
	all := recipes(t, "entrance.md")
	if len(all) != len(wants) {
		t.Errorf("%d sections with manifests, want %d", len(all), len(wants))
	}
	for heading, want := range wants {
		var made Plan
		for _, doc := range all[heading] {
			switch kindOf(t, doc) {
			case v1.NetworkKind:
				n := &v1.P2PNetwork{}
				if err := yaml.UnmarshalStrict([]byte(doc), n); err != nil {
					t.Fatalf("%s: %v", heading, err)
				}
				var err error
				if made, err = MakeNetwork(n, NetworkFacts{TableSecret: "s"}, facts); err != nil {
					t.Fatalf("%s: %v", heading, err)
				}
			case "HTTPRoute":
				var route struct {
					Spec struct {
						Hostnames []string `json:"hostnames"`
						Rules     []struct {
							BackendRefs []struct {
								Name string `json:"name"`
								Port int32  `json:"port"`
							} `json:"backendRefs"`
						} `json:"rules"`
					} `json:"spec"`
				}
				if err := yaml.Unmarshal([]byte(doc), &route); err != nil {
					t.Fatal(err)
				}
				if b := route.Spec.Rules[0].BackendRefs[0]; "Service/"+b.Name != want.object || b.Port != PortTracker || "https://"+route.Spec.Hostnames[0] != want.url {
					t.Errorf("%s: the route leads %s to %s, port %d", heading, route.Spec.Hostnames[0], b.Name, b.Port)
				}
			default:
				t.Errorf("%s has a manifest of kind %s", heading, kindOf(t, doc))
			}
		}
		if made.Endpoints.Config != want.url {
			t.Errorf("%s: viewers are given %q, want %s", heading, made.Endpoints.Config, want.url)
		}
		if !slices.ContainsFunc(made.Objects, func(o Object) bool { return o.Kind+"/"+o.Name == want.object }) {
			t.Errorf("%s: there is no %s", heading, want.object)
		}
		for _, w := range made.Warnings {
			// A load balancer has no address before it is made.
			if w.Condition == v1.ConditionTrackerReady && w.Reason != v1.ReasonAddressPending {
				t.Errorf("%s: %s: %s", heading, w.Reason, w.Message)
			}
		}
	}
}

// TestATeamsStreamIsAFewLines: what the page tells teams is admitted by the network that it tells the platform.
func TestATeamsStreamIsAFewLines(t *testing.T) {
	t.Parallel()
	all := recipes(t, "network.md")
	stream, network := &v1.P2PStream{}, &v1.P2PNetwork{}
	doc := all["For a team with a stream"][0]
	if n := strings.Count(doc, "\n"); n > 10 {
		t.Errorf("a team's stream has %d lines", n)
	}
	for text, into := range map[string]any{doc: stream, all["For people who run the platform"][0]: network} {
		if err := yaml.UnmarshalStrict([]byte(text), into); err != nil {
			t.Fatal(err)
		}
	}
	if errs := append(stream.Validate(), network.Validate()...); len(errs) > 0 {
		t.Fatal(errs)
	}
	if ref := stream.Spec.NetworkRef; ref == nil || string(ref.Name) != network.Name || string(ref.Namespace) != network.Namespace {
		t.Errorf("the stream names %v", ref)
	}
	if !network.Admits(stream.Namespace, network.Spec.Streams.Namespaces.Selector.MatchLabels) {
		t.Error("the network does not admit the stream")
	}
	attached, _, err := Attach(stream, network)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Entry(attached, nil); err != nil {
		t.Error(err)
	}
}
