package manifest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// A manifest may name its playlists by URLs that expire, and an origin may move them. What a rendition is stays the
// same: its identity, as players see it, is made of its properties.

// Pauses between loads of the manifest because of a playlist that is refused. They are doubled while that brings no
// other URL.
const (
	firstRenewal = 2 * time.Second
	lastRenewal  = 30 * time.Second
)

// Reasons for which a rendition has no other URL.
var (
	// ErrSameURL: the manifest names the URL that is known, or was read a moment ago.
	ErrSameURL = errors.New("the manifest names no other URL")
	// ErrNotNamed: the manifest names no rendition with this identity any more.
	ErrNotNamed = errors.New("the manifest does not name the rendition any more")
)

// Refused tells whether an error is an answer of the origin that says that a URL is not to be used, or not any more:
// HTTP 401, 403, 404 or 410.
func Refused(err error) bool {
	var e *Error
	if !errors.As(err, &e) || e.Reason != ReasonStatus {
		return false
	}
	switch e.Status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusGone:
		return true
	}
	return false
}

// catalog is the newest presentation of a source. One load runs at a time.
type catalog struct {
	loading chan struct{} // held by the one that loads

	mu           sync.Mutex
	presentation *Presentation // nil before the first load
	validators   validators
	began        time.Time     // when the last load began
	err          error         // of the last load
	readAt       time.Time     // when the origin last sent the text instead of saying that it has not changed
	denied       bool          // it said so last
	distrust     bool          // its validators are not used: another text came under the ETag of the last one
	pause        time.Duration // until the next renewal
}

// Refresh returns the presentation as it is now: the one that it returned last if the origin says that nothing has
// changed or sends the same text. Errors are *Error, or the context's while another load runs.
func (s *Source) Refresh(ctx context.Context) (*Presentation, error) {
	c := &s.catalog
	select {
	case c.loading <- struct{}{}:
		defer func() { <-c.loading }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	return s.refresh(ctx, false)
}

// refresh loads, as a whole or, if it may, conditionally; the caller holds catalog.loading.
func (s *Source) refresh(ctx context.Context, whole bool) (*Presentation, error) {
	c := &s.catalog
	c.mu.Lock()
	last, known := c.presentation, c.validators
	c.began = time.Now()
	known.whole = whole || c.distrust || c.began.Sub(c.readAt) > longestRest
	c.mu.Unlock()
	fresh, answered, err := s.reload(ctx, last, known)
	if err != nil {
		s.metrics.playlists.WithLabelValues(string(ReasonOf(err))).Inc()
		c.mu.Lock()
		c.err = err
		c.mu.Unlock()
		return nil, err
	}
	result := resultChanged
	if fresh == last {
		result = resultUnchanged
	}
	s.metrics.playlists.WithLabelValues(result).Inc()
	c.mu.Lock()
	defer c.mu.Unlock()
	if answered.whole {
		c.readAt = time.Now()
	}
	c.denied, answered.whole = !answered.whole, false
	if last != nil && fresh != last && answered.etag != "" && answered.etag == known.etag && !c.distrust {
		c.distrust = true
		s.metrics.tags.WithLabelValues(tagReused).Inc()
		s.cfg.Logger.Warn("the origin uses one ETag for different manifests; from now on the manifest is loaded as a whole", "url", withoutSecrets(s.url))
	}
	c.presentation, c.validators, c.err = fresh, answered, nil
	return fresh, nil
}

// keep takes an MPD that was loaded apart: playlists are made of it.
func (c *catalog) keep(p *Presentation, got loadedText) {
	if p.mpd == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.presentation != nil && c.presentation.mpd != nil {
		p.DefaultSwarmID = c.presentation.DefaultSwarmID
	}
	c.presentation, c.validators, c.began, c.err = p, got.validators, got.at, nil
	c.readAt, c.denied = got.at, false
}

// location is where an MPD says that its next state is; empty if it says nothing.
func (c *catalog) location() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.presentation == nil || c.presentation.mpd == nil || len(c.presentation.mpd.Reload) == 0 {
		return ""
	}
	return c.presentation.mpd.Reload[0]
}

// reload returns validators of which whole says that the origin sent the text.
func (s *Source) reload(ctx context.Context, last *Presentation, known validators) (*Presentation, validators, error) {
	if last == nil {
		known = validators{}
	}
	got, err := s.loadManifest(ctx, known)
	got.validators.whole = !got.unchanged
	switch {
	case err != nil:
		return nil, validators{}, err
	case got.unchanged:
		return last, known, nil // it was asked conditionally
	case last != nil && last.URL == got.url && bytes.Equal(last.Text, got.body):
		return last, got.validators, nil
	}
	p, err := s.presentation(got)
	if err != nil {
		return nil, validators{}, err
	}
	if p.mpd != nil && last != nil && last.mpd != nil {
		p.DefaultSwarmID = last.DefaultSwarmID // players keep that of the first response
	}
	return p, got.validators, nil
}

