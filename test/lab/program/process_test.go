package program_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/origin"
	stun "github.com/p2pstream/p2pstream/runtime/stun/config"
	"github.com/p2pstream/p2pstream/test/lab"
	"github.com/p2pstream/p2pstream/test/lab/program"
)

func TestMain(m *testing.M) { os.Exit(lab.Main(m)) }

func TestProgramIsReadFromOutside(t *testing.T) {
	admin := lab.FreeAddress(t)
	p := program.Start(t, program.Spec{Command: "stun", Admin: admin, Config: stun.Config{Listen: lab.FreeAddress(t), AdminListen: admin}})
	p.Running(t)
	whole := p.Peak(t)
	part := p.Peak(t)
	u := p.Usage(t)
	most := part.Bytes(t)
	if u.RSS < 1<<20 || most < u.RSS || whole.Bytes(t) < most || u.Descriptors < 3 {
		t.Errorf("process %d uses %+v, %d bytes at most", p.PID(), u, most)
	}
	// The kernel counts hundredths of a second; each scrape costs the program a part of one.
	lab.Eventually(t, 20*time.Second, "its processor time to be counted", func() bool {
		if n := p.Metrics(t).Sum("go_goroutines"); n == 0 {
			t.Fatal("no goroutines")
		}
		return p.Usage(t).CPU > 0
	})
	if p.Stop(t); p.Alive() || !p.Wanted() {
		t.Error("it runs on after Stop")
	}
	if err := p.Terminate(); err != nil {
		t.Errorf("ending it twice: %v", err)
	}
	if p.LogBytes() == 0 || len(p.LogTail(10)) != 10 {
		t.Errorf("it logged %d bytes", p.LogBytes())
	}
}

func TestKilledProgramIsNoError(t *testing.T) {
	address := lab.FreeAddress(t)
	p := program.Start(t, program.Spec{Command: "origin", Config: origin.Config{Listen: address}, Ready: "http://" + address + "/healthz"})
	if p.Kill(); p.Alive() {
		t.Error("it runs on after Kill")
	}
}

func TestProgramThatEndsByItself(t *testing.T) {
	_, err := program.Launch(t.Context(), program.Spec{Command: "origin", Args: []string{"--no-such-flag"}, Ready: "http://127.0.0.1:1/"})
	if err == nil || !strings.Contains(err.Error(), "ended by itself") || !strings.Contains(err.Error(), "no-such-flag") {
		t.Errorf("error %v", err)
	}
	p, err := program.Launch(t.Context(), program.Spec{Command: "origin", Args: []string{"--no-such-flag"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Wait(time.Minute); err == nil {
		t.Error("an exit code other than 0 is no error")
	}
}
