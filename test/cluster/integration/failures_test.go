package integration

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
)

func (e env) testSecondCluster(t *testing.T) {
	second := e.named("itest2")
	second.up(t, "--nodes", "1", "--masquerade")
	if first, other := e.nodes["n1"], second.nodes(t)["n1"]; first == other {
		t.Errorf("both clusters have a node at %s", first)
	}
	if got := strings.Fields(second.kubectl(t, "get", "nodes", "-o", "name")); len(got) != 1 {
		t.Errorf("the second cluster has %v", got)
	}
	second.do(t, "down")
	if left := leftovers(t, "itest2"); len(left) > 0 {
		t.Errorf("down leaves:\n%s", strings.Join(left, "\n"))
	}
	expect(t, e.portA(), podA)
	e.do(t, "status")
}

// pids maps programs, such as n1/kubelet, to their numbers.
func (l launcher) pids(t *testing.T) map[string]int {
	t.Helper()
	out, _, _ := l.try("status", "--json") // fails while something does not run, and prints all the same
	var status struct {
		Programs []struct {
			Place, Program string
			PID            int
		}
	}
	decode(t, out, &status)
	found := map[string]int{}
	for _, p := range status.Programs {
		found[p.Place+"/"+p.Program] = p.PID
	}
	return found
}

func kill(t *testing.T, pid int) {
	t.Helper()
	if pid < 2 {
		t.Fatalf("no program to kill: pid %d", pid)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
}

// Programs of a node that die are started again, and pods never notice.
func (e env) testKilledPrograms(t *testing.T) {
	before := e.pids(t)
	for _, program := range []string{"n1/kubelet", "n1/containerd", "n0/kube-apiserver"} {
		kill(t, before[program])
	}
	eventually(t, "the cluster to recover", func() error {
		_, log, err := e.try("status")
		if err != nil {
			return fmt.Errorf("%w: %s", err, log)
		}
		return nil
	})
	after := e.pids(t)
	if after["n1/kubelet"] == before["n1/kubelet"] || after["n1/kube-proxy"] != before["n1/kube-proxy"] {
		t.Errorf("before %v, after %v", before, after)
	}
	expect(t, e.portA(), podA)
}

// A cluster with a dead node is of no use: `up` replaces it.
func (e env) testKilledNode(t *testing.T) {
	var state struct {
		Places []struct {
			Name string
			Init struct{ PID int }
		}
	}
	data, err := os.ReadFile("/var/lib/p2pstream-cluster/" + e.name + "/state.json")
	if err != nil {
		t.Fatal(err)
	}
	decode(t, string(data), &state)
	for _, place := range state.Places {
		if place.Name == "n2" {
			kill(t, place.Init.PID)
		}
	}
	eventually(t, "the node to be gone", func() error { // a killed process ends a moment later
		if _, _, err := e.try("status"); err == nil {
			return errors.New("the cluster works")
		}
		return nil
	})
	e.do(t, "up")
	if got := strings.TrimSpace(e.kubectl(t, "get", "pods", "-o", "name")); got != "" {
		t.Errorf("the old cluster is still there: %s", got)
	}
	e.do(t, "status")
}

func (e env) testFailingUp(t *testing.T) {
	third := e.named("itest3")
	_, log, err := third.try("up", "--wait", "1s")
	if err == nil || !strings.Contains(log, "waiting for kube-apiserver on n0") || !strings.Contains(log, "last lines of") {
		t.Errorf("got %v, %s", err, log)
	}
	if left := leftovers(t, "itest3"); len(left) > 0 {
		t.Errorf("a failed up leaves:\n%s", strings.Join(left, "\n"))
	}
}
