package main

import "fmt"

// wantOffload is the offload in percent that the demo must exceed.
const wantOffload = 90

// verdict lists the promises of the demo that do not hold; empty: all hold.
func verdict(p picture, viewers int) []string {
	var wrong []string
	r := p.stream
	if r.ready != "True" {
		wrong = append(wrong, fmt.Sprintf("READY is %s, not True", orNothing(r.ready)))
	}
	if r.viewers == nil || int(*r.viewers) != viewers {
		wrong = append(wrong, fmt.Sprintf("VIEWERS is %s, not %d", orNothing(number(r.viewers)), viewers))
	}
	if r.offload == nil || *r.offload <= wantOffload {
		wrong = append(wrong, fmt.Sprintf("OFFLOAD is %s, not above %d%%", orNothing(percent(r.offload)), wantOffload))
	}
	for _, o := range p.offices {
		if o.playing != o.want {
			wrong = append(wrong, fmt.Sprintf("%d of %d viewers play in %s", o.playing, o.want, o.name))
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
