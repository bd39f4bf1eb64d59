package main

import (
	"fmt"
	"strconv"
)

// mode is the kind of place in which the programs run.
type mode int

const (
	modeOwnCluster      mode = iota // a cluster that this run starts and removes
	modeExistingCluster             // a cluster that the user already has
	modeInProcess                   // no cluster: p2pstream demo
)

// facts are what chooseMode needs to know about the machine.
type facts struct {
	os  string
	uid int
}

// chooseMode returns where the programs run and, if that differs from the request, why.
func chooseMode(o options, f facts) (mode, string, error) {
	kind, why := modeOwnCluster, ""
	switch {
	case o.cluster != "":
		kind = modeExistingCluster
	case o.inProcess:
		kind = modeInProcess
	case o.file != "":
		kind, why = modeInProcess, "the demo's own cluster cannot reach the origin of your stream, so everything runs in one process (p2pstream demo); use --cluster for a cluster that can reach it"
	case f.os != "linux":
		kind, why = modeInProcess, "the demo's own cluster needs Linux, so everything runs in one process (p2pstream demo)"
	case f.uid != 0:
		kind, why = modeInProcess, "the demo's own cluster needs root, so everything runs in one process (p2pstream demo)"
	}
	if kind != modeInProcess && len(o.passOn) > 0 {
		return kind, why, fmt.Errorf("%s: only for the demo in one process; add --in-process", o.passOn[0])
	}
	if kind != modeInProcess && o.viewers < len(offices)*o.streams() {
		return kind, why, fmt.Errorf("--viewers: %d is less than one of each stream in each of %d offices, which is %d", o.viewers, len(offices), len(offices)*o.streams())
	}
	return kind, why, nil
}

// inProcessArgs translates the options into arguments of `p2pstream demo`.
func inProcessArgs(o options) []string {
	args := []string{"demo"}
	if o.file != "" {
		args = append(args, "--file", o.file)
	}
	if o.asked {
		args = append(args, "--viewers", strconv.Itoa(o.viewers))
	}
	if o.runFor > 0 {
		args = append(args, "--duration", o.runFor.String())
	}
	return append(args, o.passOn...)
}
