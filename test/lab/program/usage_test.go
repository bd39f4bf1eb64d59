package program

import (
	"os"
	"strings"
	"testing"
	"time"
)

func TestParseUsage(t *testing.T) {
	const times = "4242 (a (b) c) S 1 4242 4242 0 -1 4194304 100 0 0 0 1234 66 0 0 20 0 8 0 100 200 300"
	u, err := parseUsage(7, "5000 300 200 1 0 400 0\n", times)
	if want := (Usage{RSS: 300 * int64(os.Getpagesize()), CPU: 13 * time.Second, Descriptors: 7}); err != nil || u != want {
		t.Errorf("%+v %v, want %+v", u, err, want)
	}
	for _, bad := range [][2]string{{"", times}, {"1 x", times}, {"1 2", "1 (a) S 2"}, {"1 2", strings.Replace(times, "1234", "x", 1)}, {"1 2", ""}} {
		if _, err := parseUsage(0, bad[0], bad[1]); err == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
	if u, err := ReadUsage(os.Getpid()); err != nil || u.RSS < 1<<20 || u.Descriptors < 3 {
		t.Errorf("of this process: %+v %v", u, err)
	}
}
