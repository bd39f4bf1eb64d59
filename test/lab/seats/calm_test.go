package seats

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestParseTimes(t *testing.T) {
	t.Parallel()
	got, err := parseTimes([]byte("cpu  100 20 30 400 5 0 6 7 9 0\ncpu0 1 2 3\n"))
	if want := (times{idle: 420, all: 568}); err != nil || got != want {
		t.Errorf("%+v, %v, want %+v", got, err, want)
	}
	for _, bad := range []string{"", "cpu 1 2 3", "intr 1 2 3 4 5 6 7 8", "cpu a 2 3 4 5 6 7 8"} {
		if _, err := parseTimes([]byte(bad)); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

func TestAStartWaitsForCalm(t *testing.T) {
	t.Parallel()
	busy := func(shares ...float64) func() (times, error) {
		var now times
		return func() (times, error) {
			if len(shares) == 0 {
				return now, errors.New("no more")
			}
			now.all += 100
			now.idle += uint64(100 * shares[0])
			shares = shares[1:]
			return now, nil
		}
	}
	for name, tt := range map[string]struct {
		read func() (times, error)
		want time.Duration
	}{
		"idle":           {busy(0, 0.5), sample},
		"idle later":     {busy(0.5, 0.1, 0.2, 0.4), 3 * sample},
		"never":          {busy(make([]float64, 100)...), 10 * time.Second},
		"cannot be read": {busy(), 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := New(1).Calm(0.4, 10*time.Second)
				p.calm.read = tt.read
				begun := time.Now()
				p.StartAlone(func() {})
				if took := time.Since(begun); took != tt.want {
					t.Errorf("waited %v, want %v", took, tt.want)
				}
			})
		})
	}
}
