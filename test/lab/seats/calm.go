package seats

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"time"
)

// calm makes starts wait for idle processors.
type calm struct {
	idle     float64 // share of the processors' time
	patience time.Duration
	read     func() (times, error)
}

// sample is how long the processors are watched.
const sample = 500 * time.Millisecond

// Calm makes each start wait until the processors were idle for this share of half a second, at most for the given time. A
// machine that is slow, or shared, then plays fewer tabs at once, and what starts has a processor. It returns the pool.
func (p *Pool) Calm(idle float64, patience time.Duration) *Pool {
	p.calm = &calm{idle: idle, patience: patience, read: readTimes}
	return p
}

func (c *calm) wait() {
	if c == nil {
		return
	}
	before, err := c.read()
	for end := time.Now().Add(c.patience); err == nil && time.Now().Before(end); {
		time.Sleep(sample)
		var now times
		if now, err = c.read(); err != nil || now.idleSince(before) >= c.idle {
			return
		}
		before = now
	}
}

// times of all processors since the machine started, in clock ticks.
type times struct{ idle, all uint64 }

func (t times) idleSince(before times) float64 {
	if t.all <= before.all {
		return 1
	}
	return float64(t.idle-before.idle) / float64(t.all-before.all)
}

// readTimes reads the first line of /proc/stat (proc(5)). Where there is none, nothing waits.
func readTimes() (times, error) {
	stat, err := os.ReadFile("/proc/stat")
	if err != nil {
		return times{}, fmt.Errorf("reading processor times: %w", err)
	}
	return parseTimes(stat)
}

func parseTimes(stat []byte) (t times, err error) {
	line, _, _ := bytes.Cut(stat, []byte("\n"))
	fields := bytes.Fields(line)
	const user, nice, idle, steal = 1, 2, 4, 8
	if len(fields) <= steal || string(fields[0]) != "cpu" {
		return t, fmt.Errorf("reading processor times: %q is no line of sums", line)
	}
	for i := user; i <= steal; i++ { // guest time, after these, is part of user time
		n, err := strconv.ParseUint(string(fields[i]), 10, 64)
		if err != nil {
			return t, fmt.Errorf("reading processor times: %w", err)
		}
		t.all += n
		if i == idle || i == nice { // what has a low priority gives way
			t.idle += n
		}
	}
	return t, nil
}
