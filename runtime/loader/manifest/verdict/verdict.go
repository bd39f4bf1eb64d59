// Package verdict weighs what a manifest and its segments show into one answer: whether viewers can share the stream. It is
// pure, and the same for HLS and DASH.
package verdict

import (
	"cmp"
	"slices"
	"strings"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
)

// Peerable is the reason given when all is well.
const Peerable = "Peerable"

// Effect is how much a finding weighs.
type Effect int

// Effects, the least first.
const (
	Warning Effect = iota // peers share, but something should be changed
	Limited               // peers share little; P2P stays on
	OffKind               // P2P is off for one type of rendition
	Off                   // P2P is off
)

// Finding is one thing that speaks against sharing.
type Finding struct {
	Effect Effect
	// Kind of the renditions for which P2P is off, with OffKind.
	Kind identity.StreamType
	// Reason is one word for a condition, Message is for people.
	Reason, Message string
}

// Verdict is what the findings amount to.
type Verdict struct {
	// Peerable is false if viewers cannot share the presentation, or not all of it.
	Peerable bool
	// Reason is Peerable or the weightiest reason against. Message is empty or for people; if Peerable is set, it is a
	// warning.
	Reason, Message string
	// MainOff and SecondaryOff are set if peers would break or mix the renditions of that type, or could not share them
	// and play worse for it: players of the browser library must be told to use the origin alone.
	MainOff, SecondaryOff bool
}

// Weigh tells whether viewers can share what has these findings. Of several with one effect the first is told; the other
// reasons are named behind it.
func Weigh(findings []Finding) Verdict {
	all := slices.Clone(findings)
	slices.SortStableFunc(all, func(a, b Finding) int { return cmp.Compare(b.Effect, a.Effect) })
	v := Verdict{Peerable: true, Reason: Peerable}
	var also []string
	for i, f := range all {
		switch {
		case i == 0 && f.Effect == Warning:
			v.Message = f.Reason + ": " + f.Message // the reason itself is Peerable
		case i == 0:
			v.Message = f.Message
		case f.Reason != all[0].Reason && !slices.Contains(also, f.Reason):
			also = append(also, f.Reason)
		}
		if f.Effect > Warning && v.Peerable {
			v.Peerable, v.Reason = false, f.Reason
		}
		v.MainOff = v.MainOff || f.Effect == Off || (f.Effect == OffKind && f.Kind == identity.Main)
		v.SecondaryOff = v.SecondaryOff || f.Effect == Off || (f.Effect == OffKind && f.Kind == identity.Secondary)
	}
	if len(also) > 0 {
		v.Message += " Also: " + strings.Join(also, ", ") + "."
	}
	return v
}
