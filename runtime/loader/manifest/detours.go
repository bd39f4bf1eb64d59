package manifest

import (
	"context"
	"io"
	"strings"
	"sync"
	"time"
)

// An MPD may name several URLs of the same bytes (several BaseURL elements beside each other), for example at two CDNs. What
// fails at one of them is asked for at the next. Names, ids and keys are made of the first one always, as players make them.

const (
	// maxURLsTried bounds how many URLs of one resource are asked in a row.
	maxURLsTried = 3
	// avoidFor is how long a host that does not serve is asked last.
	avoidFor = 30 * time.Second
	// maxAvoided bounds the hosts that are remembered.
	maxAvoided = 16
)

// detours remembers which hosts do not serve.
type detours struct {
	mu    sync.Mutex
	until map[string]time.Time
}

// order returns the URLs of a resource in the order in which they are asked: those of hosts that do not serve are the last.
func (d *detours) order(r Resource, now time.Time) []string {
	urls := make([]string, 0, 1+len(r.Alternatives))
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, avoided := range []bool{false, true} {
		for i := -1; i < len(r.Alternatives); i++ {
			at := r.URL
			if i >= 0 {
				at = r.Alternatives[i]
			}
			if now.Before(d.until[hostOf(at)]) == avoided {
				urls = append(urls, at)
			}
		}
	}
	return urls[:min(len(urls), maxURLsTried)]
}

// avoid notes that a host does not serve.
func (d *detours) avoid(rawURL string, now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.until == nil {
		d.until = map[string]time.Time{}
	}
	for host, until := range d.until {
		if !now.Before(until) {
			delete(d.until, host)
		}
	}
	if len(d.until) < maxAvoided {
		d.until[hostOf(rawURL)] = now.Add(avoidFor)
	}
}

// hostOf is scheme, host and port of an absolute URL.
func hostOf(rawURL string) string {
	scheme, rest, _ := strings.Cut(rawURL, "://")
	if end := strings.IndexAny(rest, "/?#"); end >= 0 {
		rest = rest[:end]
	}
	return scheme + "://" + rest
}

// fetch opens a resource at the first of its URLs that answers. The error is that of the first one asked.
func (s *Source) fetch(ctx context.Context, r Resource, from, known int64, kind string) (body io.ReadCloser, total int64, err error) {
	if len(r.Alternatives) == 0 {
		opened, size, err := s.fetchFrom(ctx, r, from, known, kind)
		if err != nil {
			return nil, 0, err
		}
		return opened, size, nil
	}
	for _, at := range s.detours.order(r, time.Now()) {
		if at != r.URL {
			s.metrics.detours.WithLabelValues(kind).Inc()
		}
		opened, size, failed := s.fetchFrom(ctx, Resource{URL: at, Range: r.Range}, from, known, kind)
		if failed == nil {
			opened.asked = at
			return opened, size, nil
		}
		if err == nil {
			err = failed
		}
		elsewhere, down := serves(failed)
		if ctx.Err() != nil || !elsewhere {
			return nil, 0, err
		}
		if down {
			s.detours.avoid(at, time.Now())
		}
	}
	return nil, 0, err
}

// serves tells of a failure whether another URL may have what this one has not, and whether the host is at fault: a 404 is about
// one segment.
func serves(err error) (elsewhere, down bool) {
	switch ReasonOf(err) {
	case ReasonUnreachable, ReasonTimeout, ReasonStalled, ReasonTruncated, ReasonRedirect:
		return true, true
	case ReasonStatus:
		return true, !Refused(err)
	case ReasonEncoded, ReasonRangeIgnored:
		return true, false
	}
	return false, false
}
