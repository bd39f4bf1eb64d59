package main

import (
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	v1 "github.com/p2pstream/p2pstream/api/v1"
)

func TestOfficesBecomeSites(t *testing.T) {
	t.Parallel()
	ranges, err := officeRanges([]byte(`[{"name": "office-b", "cidr": "10.7.130.0/24"}, {"name": "office-a", "cidr": "10.7.129.0/24"}, {"name": "else", "cidr": "10.7.131.0/24"}]`))
	if err != nil {
		t.Fatal(err)
	}
	s, err := ownStream([]byte(bareStream), demoNamespace)
	if err != nil {
		t.Fatal(err)
	}
	before := len(s.changes)
	s.placeOffices(nil)
	if len(s.changes) != before {
		t.Errorf("without addresses: %v", s.changes)
	}
	s.placeOffices(ranges)
	raw, err := yaml.Marshal(s.streams[0])
	if err != nil {
		t.Fatal(err)
	}
	again, err := v1.Load(strings.NewReader(string(raw)))
	if err != nil {
		t.Fatal(err)
	}
	sites := again.Spec.Sites
	if len(s.changes) != before+2 || len(sites.List) != 2 || sites.List[0].Name != "office-a" || sites.List[0].CIDRs[0] != "10.7.129.0/24" ||
		sites.List[1].CIDRs[0] != "10.7.130.0/24" || again.Spec.Tracker.Exposure.ExternalTrafficPolicy != v1.TrafficPolicyLocal {
		t.Errorf("%v: %s", s.changes, raw)
	}
	if s.placeOffices(ranges); len(s.changes) != before+3 {
		t.Errorf("again: %v", s.changes)
	}
	if _, err := officeRanges([]byte("none")); err == nil {
		t.Error("officeRanges of no JSON gives no error")
	}
}

func TestWordsForCopies(t *testing.T) {
	t.Parallel()
	for copies, want := range map[string]string{
		"": "not known", "0.00": "less than one copy", "1.04": "about one copy", "1.20": "about one copy", "2.94": "2.9 copies",
	} {
		if got := (&siteFigures{copies: copies}).words(); !strings.Contains(got, want) {
			t.Errorf("%q: %s, want %q", copies, got, want)
		}
	}
}

func TestFiguresOfAnOffice(t *testing.T) {
	t.Parallel()
	sites := []v1.SiteStatus{{Name: "office-a", Viewers: 3, Copies: "3.10", LineBitsPerSecond: 630_000}}
	got := figuresOf(sites, "office-a")
	if got == nil || *got != (siteFigures{viewers: 3, copies: "3.10", line: 630_000}) || figuresOf(sites, "office-b") != nil {
		t.Errorf("%+v", got)
	}
	p := pictures()["well"]
	p.offices[1].playing, p.offices[0].site = 3, got
	if wrong := strings.Join(verdict(p), "; "); wrong != "COPIES is 3.10 in office-a, not at most 2" {
		t.Errorf("verdict = %q", wrong)
	}
}
