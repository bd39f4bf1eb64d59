package main

import (
	"strings"
	"testing"
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

const attached = `apiVersion: p2pstream.dev/v1
kind: P2PStream
metadata: {name: own, namespace: tv}
spec:
  source: {url: https://cdn.example.com/a.m3u8}
  networkRef: {name: corp, namespace: ecdn}
`

func TestGoldenStreams(t *testing.T) {
	t.Parallel()
	for name, manifest := range map[string]string{"bare": bareStream, "elsewhere": elsewhere, "attached": attached} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := ownStream([]byte(manifest), demoNamespace)
			if err != nil {
				t.Fatal(err)
			}
			golden(t, "stream-"+name+".yaml", described(t, s, ""))
		})
	}
}

// described is a scene as changes and manifest.
func described(t *testing.T, s *scene, exists string) string {
	t.Helper()
	var b strings.Builder
	for _, c := range s.changes {
		b.WriteString("# " + c.String() + "\n")
	}
	all, err := s.objects(exists)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := encodeObjects(all)
	if err != nil {
		t.Fatal(err)
	}
	return b.String() + string(raw)
}

func TestOwnStreamRefuses(t *testing.T) {
	t.Parallel()
	if _, err := ownStream([]byte("kind: P2PStream"), demoNamespace); err == nil {
		t.Error("ownStream of half a manifest gives no error")
	}
}
