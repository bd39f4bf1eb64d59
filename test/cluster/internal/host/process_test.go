package host

import (
	"os"
	"os/exec"
	"testing"
	"time"
)

func start(t *testing.T, program string, args ...string) Process {
	t.Helper()
	cmd := exec.Command(program, args...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p, err := FindProcess(cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-ended
	})
	return p
}

func TestEndAsksFirst(t *testing.T) {
	p := start(t, "sleep", "600")
	if left := End([]Process{p}, time.Minute); len(left) != 0 || p.Alive() {
		t.Errorf("left %v, alive %v", left, p.Alive())
	}
}

func TestEndKillsWhatWillNotStop(t *testing.T) {
	p := start(t, "sh", "-c", `trap "" TERM; while :; do sleep 600; done`)
	waitForTrap(t, p)
	if left := End([]Process{p}, 50*time.Millisecond); len(left) != 0 || p.Alive() {
		t.Errorf("left %v, alive %v", left, p.Alive())
	}
}

// waitForTrap waits until the shell has set its trap: it then has a child.
func waitForTrap(t *testing.T, p Process) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		all, err := Processes()
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range all {
			if r.Parent == p.PID {
				t.Cleanup(func() { End([]Process{r.Process}, 0) })
				return
			}
		}
		if time.Now().After(deadline) {
			t.Fatal("the shell starts nothing")
		}
	}
}

// A number that came to mean another process must not be killed.
func TestEndSparesAnotherProcessOfThatNumber(t *testing.T) {
	p := start(t, "sleep", "600")
	old := Process{PID: p.PID, Start: p.Start - 1}
	if left := End([]Process{old}, 0); len(left) != 0 {
		t.Errorf("a process long gone is left: %v", left)
	}
	if !p.Alive() {
		t.Error("the process that has the number now was killed")
	}
}

func TestProcessesFindThisOne(t *testing.T) {
	all, err := Processes()
	if err != nil {
		t.Fatal(err)
	}
	own, err := NetnsInodeOfSelf()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range all {
		if r.PID != os.Getpid() {
			continue
		}
		if r.Parent != os.Getppid() || r.Netns != own || len(r.Args) == 0 || r.Args[0] != os.Args[0] || !r.Alive() {
			t.Errorf("got %+v", r)
		}
		return
	}
	t.Error("this process is not listed")
}

func TestAncestors(t *testing.T) {
	family := Ancestors()
	if !family[os.Getpid()] || !family[os.Getppid()] {
		t.Errorf("%v lacks %d or %d", family, os.Getpid(), os.Getppid())
	}
}
