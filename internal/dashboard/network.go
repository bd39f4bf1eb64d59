package dashboard

import (
	"cmp"
	"encoding/json"
	"math"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/p2pstream/p2pstream/internal/history"
	"github.com/p2pstream/p2pstream/runtime/telemetry"
	"github.com/p2pstream/p2pstream/runtime/tracker/stats"
)

// Bounds of a Network.
const (
	maxListed = 500  // streams in an answer
	maxMatch  = 128  // bytes of what their names are to contain
	maxSites  = 4096 // that are told apart when the sites of streams are summed
)

// Kinds of a Network.
const (
	OfTracker = "tracker"
	OfCluster = "cluster"
)

// Overview is what a dashboard of many streams shows as of now.
type Overview struct {
	Now       time.Time `json:"now"`
	StartedAt time.Time `json:"startedAt"`
	// Of is the kind: the streams of one tracker, or all that an operator runs in a cluster.
	Of string `json:"of"`

	Streams int `json:"streams"`
	Watched int `json:"watched"` // those with viewers
	Unknown int `json:"unknown"` // those that nothing has answered for
	// Streams whose worst problem is critical or a warning.
	Critical int `json:"critical"`
	Warnings int `json:"warnings"`

	Viewers             int      `json:"viewers"`
	Reporting           int      `json:"reporting"`
	Seeders             int      `json:"seeders"`
	BitsPerSecond       int64    `json:"bitsPerSecond"`
	OriginBitsPerSecond int64    `json:"originBitsPerSecond"`
	Offload             *float64 `json:"offload"`

	Startup stats.Percentiles `json:"startup"`
	Stall   stats.Percentiles `json:"stall"`

	// List has the streams with problems first, then those with most viewers; More is how many are left out.
	List []Brief `json:"list"`
	More int     `json:"more"`
}

// Network is what is remembered of many streams: each of them as it is now, and the past of all together.
type Network struct {
	Past *Past

	mu       sync.Mutex
	now      Overview // with all streams in the list
	streams  map[string]state
	counters history.Counters
}

// state is what is remembered of a stream from one round to the next.
type state struct {
	source   string
	counters history.Counters
	at       time.Time
	// Seconds for which viewers stood still and watched, of which those of long ago count less.
	stalled, watched float64
}

// forgetStalls is the time after which a second counts a third.
const forgetStalls = 5 * time.Minute

// NewNetwork returns one of a kind.
func NewNetwork(of string, began time.Time) *Network {
	return &Network{Past: NewPast(), now: Overview{Of: of, Now: began, StartedAt: began, List: []Brief{}}}
}

// Round is what is known of all streams at one moment, one after the other. There is one at a time.
type Round struct {
	network              *Network
	overview             Overview
	sample               history.Sample
	came                 history.Counters
	sites                sites
	startup, stall       telemetry.Spread
	http, seeder, viewer int64
	before, streams      map[string]state
}

// Begin begins a round. It is to be called every history.FineStep.
func (n *Network) Begin(at time.Time) *Round {
	n.mu.Lock()
	defer n.mu.Unlock()
	return &Round{network: n, overview: Overview{Of: n.now.Of, StartedAt: n.now.StartedAt, Now: at, List: []Brief{}},
		sample: history.Sample{At: at}, sites: sites{}, before: n.streams, streams: map[string]state{}}
}

// Unknown adds a stream that nothing has answered for.
func (r *Round) Unknown(namespace, name string) {
	r.overview.add(Brief{Namespace: namespace, Name: name, Problems: []Problem{}})
	if before, ok := r.before[namespace+"/"+name]; ok {
		r.streams[namespace+"/"+name] = before // its tracker may answer again
	}
}

