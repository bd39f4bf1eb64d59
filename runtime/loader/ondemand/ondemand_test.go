package ondemand

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"
)

var zero = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func at(seconds float64) time.Time { return zero.Add(time.Duration(seconds * float64(time.Second))) }

func TestPositionFollowsAPlayer(t *testing.T) {
	type ask struct {
		at       float64 // seconds
		sequence int64
	}
	for name, tt := range map[string]struct {
		asks  []ask
		dry   float64
		asked time.Duration
		front int64
	}{
		"the first segment: it has nothing yet":      {[]ask{{0, 100}}, 0, 4 * time.Second, 100},
		"the next: it has the first":                 {[]ask{{0, 100}, {1, 101}}, 4, 8 * time.Second, 101},
		"three at once":                              {[]ask{{0, 100}, {0.1, 101}, {0.2, 102}}, 8, 12 * time.Second, 102},
		"one segment each four seconds":              {[]ask{{0, 100}, {4, 101}, {8, 102}}, 8, 12 * time.Second, 102},
		"after a pause it counts from its request":   {[]ask{{0, 100}, {60, 101}, {61, 102}}, 64, 12 * time.Second, 102},
		"the same again, in ranges":                  {[]ask{{0, 100}, {1, 100}, {2, 100}}, 0, 4 * time.Second, 100},
		"a gap is left out":                          {[]ask{{0, 100}, {1, 102}}, 4, 8 * time.Second, 102},
		"two at a time, the later first":             {[]ask{{0, 100}, {1, 102}, {1.1, 101}, {2, 103}}, 8, 12 * time.Second, 103},
		"a jump ahead: it has nothing of that place": {[]ask{{0, 100}, {1, 101}, {2, 120}}, 2, 4 * time.Second, 120},
		"a jump back":                                {[]ask{{0, 100}, {1, 101}, {2, 50}}, 2, 4 * time.Second, 50},
	} {
		t.Run(name, func(t *testing.T) {
			p := &Position{}
			for _, a := range tt.asks {
				p.Move(a.sequence, 4*time.Second, at(a.at))
			}
			if !p.dry.Equal(at(tt.dry)) || p.asked != tt.asked || p.sequence != tt.front {
				t.Errorf("dry after %v, %v asked, front %d; want %v, %v, %d", p.dry.Sub(zero), p.asked, p.sequence, tt.dry, tt.asked, tt.front)
			}
		})
	}
}

// reading opens a reader as a player would.
func reading(t *testing.T, f *Feed) *Reader {
	t.Helper()
	return NewReader(t.Context(), f, false, func() {})
}

// some reads what is there.
func some(t *testing.T, r *Reader) string {
	t.Helper()
	b := make([]byte, 100)
	n, err := r.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	return string(b[:n])
}

func TestFeedGivesBytesAsTheyCome(t *testing.T) {
	f := NewFeed(1, []byte("ab"), -1, zero)
	early, late := reading(t, f), reading(t, f)
	if got := some(t, early); got != "ab" {
		t.Errorf("%q", got)
	}
	f.Publish(1, []byte("abcd"), 6, at(1))
	f.Publish(2, []byte("nonsense of a transfer that was given up"), 40, at(1))
	if got := some(t, early); got != "cd" {
		t.Errorf("%q", got)
	}
	if size, err := late.Size(); size != 6 || err != nil {
		t.Errorf("size %d, %v", size, err)
	}
	done := make(chan string)
	go func() {
		rest, _ := io.ReadAll(early)
		done <- string(rest)
	}()
	f.Begin(2, []byte("abcd"))
	f.Publish(2, []byte("abcde"), 6, at(2))
	f.Finish([]byte("abcdef"))
	if got := <-done; got != "ef" {
		t.Errorf("%q", got)
	}
	if got, err := io.ReadAll(late); string(got) != "abcdef" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	if at, err := late.Seek(-2, io.SeekEnd); at != 4 || err != nil {
		t.Errorf("%d, %v", at, err)
	}
	if got := some(t, late); got != "ef" {
		t.Errorf("%q", got)
	}
}

func TestFeedTellsReadersOfBytesThatAreDropped(t *testing.T) {
	f := NewFeed(1, nil, -1, zero)
	used, unused, told := reading(t, f), reading(t, f), reading(t, f)
	f.Publish(1, []byte("poison"), 10, zero)
	_ = some(t, used)
	if _, err := told.Size(); err != nil {
		t.Fatal(err)
	}
	f.Keep(nil)
	f.Begin(2, nil)
	f.Publish(2, []byte("good"), 8, zero)
	for name, r := range map[string]*Reader{"one that has used them": used, "one that was told another size": told} {
		if _, err := r.Read(make([]byte, 1)); !errors.Is(err, ErrChanged) {
			t.Errorf("%s: %v, want %v", name, err, ErrChanged)
		}
	}
	if got := some(t, unused); got != "good" {
		t.Errorf("one that had used nothing: %q", got)
	}
}

func TestFeedEndsReaders(t *testing.T) {
	f := NewFeed(1, nil, -1, zero)
	r := reading(t, f)
	f.Fail(ErrGone)
	f.Publish(1, []byte("late"), 4, zero)
	f.Finish([]byte("late"))
	if _, err := r.Read(make([]byte, 1)); !errors.Is(err, ErrGone) {
		t.Errorf("read: %v", err)
	}
	if _, err := r.Size(); !errors.Is(err, ErrGone) {
		t.Errorf("size: %v", err)
	}
	if _, err := r.Seek(0, io.SeekEnd); !errors.Is(err, ErrGone) {
		t.Errorf("seek: %v", err)
	}

	ctx, cancel := context.WithCancelCause(t.Context())
	r = NewReader(ctx, NewFeed(1, nil, -1, zero), false, func() {})
	cancel(io.ErrClosedPipe)
	if _, err := r.Read(make([]byte, 1)); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("read after the player left: %v", err)
	}
	if _, err := r.Size(); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("size after the player left: %v", err)
	}
	closed := 0
	r = NewReader(t.Context(), HeldFeed([]byte("x")), false, func() { closed++ })
	_, _ = r.Close(), r.Close()
	if closed != 1 {
		t.Errorf("closed %d times", closed)
	}
	for _, whence := range []int{io.SeekStart, 7} {
		if _, err := r.Seek(-1, whence); err == nil || !strings.HasPrefix(err.Error(), "seeking") {
			t.Errorf("whence %d: %v", whence, err)
		}
	}
}
