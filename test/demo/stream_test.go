package main

import (
	"os"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

const bareStream = "apiVersion: p2pstream.dev/v1\nkind: P2PStream\nmetadata: {name: own}\nspec: {source: {url: https://cdn.example.com/a.m3u8}}\n"

const elsewhere = `apiVersion: v1
kind: Namespace
metadata: {name: tv}
---
apiVersion: p2pstream.dev/v1
kind: P2PStream
metadata: {name: own, namespace: tv}
spec:
  source: {url: https://cdn.example.com/a.m3u8, seederURL: http://cdn.tv.svc/a.m3u8}
  tracker: {exposure: {type: NodePort, host: p2p.example.com, nodePort: 30443, addresses: [192.0.2.1]}}
  stun: {exposure: {type: ClusterIP}}
  seeders: {replicas: 3, exposure: {type: NodePort, addresses: [192.0.2.1]}}
`

func TestGoldenStreams(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ manifest, namespace, source string }{
		"bare":               {bareStream, demoNamespace, ""},
		"elsewhere":          {elsewhere, demoNamespace, ""},
		"elsewhere-replaced": {elsewhere, "", "http://10.200.1.2:30000/live/master.m3u8"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stream, changes, err := prepareStream([]byte(tt.manifest), tt.namespace, tt.source)
			if err != nil {
				t.Fatal(err)
			}
			doc, err := streamObject(stream)
			if err != nil {
				t.Fatal(err)
			}
			var b strings.Builder
			for _, c := range changes {
				b.WriteString("# " + c.String() + "\n")
			}
			raw, err := yaml.Marshal(doc)
			if err != nil {
				t.Fatal(err)
			}
			golden(t, "stream-"+name+".yaml", b.String()+string(raw))
		})
	}
}

// TestSampleNeedsOnlyASource holds the sample to what it says of itself: of everything in it the demo
// replaces the source alone.
func TestSampleNeedsOnlyASource(t *testing.T) {
	t.Parallel()
	sample, err := os.ReadFile("../../" + samplePath)
	if err != nil {
		t.Fatal(err)
	}
	_, changes, err := prepareStream(sample, "", "http://10.200.1.2:30000/live/master.m3u8")
	if err != nil {
		t.Fatal(err)
	}
	if len(changes) != 1 || changes[0].field != "spec.source.url" {
		t.Errorf("the demo changes %v", changes)
	}
}

func TestPrepareStreamRefuses(t *testing.T) {
	t.Parallel()
	if _, _, err := prepareStream([]byte("kind: P2PStream"), "", ""); err == nil {
		t.Error("prepareStream of half a manifest gives no error")
	}
}
