package main

import (
	"strings"
	"testing"
)

const demoOrigin = "http://10.200.1.2:30000"

// TestGoldenScenes: the network and both streams, where they are to be.
func TestGoldenScenes(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		namespace string
		ranges    map[string]string
	}{
		"own":      {"", map[string]string{"office-a": "10.7.129.0/24", "office-b": "10.7.130.0/24"}},
		"existing": {demoNamespace, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := sharedScene(networkManifest, tt.namespace, demoOrigin)
			if err != nil {
				t.Fatal(err)
			}
			s.placeOffices(tt.ranges)
			golden(t, "scene-"+name+".yaml", described(t, s, demoNamespace))
			if want := "the network corp with streams town-hall and training"; s.title() != want {
				t.Errorf("title %q", s.title())
			}
		})
	}
}

func TestTheStreamsOfTheDemoAreAsManyAsItSays(t *testing.T) {
	t.Parallel()
	s, err := readScene(networkManifest)
	if err != nil {
		t.Fatal(err)
	}
	if n := (options{}).streams(); len(s.streams) != n {
		t.Errorf("%s has %d streams, and options say %d", networkPath, len(s.streams), n)
	}
	if n := (options{file: "own.yaml"}).streams(); n != 1 {
		t.Errorf("a stream of one's own is %d", n)
	}
	// Each plays in each office, so that both names have figures.
	for office, of := range share(defaultViewers, len(s.streams)) {
		for stream, n := range of {
			if n < 2 {
				t.Errorf("%d viewers of %s in %s share nothing", n, s.streams[stream].Name, offices[office])
			}
		}
	}
}

func TestReadSceneRefuses(t *testing.T) {
	t.Parallel()
	text := string(networkManifest)
	for name, tt := range map[string]struct{ manifest, want string }{
		"no network":        {text[strings.Index(text, "---\n"):], "no network"},
		"no stream":         {text[:strings.Index(text, "---\n")], "no stream"},
		"a second network":  {text[:strings.Index(text, "---\n")] + "---\n" + text, "document 2: a second network"},
		"an unknown field":  {strings.Replace(text, "  tracker:", "  trackers:", 1), "document 1: decoding"},
		"a wrong network":   {strings.Replace(text, "from: All", "from: Some", 1), "document 1"},
		"a wrong stream":    {strings.Replace(text, "cacheSize: 64Mi", "cacheSize: 1Mi", 1), "document 2"},
		"another network":   {strings.Replace(text, "networkRef: {name: corp", "networkRef: {name: other", 1), "does not name the network"},
		"no YAML":           {"a: [", "document 1"},
		"a private tracker": {strings.Replace(text, "networkRef: {name: corp, namespace: ecdn}", "tracker: {}", 1), "does not name the network"},
	} {
		if _, err := readScene([]byte(tt.manifest)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
}
