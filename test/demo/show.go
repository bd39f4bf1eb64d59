package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Pauses between two pictures.
const (
	redraw   = time.Second
	lineEach = 5 * time.Second
)

// show shows the table until ctx ends, or for as long as was asked for, and then judges.
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
	last.page, last.hint, last.stop = "", "", "" // none of it will be there
	d.ui.print("\n%s\n\n", strings.TrimSpace(strings.Join(table(last), "\n")))
	if d.opts.runFor == 0 {
		return nil
	}
	if ctx.Err() != nil {
		return fmt.Errorf("stopped before the %s of --for were over", d.opts.runFor)
	}
	if wrong := verdict(last, d.opts.viewers); len(wrong) > 0 {
		return withNext(errors.New("after "+d.opts.runFor.String()+": "+strings.Join(wrong, "; ")), "run it without --for and look at the stream's conditions")
	}
	d.ui.print("  ✓ READY True, %d viewers, offload above %d%%\n", d.opts.viewers, wantOffload)
	return nil
}

// paint draws pictures: one over the other on a terminal, one line each elsewhere.
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
				d.ui.print("page to watch: %s\nlook further:  %s\nstop:          %s\n\n", p.page, p.hint, p.stop)
			}
			notes := strings.Join(p.notes, "\n")
			if notes == told {
				p.notes = nil // once is enough in a log
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

// up moves the cursor to the beginning of the picture that is shown, and wipes it.
func up(lines int) string {
	if lines == 0 {
		return ""
	}
	return fmt.Sprintf("\r\x1b[%dA\x1b[J", lines)
}

// gauge reads what a picture shows.
type gauge struct {
	*demo
	watch  *watcher
	meters map[string]*meter
	known  map[string]int // viewers that run, by office, as last read
	ended  []string
}

func (g *gauge) picture(ctx context.Context) picture {
	p := picture{hint: g.place.hint(), stop: "Ctrl-C, which removes all of this"}
	if g.opts.runFor > 0 {
		p.stop = "by itself after " + g.opts.runFor.String() + ", or Ctrl-C"
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
		o := officeRow{name: offices[i], playing: g.known[offices[i]], want: want}
		if m := g.meters[offices[i]]; m != nil {
			o.wan = m.traffic()
		}
		p.offices = append(p.offices, o)
	}
	return p
}

// readWAN reads the counters; a reading that fails leaves the last one, as the next one follows soon.
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