// Renew returns r with the URL that the manifest names for it now. It loads the manifest if what it read last names the
// URL of r, and not too often: after two seconds at first, and half a minute if that brings nothing. The error is
// ErrSameURL, ErrNotNamed or that of the load.
func (s *Source) Renew(ctx context.Context, r Rendition) (Rendition, error) {
	renewed, result, err := s.lookUp(ctx, r)
	s.renewals.results.WithLabelValues(result).Inc()
	return renewed, err
}

func (s *Source) lookUp(ctx context.Context, r Rendition) (Rendition, string, error) {
	c := &s.catalog
	select {
	case c.loading <- struct{}{}: // who waited here may find what another has just brought
		defer func() { <-c.loading }()
	case <-ctx.Done():
		return Rendition{}, renewalFailed, context.Cause(ctx)
	}
	c.mu.Lock()
	p, wait := c.presentation, max(c.pause, firstRenewal)-time.Since(c.began)
	denied := c.denied
	c.mu.Unlock()
	if p != nil {
		if found, ok := p.Match(r); ok && found.URI != r.URI {
			return found, renewalMoved, nil
		}
		if wait > 0 {
			return Rendition{}, renewalSame, ErrSameURL
		}
	}
	p, err := s.refresh(ctx, denied) // that nothing has changed is hard to believe when the origin refuses what the manifest names
	if err != nil {
		s.slower(err)
		return Rendition{}, renewalFailed, err
	}
	found, ok := p.Match(r)
	switch {
	case !ok:
		s.slower(nil)
		return Rendition{}, renewalGone, ErrNotNamed
	case found.URI == r.URI:
		s.slower(nil)
		return Rendition{}, renewalSame, ErrSameURL
	}
	c.mu.Lock()
	c.pause = 0
	c.mu.Unlock()
	return found, renewalMoved, nil
}

// slower doubles the pause between renewals, or makes it as long as the origin asks for.
func (s *Source) slower(err error) {
	s.catalog.mu.Lock()
	defer s.catalog.mu.Unlock()
	s.catalog.pause = max(min(lastRenewal, 2*max(s.catalog.pause, firstRenewal)), RetryAfter(err))
}

// Match finds the rendition with the identity of r: the one of the same name if there are several.
func (p *Presentation) Match(r Rendition) (found Rendition, ok bool) {
	for _, each := range slices.Concat(p.Renditions, p.further) {
		if each.Type != r.Type || each.ShortID != r.ShortID || each.ShortID == "" && each.Written != r.Written {
			continue
		}
		if !ok || each.Name == r.Name {
			found, ok = each, true
		}
		if each.Name == r.Name {
			break
		}
	}
	return found, ok
}

// Results of Renew.
const (
	renewalMoved  = "moved"
	renewalSame   = "same"
	renewalGone   = "gone"
	renewalFailed = "failed"
)

type renewals struct {
	results *prometheus.CounterVec
	events  prometheus.Counter
}

// newRenewals registers the counters; sources that share a registry share them.
func newRenewals(reg prometheus.Registerer) (*renewals, error) {
	if reg == nil {
		reg = prometheus.NewRegistry()
	}
	r := &renewals{
		results: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "p2pstream_manifest_renewals_total", Help: "Looks for another URL of a playlist that the origin refused, by result.",
		}, []string{"result"}),
		events: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "p2pstream_manifest_new_events_total", Help: "New events noticed under the URL of a playlist.",
		}),
	}
	for _, register := range []func() error{
		func() error { return registerOr(reg, &r.results) }, func() error { return registerOr(reg, &r.events) },
	} {
		if err := register(); err != nil {
			return nil, err
		}
	}
	for _, result := range []string{renewalMoved, renewalSame, renewalGone, renewalFailed} {
		r.results.WithLabelValues(result)
	}
	return r, nil
}

// registerOr registers a collector, or replaces it by the one of its name that is registered.
func registerOr[C prometheus.Collector](reg prometheus.Registerer, c *C) error {
	err := reg.Register(*c)
	var already prometheus.AlreadyRegisteredError
	if errors.As(err, &already) {
		if existing, ok := already.ExistingCollector.(C); ok {
			*c, err = existing, nil
		}
	}
	if err != nil {
		return fmt.Errorf("registering metric: %w", err)
	}
	return nil
}
