package controllers_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/p2pstream/p2pstream/controllers/plan"
	"github.com/p2pstream/p2pstream/runtime/tracker/table"
)

// TestANewTrackerHasItsStreamsFromTheConfigMap: it serves, without an operator, what the one before served.
func TestANewTrackerHasItsStreamsFromTheConfigMap(t *testing.T) {
	t.Parallel()
	team := newWorld(t)
	p := newPlatform(t, all, team)
	stop := p.operator()
	team.stream("one", p.on, swarm("a"))
	team.stream("two", p.on, swarm("b"))
	both := func() bool { return len(p.served()) == 2 }
	if !p.eventually(both) {
		t.Fatalf("served are %v", p.served())
	}
	var packed []byte
	if !p.eventually(func() bool {
		packed = p.keptTable()
		return len(unpacked(t, packed).Streams) == 2
	}) {
		t.Fatalf("kept is %+v", unpacked(t, packed))
	}
	stop()
	file := filepath.Join(t.TempDir(), "table.json.gz")
	if err := os.WriteFile(file, packed, 0o600); err != nil {
		t.Fatal(err)
	}
	p.startTracker(file)
	if !both() {
		t.Errorf("a new tracker serves %v", p.served())
	}
}

// keptTable is what a new tracker pod would mount; nil: nothing yet.
func (p *platform) keptTable() []byte {
	p.t.Helper()
	var found corev1.ConfigMap
	err := p.Get(p.t.Context(), client.ObjectKey{Namespace: p.ns, Name: plan.KeptTableName(p.network.Name)}, &found)
	if client.IgnoreNotFound(err) != nil {
		p.t.Fatal(err)
	}
	return found.BinaryData["table.json.gz"]
}

func unpacked(t *testing.T, packed []byte) (out table.Table) {
	t.Helper()
	if packed == nil {
		return out
	}
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.NewDecoder(r).Decode(&out); err != nil {
		t.Fatal(err)
	}
	return out
}
