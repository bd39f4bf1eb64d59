package timeline

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"github.com/p2pstream/p2pstream/runtime/origin/mux"
)

// Knobs are the choices that a path makes about a stream.
type Knobs struct {
	Live          bool
	Segment       int64 // seconds in a segment
	Window        int64 // live: segments in a playlist
	Container     mux.Container
	SeparateAudio bool
	Renditions    int
	Start         int64 // live: Unix second of sequence 0
	End           int64 // live: Unix second of the end; 0: never
	Duration      int64 // VOD: seconds in all
	ByteRange     bool
	Timeline      bool  // an MPD lists when segments begin
	FillKbit      int64 // kbit/s that segments are filled up to; 0: they are not filled
	Faults        Faults
	Conduct       Conduct
}

// Faults are the faults that a path asks for. Percentages are 0 to 100.
type Faults struct {
	SlowMs        int64 // before the first byte
	RateKbit      int64 // kbit/s; 0: no limit
	Truncate      int64 // percent
	Status        int   // of StatusPercent of the answers
	StatusPercent int64
	DownFrom      int64 // seconds of each minute, the end exclusive
	DownTo        int64
	BusyFrom      int64 // as DownFrom, with 429 and Retry-After
	BusyTo        int64
	NotPlaylist   bool
	Redirect      bool
}

// KnobError is the error for an invalid knob in a path.
type KnobError struct {
	Knob    string // as spelled in the path
	Reason  string
	Unknown bool // there is no such knob
}

// Error names the knob.
func (e *KnobError) Error() string { return fmt.Sprintf("knob %q: %s", e.Knob, e.Reason) }

// knob describes one knob: how many numbers it has, whether it applies to live and
// VOD, and what it sets. set returns the reason why the numbers are invalid, or "".
type knob struct {
	numbers int
	live    bool
	vod     bool
	set     func(k *Knobs, n []int64) (reason string)
}

// maxUnix bounds start_N and end_N: it is in the year 2514, and its products with
// timescales are far from overflow.
const maxUnix = 1 << 34

// maxFill bounds fill_N in kbit/s, and maxFilled the seconds of a filled segment: such a segment has 12.5 MB at most.
const (
	maxFill   = 10_000
	maxFilled = 10
)

var knobs = map[string]knob{
	"seg":    {1, true, true, number(1, 60, func(k *Knobs) *int64 { return &k.Segment })},
	"window": {1, true, false, number(1, 1000, func(k *Knobs) *int64 { return &k.Window })},
	"start":  {1, true, false, number(0, maxUnix, func(k *Knobs) *int64 { return &k.Start })},
	"end":    {1, true, false, number(1, maxUnix, func(k *Knobs) *int64 { return &k.End })},
	"dur":    {1, false, true, number(1, 14400, func(k *Knobs) *int64 { return &k.Duration })},
	"ren": {1, true, true, func(k *Knobs, n []int64) string {
		k.Renditions = int(min(n[0], 1<<20))
		return outside(n[0], 1, 3)
	}},
	"ts":   {0, true, true, flag(func(k *Knobs) { k.Container = mux.TS })},
	"fmp4": {0, true, true, flag(func(k *Knobs) { k.Container = mux.FMP4 })},
	"audio": {0, true, true, flag(func(k *Knobs) {
		k.SeparateAudio = true
	})},
	"byterange": {0, false, true, flag(func(k *Knobs) { k.ByteRange = true })},
	"timeline":  {0, true, true, flag(func(k *Knobs) { k.Timeline = true })},
	"fill":      {1, true, true, number(1, maxFill, func(k *Knobs) *int64 { return &k.FillKbit })},

	"slow":     {1, true, true, number(0, 60_000, func(k *Knobs) *int64 { return &k.Faults.SlowMs })},
	"rate":     {1, true, true, number(1, 1_000_000, func(k *Knobs) *int64 { return &k.Faults.RateKbit })},
	"truncate": {1, true, true, number(0, 100, func(k *Knobs) *int64 { return &k.Faults.Truncate })},
	"status": {2, true, true, func(k *Knobs, n []int64) string {
		if r := outside(n[0], 400, 599); r != "" {
			return r
		}
		k.Faults.Status, k.Faults.StatusPercent = int(n[0]), n[1]
		return outside(n[1], 0, 100)
	}},
	"down": {2, true, true, func(k *Knobs, n []int64) string {
		k.Faults.DownFrom, k.Faults.DownTo = n[0], n[1]
		if n[0] >= n[1] || n[1] > 60 {
			return "use down_A_B with 0 <= A < B <= 60"
		}
		return ""
	}},
	"notplaylist": {0, true, true, flag(func(k *Knobs) { k.Faults.NotPlaylist = true })},
	"redirect":    {0, true, true, flag(func(k *Knobs) { k.Faults.Redirect = true })},
}

