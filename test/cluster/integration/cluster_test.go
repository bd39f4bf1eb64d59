package integration

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/p2pstream/p2pstream/test/cluster/internal/host"
)

// pods run one probe on each node; a answers only on its own node's port, b on every node's.
const pods = `
apiVersion: v1
kind: Pod
metadata: {name: a, labels: {pod: a}}
spec:
  nodeName: n1
  terminationGracePeriodSeconds: 0
  containers: [{name: probe, image: "localhost/probe:itest", env: [
    {name: POD, valueFrom: {fieldRef: {fieldPath: metadata.name}}}, {name: NODE, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}]}]
---
apiVersion: v1
kind: Pod
metadata: {name: b, labels: {pod: b}}
spec:
  nodeName: n2
  terminationGracePeriodSeconds: 0
  containers: [{name: probe, image: "localhost/probe:itest", resources: {limits: {memory: 64Mi, cpu: 500m}}, env: [
    {name: POD, valueFrom: {fieldRef: {fieldPath: metadata.name}}}, {name: NODE, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}]}]
---
apiVersion: v1
kind: Service
metadata: {name: a}
spec: {selector: {pod: a}, type: NodePort, externalTrafficPolicy: Local, ports: [
  {name: tcp, port: 8080, nodePort: 30080}, {name: udp, port: 8080, nodePort: 30080, protocol: UDP}]}
---
apiVersion: v1
kind: Service
metadata: {name: b}
spec: {selector: {pod: b}, type: NodePort, ports: [
  {name: tcp, port: 8080, nodePort: 30081}, {name: udp, port: 8080, nodePort: 30081, protocol: UDP}]}
`

func TestCluster(t *testing.T) {
	l, probe := build(t)
	l.do(t, "build")
	before := machine(t)
	l.do(t, "down") // what an interrupted run may have left
	t.Cleanup(func() {
		if left := leftovers(t, l.name); len(left) > 0 {
			t.Errorf("down leaves:\n%s", strings.Join(left, "\n"))
		}
		if diff := cmp.Diff(before, machine(t)); diff != "" {
			t.Errorf("the machine is not what it was (-before +after)\n%s", diff)
		}
	})
	l.up(t)
	archive := filepath.Join(t.TempDir(), "probe.tar")
	l.do(t, "image", probe, "--tag", "localhost/probe:itest", "--out", archive)
	l.do(t, "load", archive)
	l.apply(t, pods)
	l.kubectl(t, "wait", "--for=condition=Ready", "--timeout=30s", "pod/a", "pod/b")
	e := env{launcher: l, probe: probe, nodes: l.nodes(t), pods: l.podIPs(t)}

	t.Run("nodes", e.testNodes)
	t.Run("services", e.testServices)
	t.Run("node ports", e.testNodePorts)
	t.Run("offices", e.testOffices)
	t.Run("masquerade", e.testMasquerade)
	t.Run("host", e.testHost)
	t.Run("plug", e.testPlug)
	t.Run("exec", e.testExec)
	t.Run("kubectl", e.testKubectl)
	t.Run("second cluster", e.testSecondCluster)
	t.Run("killed programs", e.testKilledPrograms)
	t.Run("killed node", e.testKilledNode)
	t.Run("failing up", e.testFailingUp)
}

type env struct {
	launcher
	probe string
	nodes map[string]string
	pods  map[string]string
}

func (l launcher) podIPs(t *testing.T) map[string]string {
	t.Helper()
	var list struct {
		Items []struct {
			Metadata struct{ Name string }
			Status   struct{ PodIP string }
		}
	}
	decode(t, l.kubectl(t, "get", "pods", "-o", "json"), &list)
	ips := map[string]string{}
	for _, pod := range list.Items {
		ips[pod.Metadata.Name] = pod.Status.PodIP
	}
	return ips
}

// get asks a URL from the host.
func get(ctx context.Context, url string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 4*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", response.Status, body)
	}
	return string(body), err
}

// expect waits until a URL, asked from the host, says this. Rules for a new Service take a moment.
func expect(t *testing.T, url string, want who) {
	t.Helper()
	eventually(t, url, func() error {
		body, err := get(t.Context(), url)
		if err != nil {
			return err
		}
		var got who
		if err := json.Unmarshal([]byte(body), &got); err != nil {
			return fmt.Errorf("reading %q: %w", body, err)
		}
		if want.Seen == "" {
			got.Seen = ""
		}
		if got != want {
			return fmt.Errorf("got %+v, want %+v", got, want)
		}
		return nil
	})
}

