package manifest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// Load fetches the manifest and returns its presentation. Errors are *Error.
func (s *Source) Load(ctx context.Context) (*Presentation, error) {
	got, err := s.loadText(ctx, s.url, validators{})
	if err == nil {
		var p *Presentation
		if p, err = ParseMultivariant(got.body, got.url); err == nil {
			p.Text = got.body
			s.metrics.playlists.WithLabelValues(resultChanged).Inc()
			return p, nil
		}
	}
	s.metrics.playlists.WithLabelValues(string(ReasonOf(err))).Inc()
	return nil, err
}

// LoadPlaylist fetches the media playlist of r once. Errors are *Error.
func (s *Source) LoadPlaylist(ctx context.Context, r Rendition) (*Playlist, error) {
	p, _, err := s.loadMedia(ctx, r, validators{})
	return p, err
}

// loadMedia returns a nil playlist and no error if the origin says that nothing
// has changed since known was answered.
func (s *Source) loadMedia(ctx context.Context, r Rendition, known validators) (*Playlist, validators, error) {
	got, err := s.loadText(ctx, r.URI, known)
	if err == nil && got.unchanged {
		s.metrics.playlists.WithLabelValues(resultUnchanged).Inc()
		return nil, known, nil
	}
	if err == nil {
		var p *Playlist
		if p, err = s.parseMedia(got, r); err == nil {
			s.metrics.playlists.WithLabelValues(resultChanged).Inc()
			return p, got.validators, nil
		}
	}
	s.metrics.playlists.WithLabelValues(string(ReasonOf(err))).Inc()
	return nil, validators{}, err
}

// parseMedia reads one playlist at a time, so that many long ones take one processor at most.
func (s *Source) parseMedia(got loadedText, r Rendition) (*Playlist, error) {
	s.parsing.Lock()
	defer s.parsing.Unlock()
	began := time.Now()
	p, err := ParseMedia(got.body, got.url, r)
	if err != nil {
		return nil, err
	}
	p.FetchedAt, p.Text, p.cost = got.at, got.body, time.Since(began)
	return p, nil
}

// validators make the next request conditional.
type validators struct{ etag, lastModified string }

type loadedText struct {
	body      []byte
	url       string
	at        time.Time
	unchanged bool
	validators
}

func (s *Source) loadText(ctx context.Context, rawURL string, known validators) (loadedText, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, s.cfg.PlaylistTimeout, errTooSlow)
	defer cancel()
	response, at, err := s.get(ctx, rawURL, func(h http.Header) {
		if known.etag != "" {
			h.Set("If-None-Match", known.etag)
		}
		if known.lastModified != "" {
			h.Set("If-Modified-Since", known.lastModified)
		}
	})
	if err != nil {
		return loadedText{}, err
	}
	defer func() { _ = response.Body.Close() }() // read to the end or given up
	out := loadedText{url: at, at: time.Now()}
	switch {
	case response.StatusCode == http.StatusNotModified && known != (validators{}):
		out.unchanged = true
		return out, nil
	case response.StatusCode != http.StatusOK:
		return out, statusError(at, response.StatusCode)
	case response.Header.Get("Content-Encoding") != "" && response.Header.Get("Content-Encoding") != "identity":
		// gzip has been taken off by the transport already.
		return out, fail(ReasonEncoded, at, fmt.Errorf("content encoding %q", clip(response.Header.Get("Content-Encoding"))))
	}
	out.body, err = io.ReadAll(io.LimitReader(response.Body, s.cfg.MaxPlaylistBytes+1))
	s.metrics.bytes.WithLabelValues("playlist").Add(float64(len(out.body)))
	if err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) && ctx.Err() == nil {
			return out, fail(ReasonTruncated, at, err)
		}
		return out, s.transportError(ctx, at, err)
	}
	if int64(len(out.body)) > s.cfg.MaxPlaylistBytes {
		return out, fail(ReasonTooLarge, at, fmt.Errorf("more than %d bytes", s.cfg.MaxPlaylistBytes))
	}
	out.validators = validatorsOf(response.Header)
	return out, nil
}

// validatorsOf leaves out a modification time within the last second of the
// answer's own: the playlist may change again in that same second, unseen.
// Source: RFC 9110 §8.8.2.2.
func validatorsOf(h http.Header) validators {
	v := validators{etag: h.Get("ETag")}
	modified, err1 := http.ParseTime(h.Get("Last-Modified"))
	date, err2 := http.ParseTime(h.Get("Date"))
	if err1 == nil && err2 == nil && date.Sub(modified) > time.Second {
		v.lastModified = h.Get("Last-Modified")
	}
	return v
}

func statusError(at string, status int) *Error {
	e := fail(ReasonStatus, at, errors.New(http.StatusText(status)))
	e.Status = status
	return e
}
