package viewers

import (
	"os/exec"
	"strings"
	"testing"
	"time"
)

// script makes Start run a shell script instead of the program.
func script(text string) Command {
	return func(string, ...string) *exec.Cmd { return exec.Command("sh", "-c", text) }
}

func TestReport(t *testing.T) {
	t.Parallel()
	const report = `{"viewers":[{"id":1}],"total":{"bytes":{"seeder":7}},"duration":1}`
	g, err := Start(script(`report='`+report+`'; trap 'echo "$report"; exit 0' TERM; echo ready >&2; while :; do sleep 0.05; done`), "p2pstream", "http://tracker/v1/config")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.Kill)
	for deadline := time.Now().Add(10 * time.Second); !strings.Contains(g.Log(), "ready"); {
		if time.Now().After(deadline) {
			t.Fatal("the script says nothing")
		}
	}
	if !g.Running() {
		t.Error("a running group is said to have ended")
	}
	r, err := g.Stop(10 * time.Second)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Viewers) != 1 || r.Total.Bytes.Seeder != 7 || g.Running() {
		t.Errorf("Stop = %+v, running %t", r, g.Running())
	}
}

func TestFailure(t *testing.T) {
	t.Parallel()
	g, err := Start(script("echo no route to host >&2; exit 1"), "p2pstream", "http://tracker/v1/config")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := g.Wait(10 * time.Second); err == nil || !strings.Contains(err.Error(), "no route to host") {
		t.Errorf("Wait = %v, want what the program complained of", err)
	}
	g, err = Start(script("exec sleep 60"), "p2pstream", "http://tracker/v1/config")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := g.Wait(10 * time.Millisecond); err == nil {
		t.Error("Wait gave a report of viewers that still play")
	}
	g.Kill()
	g.Kill()
	if g.Running() {
		t.Error("a killed group is said to run")
	}
}
