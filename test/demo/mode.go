package main

import (
	"fmt"
	"strconv"
)

// mode is where the programs run.
type mode int

const (
	modeOwnCluster   mode = iota // a cluster that this run starts and removes
	modeGivenCluster             // one that is there
	modeInProcess                // p2pstream demo
)

// facts are what the choice of a mode rests on.
type facts struct {
	os  string
	uid int
}

// chooseMode says where the programs run and, when that is not what was asked for, why.
func chooseMode(o options, f facts) (mode, string, error) {
	kind, why := modeOwnCluster, ""
	switch {
	case o.cluster != "":
		kind = modeGivenCluster
	case o.inProcess:
		kind = modeInProcess
	case o.file != "":
		kind, why = modeInProcess, "a cluster of its own has no way out to the origin of your stream, so everything runs in one process (p2pstream demo); --cluster runs it on a cluster that has"
	case f.os != "linux":
		kind, why = modeInProcess, "a cluster of its own needs Linux, so everything runs in one process (p2pstream demo)"
	case f.uid != 0:
		kind, why = modeInProcess, "a cluster of its own needs root, so everything runs in one process (p2pstream demo)"
	}
	if kind != modeInProcess && len(o.passOn) > 0 {
		return kind, why, fmt.Errorf("%s: only for the demo in one process; add --in-process", o.passOn[0])
	}
	if kind != modeInProcess && o.viewers < len(offices) {
		return kind, why, fmt.Errorf("--viewers: %d is less than one in each of %d offices", o.viewers, len(offices))
	}
	return kind, why, nil
}

// inProcessArgs are the arguments of `p2pstream demo` for the same wishes.
func inProcessArgs(o options) []string {
	args := []string{"demo"}
	if o.file != "" {
		args = append(args, "--file", o.file)
	}
	if o.viewers != defaultViewers {
		args = append(args, "--viewers", strconv.Itoa(o.viewers))
	}
	if o.runFor > 0 {
		args = append(args, "--duration", o.runFor.String())
	}
	return append(args, o.passOn...)
}
