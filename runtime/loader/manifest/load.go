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
	got, err := s.loadManifest(ctx, validators{})
	if err == nil {
		var p *Presentation
		if p, err = s.presentation(got); err == nil {
			s.catalog.keep(p, got)
			s.metrics.playlists.WithLabelValues(resultChanged).Inc()
			return p, nil
		}
	}
	s.metrics.playlists.WithLabelValues(string(ReasonOf(err))).Inc()
	return nil, err
}

// loadManifest loads the manifest. Of a media playlist in its place the beginning
// is enough: it is read again for its segments.
func (s *Source) loadManifest(ctx context.Context, known validators) (loadedText, error) {
	at := s.url
	if moved := s.catalog.location(); moved != "" && moved != at {
		at, known = moved, validators{}
	}
	got, err := s.loadText(ctx, at, known)
	if err != nil && at != s.url && ctx.Err() == nil { // the MPD named another place, which does not answer
		got, err = s.loadText(ctx, s.url, validators{})
	}
	if ReasonOf(err) == ReasonTooLarge && isMediaPlaylist(decodeText(got.body)) {
		got.part, err = true, nil
	}
	return got, err
}

// presentation reads a manifest that was loaded.
func (s *Source) presentation(got loadedText) (*Presentation, error) {
	p, err := s.parse(got)
	if err != nil {
		return nil, err
	}
	if !got.part {
		p.Text = got.body
	}
	for i := range p.Renditions {
		p.Renditions[i].paths = s.cfg.SignedPaths
	}
	return p, nil
}

// LoadPlaylist fetches the media playlist of r once. Errors are *Error.
func (s *Source) LoadPlaylist(ctx context.Context, r Rendition) (*Playlist, error) {
	p, _, err := s.loadMedia(ctx, r, validators{})
	return p, err
}

// loadMedia returns a nil playlist and no error if the origin says that nothing
// has changed since known was answered.
func (s *Source) loadMedia(ctx context.Context, r Rendition, known validators) (*Playlist, validators, error) {
	p, answered, err := s.readMedia(ctx, r, known)
	switch {
	case err != nil:
		s.metrics.playlists.WithLabelValues(string(ReasonOf(err))).Inc()
		return nil, validators{}, err
	case p == nil:
		s.metrics.playlists.WithLabelValues(resultUnchanged).Inc()
		return nil, known, nil
	}
	s.metrics.playlists.WithLabelValues(resultChanged).Inc()
	return p, answered, nil
}

// longPlaylist is how many times MaxPlaylistBytes a media playlist may have, of
// which the newest MaxPlaylistBytes at most are kept.
const longPlaylist = 16

// pieceBytes is how much of a playlist is read before its lines are.
const pieceBytes = 64 << 10

// readMedia reads a playlist as it arrives. The playlist is nil if nothing has
// changed.
func (s *Source) readMedia(ctx context.Context, r Rendition, known validators) (*Playlist, validators, error) {
	if r.byTime {
		return s.readMPD(ctx, r, known)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, s.cfg.PlaylistTimeout, errTooSlow)
	defer cancel()
	body, got, err := s.openText(ctx, r.URI, known)
	if err != nil || got.unchanged {
		return nil, validators{}, err
	}
	defer func() { _ = body.Close() }() // read to the end or given up
	r.paths = s.cfg.SignedPaths
	m := newMediaReader(got.url, r, s.cfg.MaxPlaylistBytes)
	received := s.metrics.bytes.WithLabelValues("playlist")
	piece, cost := make([]byte, pieceBytes), time.Duration(0)
	for left, ended := longPlaylist*s.cfg.MaxPlaylistBytes, false; !ended; {
		n, err := fill(body, piece)
		received.Add(float64(n))
		ended = errors.Is(err, io.EOF)
		if left -= int64(n); left < 0 {
			return nil, validators{}, fail(ReasonTooLarge, got.url, fmt.Errorf("more than %d bytes", longPlaylist*s.cfg.MaxPlaylistBytes))
		}
		if err != nil && !ended {
			return nil, validators{}, s.textError(ctx, got.url, err)
		}
		if err := s.inTurn(&cost, func() error { return m.write(piece[:n]) }); err != nil {
			return nil, validators{}, err
		}
	}
	var p *Playlist
	if err := s.inTurn(&cost, func() (err error) {
		p, err = m.end()
		return err
	}); err != nil {
		return nil, validators{}, err
	}
	if p.FetchedAt, p.cost = got.at, cost; p.Omitted > 0 {
		s.metrics.shortened.WithLabelValues(m.scan.newest.bound).Inc()
	}
	return p, got.validators, nil
}

// inTurn reads one playlist at a time, so that many long ones take one processor
// at most, and adds up the time that one takes.
func (s *Source) inTurn(cost *time.Duration, read func() error) error {
	s.parsing.Lock()
	defer s.parsing.Unlock()
	began := time.Now()
	defer func() { *cost += time.Since(began) }()
	return read()
}

// fill reads until piece is full or the body ends or fails.
func fill(body io.Reader, piece []byte) (n int, err error) {
	for n < len(piece) && err == nil {
		var more int
		more, err = body.Read(piece[n:])
		n += more
	}
	return n, err
}

type loadedText struct {
	body      []byte
	url       string
	at        time.Time
	unchanged bool
	part      bool // the body is longer than what was read
	validators
}

func (s *Source) loadText(ctx context.Context, rawURL string, known validators) (loadedText, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, s.cfg.PlaylistTimeout, errTooSlow)
	defer cancel()
	body, out, err := s.openText(ctx, rawURL, known)
	if err != nil || out.unchanged {
		return out, err
	}
	defer func() { _ = body.Close() }() // read to the end or given up
	out.body, err = io.ReadAll(io.LimitReader(body, s.cfg.MaxPlaylistBytes+1))
	s.metrics.bytes.WithLabelValues("playlist").Add(float64(len(out.body)))
	if err != nil {
		return out, s.textError(ctx, out.url, err)
	}
	if int64(len(out.body)) > s.cfg.MaxPlaylistBytes {
		return out, fail(ReasonTooLarge, out.url, fmt.Errorf("more than %d bytes", s.cfg.MaxPlaylistBytes))
	}
	return out, nil
}

// openText asks for a playlist. Without an error and with news, the caller reads
// and closes the body; the text returned has all but the body.
func (s *Source) openText(ctx context.Context, rawURL string, known validators) (io.ReadCloser, loadedText, error) {
	response, at, err := s.get(ctx, rawURL, known.set)
	s.countCookies()
	if err != nil {
		return nil, loadedText{}, s.held(err, "playlist")
	}
	out := loadedText{url: at, at: time.Now()}
	encoding := response.Header.Get("Content-Encoding")
	switch {
	case response.StatusCode == http.StatusNotModified && known.conditional():
		out.unchanged = true
	case response.StatusCode != http.StatusOK:
		err = s.statusError(at, response)
	case encoding != "" && encoding != "identity":
		// gzip has been taken off by the transport already.
		err = fail(ReasonEncoded, at, fmt.Errorf("content encoding %q", clip(encoding)))
	default:
		out.validators = validatorsOf(response.Header, s.metrics.tags)
		return response.Body, out, nil
	}
	_ = response.Body.Close() // nothing in it is of use
	return nil, out, err
}

// textError is why a playlist's body could not be read to its end.
func (s *Source) textError(ctx context.Context, at string, err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) && ctx.Err() == nil {
		return fail(ReasonTruncated, at, err)
	}
	return s.transportError(ctx, at, err)
}