func flag(set func(*Knobs)) func(*Knobs, []int64) string {
	return func(k *Knobs, _ []int64) string {
		set(k)
		return ""
	}
}

func number(low, high int64, field func(*Knobs) *int64) func(*Knobs, []int64) string {
	return func(k *Knobs, n []int64) string {
		*field(k) = n[0]
		return outside(n[0], low, high)
	}
}

func outside(n, low, high int64) string {
	if n < low || n > high {
		return fmt.Sprintf("%d is outside %d to %d", n, low, high)
	}
	return ""
}

// maxKnobs bounds the knobs of a path; there are fewer.
const maxKnobs = 64

// parseKnobs reads the parts of a path between /live or /vod and the resource.
func parseKnobs(live bool, parts []string) (Knobs, error) {
	k := Knobs{Live: live, Segment: 4, Window: 10, Renditions: 3}
	if !live {
		k.Duration = 120
	}
	if len(parts) > maxKnobs {
		return k, &KnobError{Knob: parts[maxKnobs], Reason: "too many knobs"}
	}
	seen := map[string]string{}
	for _, part := range parts {
		name, numbers, err := parseKnob(part)
		if err != nil {
			return k, err
		}
		def, _ := find(name)
		group := name
		if g, ok := groups[name]; ok {
			group = g
		}
		if other, dup := seen[group]; dup {
			return k, &KnobError{Knob: part, Reason: "conflicts with " + other}
		}
		seen[group] = part
		if live && !def.live {
			return k, &KnobError{Knob: part, Reason: "is for /vod only"}
		}
		if !live && !def.vod {
			return k, &KnobError{Knob: part, Reason: "is for /live only"}
		}
		if reason := def.set(&k, numbers); reason != "" {
			return k, &KnobError{Knob: part, Reason: reason}
		}
	}
	if k.End != 0 && k.End < k.Start+k.Segment {
		return k, &KnobError{Knob: seen["end"], Reason: "ends before the first segment"}
	}
	if name, reason := k.disagree(); name != "" {
		return k, &KnobError{Knob: cmp.Or(seen[name], name), Reason: reason}
	}
	return k, nil
}

// find returns the knob of a name.
func find(name string) (knob, bool) {
	if def, ok := knobs[name]; ok {
		return def, true
	}
	def, ok := conducts[name]
	return def, ok
}

// parseKnob splits a knob into name and numbers.
func parseKnob(part string) (name string, numbers []int64, err error) {
	fields := strings.Split(part, "_")
	name = fields[0]
	def, known := find(name)
	if !known {
		return "", nil, &KnobError{Knob: part, Reason: "is unknown", Unknown: true}
	}
	if len(fields)-1 != def.numbers {
		return "", nil, &KnobError{Knob: part, Reason: fmt.Sprintf("use %s%s", name, strings.Repeat("_N", def.numbers))}
	}
	for _, f := range fields[1:] {
		n, err := strconv.ParseUint(f, 10, 53)
		// Only one spelling per number, so that there is one URL for the same bytes.
		if err != nil || strconv.FormatUint(n, 10) != f {
			return "", nil, &KnobError{Knob: part, Reason: fmt.Sprintf("%q is not a number", f)}
		}
		numbers = append(numbers, int64(n)) // 53 bits
	}
	return name, numbers, nil
}
