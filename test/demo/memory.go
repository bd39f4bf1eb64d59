package main

import (
	"os"
	"strconv"
	"strings"
)

// wantMemory is what two nodes, the programs in them and six viewers take together, in bytes.
const wantMemory = 2500 << 20

// warnOfMemory says beforehand what would otherwise show as programs that are killed for no visible
// reason; swap may still save the day, so it stops nothing.
func (d *demo) warnOfMemory() {
	raw, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return
	}
	if free := availableMemory(string(raw)); free > 0 && free < wantMemory {
		d.ui.print("  ! %s of memory are free, and the demo takes about %s; if it fails: scripts/demo.sh --in-process\n", size(free), size(wantMemory))
	}
}

// availableMemory reads /proc/meminfo; 0: it does not say.
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
