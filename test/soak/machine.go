package main

import (
	"os"
	"runtime"
	"strings"
	"time"
)

// machineInfo is what soaks, and on what.
type machineInfo struct {
	Began   time.Time `json:"began"`
	Seed    uint64    `json:"seed"`
	Version string    `json:"version"` // of the binary
	Plan    plan      `json:"plan"`
	System  string    `json:"system"`
	Go      string    `json:"go"`
	Cores   int       `json:"cores"`
	Model   string    `json:"model"`
	Memory  string    `json:"memory"`
}

func machine(p plan, version string, seed uint64, began time.Time) machineInfo {
	return machineInfo{
		Began: began.UTC().Truncate(time.Second), Seed: seed, Version: version, Plan: p,
		System: runtime.GOOS + "/" + runtime.GOARCH + " " + line("/proc/sys/kernel/osrelease", ""), Go: runtime.Version(),
		Cores: runtime.NumCPU(), Model: line("/proc/cpuinfo", "model name"), Memory: line("/proc/meminfo", "MemTotal"),
	}
}

// line is the first line of a file that begins with a name, without it; empty if there is none.
func line(file, name string) string {
	text, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	for l := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(l, name); ok {
			return strings.TrimSpace(strings.TrimLeft(rest, "\t :"))
		}
	}
	return ""
}
