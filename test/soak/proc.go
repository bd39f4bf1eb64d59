package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// usage is what the kernel says of a process.
type usage struct {
	rss         float64 // bytes
	cpu         float64 // seconds, of all threads
	descriptors float64
}

// ticks in a second of the times in /proc, the same on every Linux that Go runs on.
const ticks = 100

// readUsage reads /proc of a process.
func readUsage(pid int) (usage, error) {
	dir := "/proc/" + strconv.Itoa(pid)
	fds, err := os.ReadDir(dir + "/fd")
	if err != nil {
		return usage{}, fmt.Errorf("reading descriptors of a process (this needs Linux): %w", err)
	}
	memory, err := os.ReadFile(dir + "/statm")
	if err != nil {
		return usage{}, fmt.Errorf("reading memory of a process: %w", err)
	}
	times, err := os.ReadFile(dir + "/stat")
	if err != nil {
		return usage{}, fmt.Errorf("reading times of a process: %w", err)
	}
	return parseUsage(len(fds), string(memory), string(times))
}

func parseUsage(fds int, memory, times string) (usage, error) {
	u := usage{descriptors: float64(fds)}
	pages := strings.Fields(memory)
	// The name of the program, in parentheses, may hold anything.
	_, rest, _ := strings.Cut(times[strings.LastIndexByte(times, ')')+1:], " ")
	fields := strings.Fields(rest)
	if len(pages) < 2 || len(fields) < 13 {
		return u, fmt.Errorf("reading /proc: %q and %q are too short", memory, times)
	}
	resident, err1 := strconv.ParseFloat(pages[1], 64)
	user, err2 := strconv.ParseFloat(fields[11], 64)
	system, err3 := strconv.ParseFloat(fields[12], 64)
	for _, err := range []error{err1, err2, err3} {
		if err != nil {
			return u, fmt.Errorf("reading /proc: %w", err)
		}
	}
	u.rss, u.cpu = resident*float64(os.Getpagesize()), (user+system)/ticks
	return u, nil
}
