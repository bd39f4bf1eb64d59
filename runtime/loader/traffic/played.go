package traffic

import (
	"sync"
	"sync/atomic"
)

// maxNamed is how many renditions are counted by their names. An engine follows fewer at a time, but a manifest may change its
// names often.
const maxNamed = 256

// Place is where a peer is, as seen from here.
type Place int

// The places of peers.
const (
	Outside Place = iota // beyond the line of this site, or not known
	Inside               // in this site
	places
)

// Rendition counts what arrived of one rendition. It may be used by many goroutines; nil counts nothing.
type Rendition struct {
	name     string
	received [sources][places]atomic.Int64
}

// Count adds bytes. The origin is always outside.
func (r *Rendition) Count(from Source, at Place, bytes int64) {
	if r != nil {
		r.received[from][at].Add(bytes)
	}
}

// Played are the bytes that arrived of one rendition, by source.
type Played struct {
	Rendition                   string
	HTTP                        int64
	SeederInside, SeederOutside int64
	ViewerInside, ViewerOutside int64
}

// Received is the sum over the sources.
func (p Played) Received() int64 {
	return p.HTTP + p.SeederInside + p.SeederOutside + p.ViewerInside + p.ViewerOutside
}

// Add returns the sum of both, under the name of the first.
func (p Played) Add(o Played) Played {
	p.HTTP += o.HTTP
	p.SeederInside += o.SeederInside
	p.SeederOutside += o.SeederOutside
	p.ViewerInside += o.ViewerInside
	p.ViewerOutside += o.ViewerOutside
	return p
}

// renditions are those of an engine, in the order in which they were first followed.
type renditions struct {
	mu  sync.Mutex
	all []*Rendition
}

// Rendition returns the counter of a rendition. One that is followed again goes on counting.
func (r *Recorder) Rendition(name string) *Rendition {
	r.renditions.mu.Lock()
	defer r.renditions.mu.Unlock()
	for _, one := range r.renditions.all {
		if one.name == name {
			return one
		}
	}
	if len(r.renditions.all) >= maxNamed {
		return r.renditions.all[maxNamed-1]
	}
	one := &Rendition{name: name}
	r.renditions.all = append(r.renditions.all, one)
	return one
}

// Played returns what arrived of each rendition so far, in an order that stays. The sums do not exceed those of Counters that
// are read afterwards.
func (r *Recorder) Played() []Played {
	r.renditions.mu.Lock()
	all := r.renditions.all
	r.renditions.mu.Unlock()
	out := make([]Played, len(all))
	for i, one := range all {
		out[i] = Played{Rendition: one.name, HTTP: one.received[FromHTTP][Outside].Load(),
			SeederInside: one.received[FromSeeder][Inside].Load(), SeederOutside: one.received[FromSeeder][Outside].Load(),
			ViewerInside: one.received[FromViewer][Inside].Load(), ViewerOutside: one.received[FromViewer][Outside].Load()}
	}
	return out
}
