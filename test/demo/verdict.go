package main

import "fmt"

// wantOffload is the percentage that the demo promises to exceed.
const wantOffload = 90

// verdict lists what is not as the demo promises; empty: all is well.
func verdict(r row, viewers int) []string {
	var wrong []string
	if r.ready != "True" {
		wrong = append(wrong, fmt.Sprintf("READY is %s, not True", orNothing(r.ready)))
	}
	if r.viewers == nil || int(*r.viewers) != viewers {
		wrong = append(wrong, fmt.Sprintf("VIEWERS is %s, not %d", orNothing(number(r.viewers)), viewers))
	}
	if r.offload == nil || *r.offload <= wantOffload {
		wrong = append(wrong, fmt.Sprintf("OFFLOAD is %s, not above %d%%", orNothing(percent(r.offload)), wantOffload))
	}
	return wrong
}

func orNothing(s string) string {
	if s == "" {
		return "empty"
	}
	return s
}
