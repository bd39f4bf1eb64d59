package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "github.com/p2pstream/p2pstream/api/v1"
)

// Intervals at which the table is printed.
const (
	redraw   = time.Second     // on a terminal
	lineEach = 5 * time.Second // elsewhere
)

// show prints the table until ctx ends or --for is over; after --for it also checks the result.
func (d *demo) show(ctx context.Context, w *watchers) error {
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
	last.entrance, last.pages, last.hint, last.stop = "", nil, "", "" // removed in a moment
	d.ui.print("\n%s\n\n", strings.TrimSpace(strings.Join(table(last), "\n")))
	if d.opts.runFor == 0 {
		return nil
	}
	if ctx.Err() != nil {
		return fmt.Errorf("stopped before --for %s was over", d.opts.runFor)
	}
	if wrong := verdict(last); len(wrong) > 0 {
		return withNext(errors.New("after "+d.opts.runFor.String()+": "+strings.Join(wrong, "; ")), "run the demo without --for and look at the conditions of the streams")
	}
	for _, r := range last.streams {
		d.ui.print("  ✓ %s: READY True, %d viewers, offload above %d%%\n", r.name, r.want, wantOffload)
	}
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
				for _, f := range p.facts() {
					if f[1] != "" {
						d.ui.print("%s%s\n", pad(f[0], 16), f[1])
					}
				}
				d.ui.print("\n")
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
	watch  *watchers
	meters map[string]*meter
	known  map[string]int // running viewers by office, as last read
	ended  []string
}

func (g *gauge) picture(ctx context.Context) picture {
	p := picture{hint: g.place.hint(), stop: "Ctrl-C; it removes the demo"}
	if g.opts.runFor > 0 {
		p.stop = "automatically after " + g.opts.runFor.String() + ", or Ctrl-C"
	}
	wanted := share(g.opts.viewers, len(g.watch.streams))
	sites := g.describe(&p, wanted)
	g.readWAN(ctx)
	playing, ended, err := g.place.playing(ctx)
	switch {
	case err == nil:
		g.known, g.ended = playing, ended
	case ctx.Err() == nil:
		p.notes = append(p.notes, err.Error())
	}
	p.notes = append(p.notes, g.ended...)
	for i, want := range wanted {
		o := officeRow{name: offices[i], playing: g.known[offices[i]], want: sum(want), site: figuresOf(sites, offices[i])}
		if m := g.meters[offices[i]]; m != nil {
			o.wan = m.traffic()
		}
		p.offices = append(p.offices, o)
	}
	return p
}

// describe adds what status says of streams and network, and returns the figures of sites.
func (g *gauge) describe(p *picture, wanted [][]int) []v1.SiteStatus {
	var sites []v1.SiteStatus
	say := func(of string, trouble error, conditions []metav1.Condition) {
		if trouble != nil {
			p.notes = append(p.notes, trouble.Error())
		}
		for _, n := range conditionNotes(conditions) {
			p.notes = append(p.notes, of+": "+n)
		}
	}
	for i, w := range g.watch.streams {
		stream, _, trouble := w.latest()
		r := rowOf(stream, time.Now())
		for _, office := range wanted {
			r.want += office[i]
		}
		p.streams = append(p.streams, r)
		if e := stream.Status.Endpoints; e != nil {
			p.pages = append(p.pages, e.Player)
		}
		say(stream.Name, trouble, stream.Status.Conditions)
		sites = stream.Status.Sites
	}
	if g.watch.network == nil {
		return sites
	}
	network, _, trouble := g.watch.network.latest()
	say("network "+network.Name, trouble, network.Status.Conditions)
	if e := network.Status.Endpoints; e != nil && e.URL != "" {
		p.entrance = fmt.Sprintf("%s, of network %s for both streams", e.URL, network.Name)
	}
	return network.Status.Sites
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
