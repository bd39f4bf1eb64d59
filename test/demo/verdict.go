package main

import "fmt"

// wantOffload is the offload in percent that the demo must exceed.
const wantOffload = 90

// mostCopies is how many copies of the stream the line of an office may carry, where that is known.
const mostCopies = 2

// verdict lists the promises of the demo that do not hold; empty: all hold.
func verdict(p picture) []string {
	var wrong []string
	for _, r := range p.streams {
		say := func(format string, args ...any) {
			wrong = append(wrong, fmt.Sprintf(format, args...)+" of "+r.name)
		}
		if r.ready != "True" {
			say("READY is %s, not True,", orNothing(r.ready))
		}
		if r.viewers == nil || int(*r.viewers) != r.want {
			say("VIEWERS is %s, not %d,", orNothing(number(r.viewers)), r.want)
		}
		if r.offload == nil || *r.offload <= wantOffload {
			say("OFFLOAD is %s, not above %d%%,", orNothing(percent(r.offload)), wantOffload)
		}
	}
	for _, o := range p.offices {
		if o.playing != o.want {
			wrong = append(wrong, fmt.Sprintf("%d of %d viewers play in %s", o.playing, o.want, o.name))
		}
		if copies, ok := o.site.number(); ok && copies > mostCopies {
			wrong = append(wrong, fmt.Sprintf("COPIES is %s in %s, not at most %d", o.site.copies, o.name, mostCopies))
		}
	}
	return wrong
}

func orNothing(s string) string {
	if s == "" {
		return "empty"
	}
	return s
}
