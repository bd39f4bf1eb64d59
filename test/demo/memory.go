package main

import (
	"os"
	"strconv"
	"strings"
)

// wantMemory is what two nodes, their programs and eight viewers use together, in bytes.
const wantMemory = 2500 << 20

// warnOfMemory warns when memory is short, because the kernel would kill programs without a visible
// reason. It does not stop the demo: swap may be enough.
func (d *demo) warnOfMemory() {
	raw, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return
	}
	if free := availableMemory(string(raw)); free > 0 && free < wantMemory {
		d.ui.print("  ! only %s of memory are available, and the demo uses about %s; if it fails, run scripts/demo.sh --in-process\n", size(free), size(wantMemory))
	}
}

// availableMemory reads MemAvailable of /proc/meminfo in bytes; 0: unknown.
func availableMemory(meminfo string) uint64 {
	for line := range strings.Lines(meminfo) {
		fields := strings.Fields(line)
		if len(fields) == 3 && fields[0] == "MemAvailable:" && fields[2] == "kB" {
			kib, err := strconv.ParseUint(fields[1], 10, 54)
			if err != nil {
				return 0
			}
			return kib << 10
		}
	}
	return 0
}
