package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/p2pstream/p2pstream/test/lab/program"
)

// viewers are the viewers in the offices of the demo's own cluster, each a process. Its methods are called by one
// goroutine.
type viewers struct {
	log io.Writer // receives what the viewers have logged, when they are stopped
	all []*officeViewer
}

type officeViewer struct {
	*program.Process
	office string
	end    string // how it ended by itself; empty: it is not known to have ended
}

// start starts viewer number n of an office. prefix is a command that runs its arguments in that office.
func (v *viewers) start(ctx context.Context, office string, n int, prefix []string, binary string, args ...string) error {
	p, err := program.Launch(ctx, program.Spec{
		Command: "viewer", Name: fmt.Sprintf("viewer %d in %s", n, office), Binary: binary, Prefix: prefix, Args: args, OwnGroup: true,
	})
	if err != nil {
		return err
	}
	v.all = append(v.all, &officeViewer{Process: p, office: office})
	return nil
}

// running counts the running viewers by office.
func (v *viewers) running() map[string]int {
	n := map[string]int{}
	for _, p := range v.all {
		if p.Alive() {
			n[p.office]++
		}
	}
	return n
}

// ended describes the viewers that have ended by themselves, each with the last line of its log.
func (v *viewers) ended() []string {
	var all []string
	for _, p := range v.all {
		if p.end == "" && !p.Alive() {
			p.end = fmt.Sprint(p.Terminate()) // of a program that has ended, it returns how
			if last := lastLine(p.LogText()); last != "" {
				p.end += ": " + last
			}
		}
		if p.end != "" {
			all = append(all, p.end)
		}
	}
	return all
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}

// stop stops all viewers with SIGTERM, with SIGKILL if necessary, and returns once they have ended.
func (v *viewers) stop() error {
	_ = v.ended() // a viewer that ended by itself has been shown
	errs := make([]error, len(v.all))
	var stopping sync.WaitGroup
	for i, p := range v.all {
		stopping.Go(func() { errs[i] = p.Terminate() })
	}
	stopping.Wait()
	for _, p := range v.all {
		for line := range strings.Lines(p.LogText()) {
			_, _ = fmt.Fprintf(v.log, "%s: %s\n", p.Name, strings.TrimSpace(line)) // the log is a help, not a condition
		}
	}
	v.all = nil
	return errors.Join(errs...)
}
