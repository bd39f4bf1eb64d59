package timeline

import "github.com/p2pstream/p2pstream/runtime/origin/mux"

// Conduct is what a path asks for of the things that origins in the field do. Package documentation says what each is.
type Conduct struct {
	EventSeconds, EventGap int64 // seconds; 0: one event that lasts
	Gone, NewNames         bool
	Expire, Signed, Passes int64 // seconds; 0: never
	Pass                   int64 // the Unix second at which a segment's URL runs out; 0: it names none
	Late                   int64 // seconds; 0: from the begin
	Twins, Cameras, Backup bool
	Ads, Watermark, Agents bool
	Edges, Sessions        bool
	Edge                   int64 // of no effect: one path for each edge
	Cookie                 bool
	Gzip                   bool
	NoLength, Chunked      bool
	NoRange                bool
	Parts                  bool
	CanSkip, CanBlock      bool
	NotModified, OneTag    bool
	DVR                    bool
	Loop, Wrap             int64 // segments; 0: each has a name of its own
	Slate                  int64 // of slateEvery segments
	Stale                  int64 // segments
	Negative               bool
}

// twinSuffix is what the names of twins end with.
const twinSuffix = "b"

// maxSeconds bounds seconds in knobs: a day.
const maxSeconds = 86_400

var conducts = map[string]knob{
	"event": {2, true, false, func(k *Knobs, n []int64) string {
		k.Conduct.EventSeconds, k.Conduct.EventGap = n[0], n[1]
		if r := outside(n[0], 1, maxSeconds); r != "" {
			return r
		}
		return outside(n[1], 0, maxSeconds)
	}},
	"gone":      {0, true, false, flag(func(k *Knobs) { k.Conduct.Gone = true })},
	"newnames":  {0, true, false, flag(func(k *Knobs) { k.Conduct.NewNames = true })},
	"expire":    {1, true, true, number(1, maxSeconds, func(k *Knobs) *int64 { return &k.Conduct.Expire })},
	"signed":    {1, true, true, number(1, maxSeconds, func(k *Knobs) *int64 { return &k.Conduct.Signed })},
	"passes":    {1, true, true, number(1, maxSeconds, func(k *Knobs) *int64 { return &k.Conduct.Passes })},
	"pass":      {1, true, true, number(1, maxUnix, func(k *Knobs) *int64 { return &k.Conduct.Pass })},
	"late":      {1, true, false, number(1, maxSeconds, func(k *Knobs) *int64 { return &k.Conduct.Late })},
	"twins":     {0, true, true, flag(func(k *Knobs) { k.Conduct.Twins, k.SeparateAudio = true, true })},
	"cameras":   {0, true, true, flag(func(k *Knobs) { k.Conduct.Cameras = true })},
	"backup":    {0, true, true, flag(func(k *Knobs) { k.Conduct.Backup = true })},
	"ads":       {0, true, true, flag(func(k *Knobs) { k.Conduct.Ads = true })},
	"watermark": {0, true, true, flag(func(k *Knobs) { k.Conduct.Watermark = true })},
	"agents":    {0, true, true, flag(func(k *Knobs) { k.Conduct.Agents = true })},
	"edges":     {0, true, true, flag(func(k *Knobs) { k.Conduct.Edges = true })},
	"edge":      {1, true, true, number(0, maxSeconds, func(k *Knobs) *int64 { return &k.Conduct.Edge })},
	"sessions":  {0, true, true, flag(func(k *Knobs) { k.Conduct.Sessions = true })},
	"cookie":    {0, true, true, flag(func(k *Knobs) { k.Conduct.Cookie = true })},
	"busy": {2, true, true, func(k *Knobs, n []int64) string {
		k.Faults.BusyFrom, k.Faults.BusyTo = n[0], n[1]
		if n[0] >= n[1] || n[1] > 60 {
			return "use busy_A_B with 0 <= A < B <= 60"
		}
		return ""
	}},
	"gzip":        {0, true, true, flag(func(k *Knobs) { k.Conduct.Gzip = true })},
	"nolength":    {0, true, true, flag(func(k *Knobs) { k.Conduct.NoLength = true })},
	"chunked":     {0, true, true, flag(func(k *Knobs) { k.Conduct.Chunked = true })},
	"norange":     {0, true, true, flag(func(k *Knobs) { k.Conduct.NoRange = true })},
	"parts":       {0, true, false, flag(func(k *Knobs) { k.Conduct.Parts = true })},
	"canskip":     {0, true, false, flag(func(k *Knobs) { k.Conduct.CanSkip = true })},
	"canblock":    {0, true, false, flag(func(k *Knobs) { k.Conduct.CanBlock = true })},
	"notmodified": {0, true, true, flag(func(k *Knobs) { k.Conduct.NotModified = true })},
	"onetag":      {0, true, true, flag(func(k *Knobs) { k.Conduct.OneTag = true })},
	"dvr":         {0, true, false, flag(func(k *Knobs) { k.Conduct.DVR = true })},
	"loop":        {1, true, false, number(1, 1000, func(k *Knobs) *int64 { return &k.Conduct.Loop })},
	"wrap":        {1, true, false, number(1, 1000, func(k *Knobs) *int64 { return &k.Conduct.Wrap })},
	"slate":       {1, true, false, number(1, slateEvery-1, func(k *Knobs) *int64 { return &k.Conduct.Slate })},
	"stale":       {1, true, false, number(1, 1000, func(k *Knobs) *int64 { return &k.Conduct.Stale })},
	"negative":    {0, true, true, flag(func(k *Knobs) { k.Conduct.Negative = true })},
}

// groups are knobs of which a path has one at most.
var groups = map[string]string{
	"ts": "container", "fmp4": "container",
	"loop": "names", "wrap": "names", "slate": "names", "newnames": "names", "ads": "names", "byterange": "names",
	"twins": "twins", "cameras": "twins", "backup": "twins",
	"nolength": "transfer", "chunked": "transfer",
	"notmodified": "validators", "onetag": "validators",
}

// disagree returns the knob that does not go with the rest, and why; empty if all do.
func (k Knobs) disagree() (name, reason string) {
	c := k.Conduct
	switch {
	case c.Twins && k.Renditions < 2:
		return "twins", "needs two renditions at least"
	case c.EventSeconds != 0 && c.EventSeconds < k.Segment:
		return "event", "ends before its first segment"
	case (c.Gone || c.NewNames) && c.EventSeconds == 0:
		return "event", "is missing: gone and newnames are about events"
	case k.FillKbit > 0 && (k.ByteRange || k.Renditions > 1 || k.Segment > maxFilled):
		return "fill", "is for one rendition, in segments of 10 s at most: add ren_1, and no byterange"
	case k.ByteRange && (c.Twins || c.Cameras || c.Watermark || c.Agents):
		return "byterange", "does not go with bytes that differ"
	}
	return "", ""
}

// mark appends bytes that players skip to a segment, so that it differs from the one without.
func mark(dst []byte, container mux.Container, text string) []byte {
	if text == "" {
		return dst
	}
	return mux.AppendPadding(dst, container, text)
}
