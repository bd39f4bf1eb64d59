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

// Intervals at which a long step reports progress.
const (
	repaint    = 500 * time.Millisecond // on a terminal, where the line is overwritten
	stillEvery = 15 * time.Second       // elsewhere, where each report is a line of its own
	titleWidth = 34
)

// ui prints the steps of a run. On a terminal the current step is one line that is overwritten.
type ui struct {
	mu    sync.Mutex
	out   io.Writer
	width func() int // columns of the terminal; nil: not a terminal
	now   func() time.Time
	lost  func() // called when the output cannot be written any more; nil: ignored

	steps, current int // steps of the run and the number of the current one; 0: steps are not numbered
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
		u.lost() // closing a terminal does not always send a signal
	}
}

// number numbers the steps that follow, from 1 to steps; with 0 they are not numbered.
func (u *ui) number(steps int) { u.steps, u.current = steps, 0 }

// position is the number of the current step, as in " 3/12".
func (u *ui) position() string {
	if u.steps == 0 {
		return ""
	}
	return fmt.Sprintf("%2d/%d", u.current, u.steps)
}

// note prints a line that stays while a step is at work.
func (u *ui) note(format string, args ...any) {
	line := "      " + fmt.Sprintf(format, args...) + "\n"
	if u.live() {
		line = "\r\x1b[K" + line
	}
	u.print("%s", line)
}

// activity is the last output of the current step.
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

// step runs one step and shows its number, its title, the time it takes and its last output.
func (u *ui) step(ctx context.Context, title string, work func(context.Context, *activity) error) error {
	u.current++
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
		u.print("%s\n", u.position()+stepLine("-", title, took, "stopped"))
	case err != nil:
		u.print("%s\n", u.position()+stepLine("✗", title, took, ""))
	default:
		u.print("%s\n", u.position()+stepLine("✓", title, took, ""))
	}
	return err
}

func (u *ui) animate(title string, begun time.Time, a *activity, stop <-chan struct{}) {
	pause := stillEvery
	if u.live() {
		pause = repaint
		u.print("%s", clip(u.position()+stepLine("…", title, 0, ""), u.width()))
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
		line := u.position() + stepLine("…", title, u.now().Sub(begun), a.said())
		if u.live() {
			u.print("\r\x1b[K%s", clip(line, u.width()))
		} else {
			u.print("%s\n", clip(line, 160))
		}
	}
}

// stepLine describes a step: sign, title, time, remark.
func stepLine(sign, title string, took time.Duration, remark string) string {
	line := fmt.Sprintf("  %s %s %6s", sign, pad(title, titleWidth), elapsed(took))
	if remark != "" {
		line += "  " + remark
	}
	return line
}

// elapsed prints 5.4s, and from one minute on 2m05s.
func elapsed(d time.Duration) string {
	if d < time.Minute {
		return fmt.Sprintf("%.1fs", d.Seconds())
	}
	d = d.Round(time.Second)
	return fmt.Sprintf("%dm%02ds", int(d.Minutes()), int(d.Seconds())%60)
}

// pad appends spaces up to a width in characters.
func pad(s string, width int) string {
	if n := width - len([]rune(s)); n > 0 {
		return s + strings.Repeat(" ", n)
	}
	return s
}

// clip cuts a line so that a terminal does not wrap it: a wrapped line could not be overwritten.
func clip(line string, width int) string {
	runes := []rune(strings.Map(printable, line))
	if width <= 1 || len(runes) < width {
		return string(runes)
	}
	return string(runes[:width-2]) + "…"
}

// printable drops control characters, since output of other programs is shown too.
func printable(r rune) rune {
	switch {
	case r == '\t':
		return ' '
	case r < ' ' || r == 0x7f:
		return -1
	}
	return r
}
