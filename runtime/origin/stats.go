package origin

import (
	"errors"
	"maps"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
)

// maxPaths bounds the paths that are counted separately; a new path replaces the
// oldest one.
const maxPaths = 8192

// Kinds of requests.
const (
	KindPlaylist = "playlist" // multivariant and media playlists
	KindInit     = "init"     // initialization sections
	KindSegment  = "segment"  // media segments and ranges of media files
	KindInvalid  = "invalid"  // paths without a resource
)

// Count is what was served under one path or of one kind.
type Count struct {
	// Requests counts every request, whatever its answer.
	Requests int64 `json:"requests"`
	// Bytes counts the body bytes written.
	Bytes int64 `json:"bytes"`
	// Complete counts the answers 200 and 206 whose whole body was written.
	Complete int64 `json:"complete"`
	// NotModified counts the answers 304.
	NotModified int64 `json:"notModified"`
	// Failed counts the answers 4xx and 5xx and the bodies that ended early,
	// injected faults included.
	Failed int64 `json:"failed"`
	// Refused counts the answers 4xx and 5xx alone: bodies also end early because a client has what it wants.
	Refused int64 `json:"refused"`
}

func (c *Count) add(d Count) {
	c.Requests += d.Requests
	c.Bytes += d.Bytes
	c.Complete += d.Complete
	c.NotModified += d.NotModified
	c.Failed += d.Failed
	c.Refused += d.Refused
}

// Stats is what an origin has served since it started.
type Stats struct {
	// Kinds counts by kind of request.
	Kinds map[string]Count `json:"kinds"`
	// Paths counts by path, with the range appended as in the Range header
	// ("/vod/…/360p.mp4 bytes=0-99"): at most 8192, the newest.
	Paths map[string]Count `json:"paths"`
	// Forgotten counts the paths that were removed from Paths to make room.
	Forgotten int64 `json:"forgotten"`
}

// stats counts requests; safe for concurrent use.
type stats struct {
	requests *prometheus.CounterVec
	bytes    *prometheus.CounterVec
	faults   *prometheus.CounterVec

	mu        sync.Mutex
	kinds     map[string]Count
	paths     map[string]Count
	order     []string // ring of the keys of paths
	next      int
	forgotten int64
}

func newStats(reg prometheus.Registerer) (*stats, error) {
	s := &stats{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "p2pstream_origin_requests_total", Help: "Requests answered, by kind and status code."}, []string{"kind", "code"}),
		bytes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "p2pstream_origin_sent_bytes_total", Help: "Body bytes written, by kind."}, []string{"kind"}),
		faults: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "p2pstream_origin_faults_total", Help: "Faults injected, by knob."}, []string{"fault"}),
		kinds: map[string]Count{},
		paths: map[string]Count{},
	}
	return s, errors.Join(reg.Register(s.requests), reg.Register(s.bytes), reg.Register(s.faults))
}

// count counts one answer.
func (s *stats) count(kind, path string, c Count) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := s.kinds[kind]
	k.add(c)
	s.kinds[kind] = k
	if kind == KindInvalid {
		return // invalid paths must not replace those of streams
	}
	p, known := s.paths[path]
	if !known {
		if len(s.order) < maxPaths {
			s.order = append(s.order, path)
		} else {
			delete(s.paths, s.order[s.next])
			s.order[s.next] = path
			s.next = (s.next + 1) % maxPaths
			s.forgotten++
		}
	}
	p.add(c)
	s.paths[path] = p
}

func (s *stats) snapshot() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Stats{Kinds: maps.Clone(s.kinds), Paths: maps.Clone(s.paths), Forgotten: s.forgotten}
}
