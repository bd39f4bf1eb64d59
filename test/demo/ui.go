package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
)

// Pauses between two signs of life of a long step.
const (
	repaint    = 500 * time.Millisecond // on a terminal, where the line is painted over
	stillEvery = 15 * time.Second       // elsewhere, where each is a line of its own
	titleWidth = 34
)

// ui prints the steps of a run. On a terminal the step at work is one line that is painted over.
type ui struct {
	mu    sync.Mutex
	out   io.Writer
	width func() int // columns of the terminal; nil: not a terminal
	now   func() time.Time
	lost  func() // called when nobody is there to read; nil: nobody cares
}

func newUI(out *os.File, lost func()) *ui {
	u := &ui{out: out, now: time.Now, lost: lost}
	if isTerminal(out) {
		u.width = func() int { return columns(out) }
	}
	return u
}

func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && os.Getenv("TERM") != "dumb"
}

func (u *ui) live() bool { return u.width != nil }

func (u *ui) print(format string, args ...any) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if _, err := fmt.Fprintf(u.out, format, args...); err != nil && u.lost != nil {
		u.lost() // a terminal that was closed does not always send a signal
	}
}

// activity is what the step at work said last.
type activity struct {
	mu   sync.Mutex
	last string
}

func (a *activity) say(line string) {
	if line = strings.TrimSpace(line); line == "" {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.last = line
}

func (a *activity) said() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.last
}

// step runs one step and shows its name, the time that it takes and what it is at.
func (u *ui) step(ctx context.Context, title string, work func(context.Context, *activity) error) error {
	begun, a := u.now(), &activity{}
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		u.animate(title, begun, a, stop)
	}()
	err := work(ctx, a)
	close(stop)
	<-stopped
	took := u.now().Sub(begun)
	switch {
	case err != nil && ctx.Err() != nil:
		u.print("%s\n", stepLine("-", title, took, "stopped"))
	case err != nil:
		u.print("%s\n", stepLine("✗", title, took, ""))
	default:
		u.print("%s\n", stepLine("✓", title, took, ""))
	}
	return err
}

func (u *ui) animate(title string, begun time.Time, a *activity, stop <-chan struct{}) {
	pause := stillEvery
	if u.live() {
		pause = repaint
		u.print("%s", clip(stepLine("…", title, 0, ""), u.width()))
		defer u.print("\r\x1b[K")
	}
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for {
		select {
		case <-stop:
			return
		case <-tick.C:
		}
		line := stepLine("…", title, u.now().Sub(begun), a.said())
		if u.live() {
			u.print("\r\x1b[K%s", clip(line, u.width()))
		} else {
			u.print("%s\n", clip(line, 160))
		}
	}
}

// stepLine is one line about a step: sign, title, time, remark.
func stepLine(sign, title string, took time.Duration, remark string) string {
	line := fmt.Sprintf("  %s %s %6s", sign, pad(title, titleWidth), elapsed(took))
	if remark != "" {
		line += "  " + remark
	}
	return line
}

// elapsed prints seconds with a tenth, and minutes from one on.
func elapsed(d time.Duration) string {
	if d < time.Minute {
		return fmt.Sprintf("%.1fs", d.Seconds())
	}
	d = d.Round(time.Second)
	return fmt.Sprintf("%dm%02ds", int(d.Minutes()), int(d.Seconds())%60)
}

// pad fills up with spaces by characters; fmt's widths count runes as well, but cut nothing.
func pad(s string, width int) string {
	if n := width - len([]rune(s)); n > 0 {
		return s + strings.Repeat(" ", n)
	}
	return s
}

// clip cuts a line so that a terminal does not wrap it, which would spoil painting over it.
func clip(line string, width int) string {
	runes := []rune(strings.Map(printable, line))
	if width <= 1 || len(runes) < width {
		return string(runes)
	}
	return string(runes[:width-2]) + "…"
}

// printable drops what could move the cursor: output of other programs is shown too.
func printable(r rune) rune {
	switch {
	case r == '\t':
		return ' '
	case r < ' ' || r == 0x7f:
		return -1
	}
	return r
}