// portA is the NodePort of pod a.
func (e env) portA() string { return "http://" + e.nodes["n1"] + ":30080/" }

// fromA and fromB are URLs that make the pod of that name ask another.
func (e env) fromA(verb, key, target string) string {
	return e.portA() + verb + "?" + key + "=" + target
}

func (e env) fromB(verb, key, target string) string {
	return "http://" + e.nodes["n2"] + ":30081/" + verb + "?" + key + "=" + target
}

var (
	podA = who{Pod: "a", Node: "n1"}
	podB = who{Pod: "b", Node: "n2"}
)

func (w who) by(address string) who {
	w.Seen = address
	return w
}

func (e env) testNodes(t *testing.T) {
	out := e.kubectl(t, "get", "nodes", "--no-headers", "-o", `custom-columns=N:.metadata.name,IP:.status.addresses[0].address,Z:.metadata.labels.topology\.kubernetes\.io/zone,V:.status.nodeInfo.kubeletVersion`)
	want := fmt.Sprintf("n1 %s site1 v1.36.3 n2 %s site2 v1.36.3", e.nodes["n1"], e.nodes["n2"])
	if got := strings.Join(strings.Fields(out), " "); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	e.do(t, "status")
}

func (e env) testServices(t *testing.T) {
	expect(t, e.fromA("get", "url", "http://b:8080/"), podB.by(e.pods["a"]))
	expect(t, e.fromB("get", "url", "http://a.default.svc.cluster.local:8080/"), podA.by(e.pods["b"]))
	expect(t, e.fromA("udp", "to", "b:8080"), podB.by(e.pods["a"]))
	expect(t, e.fromB("udp", "to", e.pods["a"]+":8080"), podA.by(e.pods["b"]))
	expect(t, e.fromA("get", "url", "http://a:8080/"), podA)
	expect(t, e.fromA("get", "url", "http://"+e.nodes["n2"]+":30081/"), podB)
}

func (e env) testNodePorts(t *testing.T) {
	host := hostAddress(t, e.nodes["n1"])
	expect(t, e.portA(), podA.by(host))
	for _, node := range []string{"n1", "n2"} {
		expect(t, "http://"+e.nodes[node]+":30081/", podB)
	}
	if body, err := get(t.Context(), "http://"+e.nodes["n2"]+":30080/"); err == nil {
		t.Errorf("with externalTrafficPolicy Local a node without the pod answers: %s", body)
	}
}

// hostAddress is the host's address on the way to a node.
func hostAddress(t *testing.T, node string) string {
	t.Helper()
	var routes []struct{ Prefsrc string }
	out, err := exec.Command("ip", "-json", "route", "get", node).Output()
	if err != nil {
		t.Fatal(err)
	}
	decode(t, string(out), &routes)
	return routes[0].Prefsrc
}

func (e env) testExec(t *testing.T) {
	_, _, err := e.try("exec", "n1", "--", "sh", "-c", "exit 7")
	if host.ExitCode(err) != 7 {
		t.Errorf("exit 7 became %v", err)
	}
	cmd := e.command("exec", "wan", "--", "sleep", "600")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the launcher to become the command", func() error {
		line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", cmd.Process.Pid))
		if err == nil && !strings.HasPrefix(string(line), "sleep") {
			err = fmt.Errorf("it is %q", line)
		}
		return err
	})
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	err = cmd.Wait()
	if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGTERM {
		t.Errorf("SIGTERM did not reach the command: %v", err)
	}
}

func (e env) testKubectl(t *testing.T) {
	var w who
	decode(t, e.kubectl(t, "exec", "a", "--", "/probe", "get", "http://b:8080/"), &w)
	if w != podB.by(e.pods["a"]) {
		t.Errorf("from inside a pod: %+v", w)
	}
	e.kubectl(t, "logs", "b")
	e.kubectl(t, "create", "namespace", "guarded")
	e.kubectl(t, "label", "namespace", "guarded", "pod-security.kubernetes.io/enforce=restricted")
	_, log, err := e.try("kubectl", "--", "-n", "guarded", "run", "x", "--image=localhost/probe:itest", "--privileged")
	if err == nil || !strings.Contains(log, "PodSecurity") {
		t.Errorf("a privileged pod in a restricted namespace: %v, %s", err, log)
	}
}
