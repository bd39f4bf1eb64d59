package cluster

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// launcher is a script instead of bin/cluster.
func launcher(t *testing.T, script string) *Cluster {
	t.Helper()
	path := filepath.Join(t.TempDir(), "cluster")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script), 0o700); err != nil {
		t.Fatal(err)
	}
	return &Cluster{Binary: path, Name: "e2e"}
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	nodes, err := launcher(t, `[ "$*" = "--name e2e nodes --json" ] && echo '[{"name":"n1","ip":"10.200.1.2","podCIDR":"10.244.1.0/24","netns":"p2pstream-e2e-n1"}]'`).Nodes(ctx)
	if err != nil || len(nodes) != 1 || nodes[0].IP != "10.200.1.2" || nodes[0].WAN() != "p2pstream-e2e-wan" {
		t.Errorf("Nodes = %+v, %v", nodes, err)
	}
	office, err := launcher(t, `[ "$*" = "--name e2e office north --rate 20mbit" ] && echo '{"name":"north","gateway":"10.200.129.1"}'`).Office(ctx, "north", "--rate", "20mbit")
	if err != nil || office.Gateway != "10.200.129.1" {
		t.Fatalf("Office = %+v, %v", office, err)
	}
	if got := strings.Join(office.Prefix()[1:], " "); got != "--name e2e exec north --" {
		t.Errorf("Prefix = %q", got)
	}
	known := (&Cluster{Binary: "cluster", Name: "e2e"}).Known(&Office{Name: "north", Gateway: "10.200.129.1"})
	if got := strings.Join(known.Prefix(), " "); got != "cluster --name e2e exec north --" || known.Gateway != "10.200.129.1" {
		t.Errorf("a known office: prefix %q, %+v", got, known)
	}
	if path, err := launcher(t, "echo /somewhere/kubeconfig").Kubeconfig(ctx); err != nil || path != "/somewhere/kubeconfig" {
		t.Errorf("Kubeconfig = %q, %v", path, err)
	}
}

func TestComplaints(t *testing.T) {
	t.Parallel()
	c := launcher(t, "echo needs root >&2; exit 1")
	for name, err := range map[string]error{
		"up": c.Up(t.Context()), "down": c.Down(t.Context()), "load": c.Load(t.Context(), "x.tar"),
		"masquerade on": c.Masquerade(t.Context(), true), "hiding pods": c.HidePods(t.Context(), netip.MustParsePrefix("10.244.0.0/16")),
	} {
		if err == nil || !strings.Contains(err.Error(), "needs root") || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v, want what was run and what it complained of", name, err)
		}
	}
	if _, err := launcher(t, "echo no JSON").Nodes(t.Context()); err == nil {
		t.Error("Nodes made sense of no JSON")
	}
}
