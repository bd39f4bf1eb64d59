package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Intervals at which the table is printed.
const (
	redraw   = time.Second     // on a terminal
	lineEach = 5 * time.Second // elsewhere
)

// show prints the table until ctx ends or --for is over; after --for it also checks the result.
func (d *demo) show(ctx context.Context, w *watcher) error {
	d.ui.print("\n")
	limited := ctx
	if d.opts.runFor > 0 {
		var cancel context.CancelFunc
		limited, cancel = context.WithTimeout(ctx, d.opts.runFor)
		defer cancel()
	}
	g := &gauge{demo: d, watch: w, meters: map[string]*meter{}}
	d.paint(limited, g)
	last := g.picture(context.WithoutCancel(ctx))
	last.page, last.hint, last.stop = "", "", "" // removed in a moment
	d.ui.print("\n%s\n\n", strings.TrimSpace(strings.Join(table(last), "\n")))
	if d.opts.runFor == 0 {
		return nil
	}
	if ctx.Err() != nil {
		return fmt.Errorf("stopped before --for %s was over", d.opts.runFor)
	}
	if wrong := verdict(last, d.opts.viewers); len(wrong) > 0 {
		return withNext(errors.New("after "+d.opts.runFor.String()+": "+strings.Join(wrong, "; ")), "run the demo without --for and look at the conditions of the stream")
	}
	d.ui.print("  ✓ READY True, %d viewers, offload above %d%%\n", d.opts.viewers, wantOffload)
	for _, o := range last.offices {
		if o.site != nil {
			d.ui.print("  ✓ %s: %s\n", o.name, o.site.words())
		}
	}
	return nil
}

// paint prints the table again and again: in place on a terminal, one line each elsewhere.
func (d *demo) paint(ctx context.Context, g *gauge) {
	pause := lineEach
	if d.ui.live() {
		pause = redraw
	}
	tick := time.NewTicker(pause)
	defer tick.Stop()
	drawn, first, told := 0, true, ""
	for {
		p := g.picture(ctx)
		if ctx.Err() != nil {
			break
		}
		if d.ui.live() {
			lines := table(p)
			width := d.ui.width()
			for i := range lines {
				lines[i] = clip(lines[i], width)
			}
			d.ui.print("%s%s\n", up(drawn), strings.Join(lines, "\n"))
			drawn = len(lines)
		} else {
			if first {
				d.ui.print("page to watch: %s\nmore details:  %s\nstop:          %s\n\n", p.page, p.hint, p.stop)
			}
			notes := strings.Join(p.notes, "\n")
			if notes == told {
				p.notes = nil // a log shows each note once
			}
			told = notes
			d.ui.print("%s\n", strings.Join(line(p, first), "\n"))
		}
		first = false
		select {
		case <-ctx.Done():
		case <-tick.C:
			continue
		}
		break
	}
	d.ui.print("%s", up(drawn))
}

// up moves the cursor to the beginning of the table and erases it.
func up(lines int) string {
	if lines == 0 {
		return ""
	}
	return fmt.Sprintf("\r\x1b[%dA\x1b[J", lines)
}

// gauge reads the figures of the table.
type gauge struct {
	*demo
	watch  *watcher
	meters map[string]*meter
	known  map[string]int // running viewers by office, as last read
	ended  []string
}

func (g *gauge) picture(ctx context.Context) picture {
	p := picture{hint: g.place.hint(), stop: "Ctrl-C; it removes the demo"}
	if g.opts.runFor > 0 {
		p.stop = "automatically after " + g.opts.runFor.String() + ", or Ctrl-C"
	}
	stream, _, trouble := g.watch.latest()
	p.stream = rowOf(stream, time.Now())
	if stream.Status.Endpoints != nil {
		p.page = stream.Status.Endpoints.Player
	}
	if trouble != nil {
		p.notes = append(p.notes, trouble.Error())
	}
	p.notes = append(p.notes, conditionNotes(stream)...)
	g.readWAN(ctx)
	playing, ended, err := g.place.playing(ctx)
	switch {
	case err == nil:
		g.known, g.ended = playing, ended
	case ctx.Err() == nil:
		p.notes = append(p.notes, err.Error())
	}
	p.notes = append(p.notes, g.ended...)
	for i, want := range share(g.opts.viewers) {
		o := officeRow{name: offices[i], playing: g.known[offices[i]], want: want, site: figuresOf(stream, offices[i])}
		if m := g.meters[offices[i]]; m != nil {
			o.wan = m.traffic()
		}
		p.offices = append(p.offices, o)
	}
	return p
}

// readWAN reads the counters. After a failed reading the last one stays: the next reading follows in a second.
func (g *gauge) readWAN(ctx context.Context) {
	all, err := g.place.wan(ctx)
	if err != nil {
		return
	}
	now := time.Now()
	for office, c := range all {
		if g.meters[office] == nil {
			g.meters[office] = &meter{}
		}
		g.meters[office].add(now, c)
	}
}