// Add adds what a tracker tells of a stream. What has come is counted from the second time on: before, it came at another time.
func (r *Round) Add(namespace, name string, s stats.Stats) {
	key := namespace + "/" + name
	before, known := r.before[key]
	elapsed := r.sample.At.Sub(before.at)
	if !known {
		elapsed = 0
	}
	one := SampleOf(s, elapsed)
	now := state{source: s.Boot, counters: one.Counters, at: r.sample.At}
	if known {
		if before.source != now.source {
			before.counters = history.Counters{} // another run of the tracker counts anew
		}
		came := one.Counters.Since(before.counters)
		r.came = r.came.Plus(came)
		kept := math.Exp(-elapsed.Seconds() / forgetStalls.Seconds())
		now.stalled = kept*before.stalled + float64(came.StallMs)/1000
		now.watched = kept*before.watched + one.Viewers*elapsed.Seconds()
	}
	r.streams[key] = now
	var stalled *float64
	if now.watched > 0 {
		share := now.stalled / now.watched
		stalled = &share
	}
	r.overview.add(BriefOf(namespace, name, s, stalled))
	r.sample.Viewers += one.Viewers
	r.sample.Seeders += one.Seeders
	w := s.Offload.Window
	r.http, r.seeder, r.viewer = r.http+w.HTTP, r.seeder+w.Seeder, r.viewer+w.Viewer
	if waits := s.Offload.RecentWaits; waits != nil {
		r.startup.Merge(waits.Startup)
		r.stall.Merge(waits.Stall)
	}
	for _, p := range one.Sites {
		r.sites.add(p)
	}
}

// End puts the round in the place of the one before, and adds it to the past.
func (r *Round) End() {
	out := &r.overview
	if whole := r.http + r.seeder + r.viewer; whole > 0 {
		ratio := float64(r.seeder+r.viewer) / float64(whole)
		out.Offload = &ratio
	}
	out.Startup, out.Stall = stats.PercentilesOf(r.startup), stats.PercentilesOf(r.stall)
	slices.SortStableFunc(out.List, func(a, b Brief) int {
		return cmp.Or(cmp.Compare(a.worst(), b.worst()), cmp.Compare(b.Viewers, a.Viewers), cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
	sample := r.sample
	sample.StartupP50, _ = r.startup.Percentile(.5)
	sample.StartupP95, _ = r.startup.Percentile(.95)
	sample.StallP95, _ = r.stall.Percentile(.95)
	sample.Sites = r.sites.list()
	n := r.network
	n.mu.Lock()
	n.counters = n.counters.Plus(r.came)
	sample.Counters = n.counters
	n.now, n.streams = r.overview, r.streams
	n.mu.Unlock()
	n.Past.Add(sample.At, func(time.Duration) history.Sample { return sample })
}

// add counts a stream.
func (o *Overview) add(b Brief) {
	o.Streams++
	o.List = append(o.List, b)
	if !b.Known {
		o.Unknown++
		return
	}
	if b.Viewers > 0 {
		o.Watched++
	}
	switch b.worst() {
	case 0:
		o.Critical++
	case 1:
		o.Warnings++
	}
	o.Viewers += b.Viewers
	o.Reporting += b.Reporting
	o.Seeders += b.Seeders
	o.BitsPerSecond += b.BitsPerSecond
	o.OriginBitsPerSecond += b.OriginBitsPerSecond
}

// Overview returns what is known now, with those streams whose names contain a text.
func (n *Network) Overview(match string) Overview {
	n.mu.Lock()
	out := n.now // whose list is replaced, and never changed
	n.mu.Unlock()
	match = strings.ToLower(match[:min(len(match), maxMatch)])
	all := out.List
	out.List = make([]Brief, 0, min(len(all), maxListed))
	for _, b := range all {
		if match != "" && !strings.Contains(b.Namespace+"/"+b.Name, match) {
			continue
		}
		if len(out.List) == maxListed {
			out.More++
			continue
		}
		out.List = append(out.List, b)
	}
	return out
}

// Encode returns the overview in JSON, for the query of a request.
func (n *Network) Encode(asked url.Values) (json.RawMessage, error) {
	return json.Marshal(n.Overview(asked.Get("match")))
}

// sites sums what several streams say of each site.
type sites map[string]*history.Part

func (s sites) add(p history.Part) {
	known := s[p.Name]
	if known == nil {
		if len(s) >= maxSites {
			p.Name = history.Other
			known = s[p.Name]
		}
		if known == nil {
			s[p.Name] = &p
			return
		}
	}
	known.Line += p.Line
	known.Received += p.Received
	known.OneCopy += p.OneCopy
	known.Viewers += p.Viewers
}

// list returns the sites, those with most bytes over their lines first.
func (s sites) list() []history.Part {
	out := make([]history.Part, 0, len(s))
	for _, p := range s {
		out = append(out, *p)
	}
	slices.SortFunc(out, func(a, b history.Part) int {
		return cmp.Or(cmp.Compare(b.Line, a.Line), cmp.Compare(b.Received, a.Received), cmp.Compare(a.Name, b.Name))
	})
	return out
}
