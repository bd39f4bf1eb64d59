// Package memory tells how much memory the process may use.
package memory

import (
	"math"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
)

// files hold the limit of the process's control group, in bytes: version 2 and version 1.
// https://docs.kernel.org/admin-guide/cgroup-v2.html#memory-interface-files
var files = []string{"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"}

// Limit returns how many bytes the process may use: the lower of the Go runtime's soft limit (GOMEMLIMIT) and the limit of
// its container. 0 means that neither is known.
func Limit() int64 { return limit(debug.SetMemoryLimit(-1), files) }

// unlimited is what version 1 of control groups says at least if there is no limit.
const unlimited = math.MaxInt64 / 2

func limit(runtime int64, files []string) int64 {
	least := runtime
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			continue // another version, or no container
		}
		if n, err := strconv.ParseInt(strings.TrimSpace(string(b)), 10, 64); err == nil && n > 0 { // "max" is no number
			least = min(least, n)
		}
	}
	if least >= unlimited {
		return 0
	}
	return least
}
