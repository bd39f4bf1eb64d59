package manifest

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
)

// mediaReader reads a media playlist in pieces, as they arrive, and keeps its
// newest part.
type mediaReader struct {
	url       string
	rendition Rendition
	scan      *mediaScan
	text      *keptText // nil: not kept

	head    []byte // until there is enough to tell what it is
	begun   bool
	partial []byte // of a line that goes on in the next piece
	media   bool   // a tag that only media playlists have was there
	variant bool   // a tag of multivariant playlists was
}

// headBytes is how much of a body is looked at to tell what it is.
const headBytes = 1024

// newMediaReader returns a reader for the playlist of r that comes from
// responseURL; textBytes is how much of its text is kept, 0 for none.
func newMediaReader(responseURL string, r Rendition, textBytes int64) *mediaReader {
	m := &mediaReader{url: responseURL, rendition: r, scan: newMediaScan(responseURL, r)}
	if textBytes > 0 {
		m.text = &keptText{most: textBytes}
		m.scan.newest.text = m.text
	}
	return m
}

// write reads the next piece. Errors are *Error.
func (m *mediaReader) write(piece []byte) error {
	if m.begun {
		return m.lines(piece)
	}
	m.head = append(m.head, piece...)
	if len(m.head) < headBytes {
		return nil
	}
	return m.begin()
}

func (m *mediaReader) begin() error {
	head := m.head
	m.begun, m.head = true, nil
	if text := decodeText(head); !strings.HasPrefix(text, "#EXTM3U") {
		return fail(ReasonNotPlaylist, m.url, notPlaylist(text))
	}
	if m.text != nil {
		m.text.whole(head[:len(head)-len(bytes.TrimPrefix(head, []byte("\ufeff")))])
	}
	return m.lines(bytes.TrimPrefix(head, []byte("\ufeff")))
}

// lines takes the lines of a piece; what follows the last line end waits.
func (m *mediaReader) lines(piece []byte) error {
	for {
		i := bytes.IndexAny(piece, "\r\n")
		if i < 0 {
			m.partial = append(m.partial, piece...)
			if len(m.partial) > maxLineBytes {
				return invalid(m.url, errLine)
			}
			return nil
		}
		line := piece[:i]
		if len(m.partial) > 0 {
			m.partial = append(m.partial, line...)
			line = m.partial
		}
		if err := m.line(line, piece[i:i+1]); err != nil {
			return err
		}
		m.partial, piece = m.partial[:0], piece[i+1:]
	}
}

// line takes one line with what ended it.
func (m *mediaReader) line(line, end []byte) error {
	if len(line) > maxLineBytes {
		return invalid(m.url, errLine)
	}
	if m.text != nil {
		m.text.whole(line, end)
		if m.text.size() > 2*m.text.most { // what belongs to entries is dropped before
			return fail(ReasonTooLarge, m.url, fmt.Errorf("more than %d bytes of text between two segments", m.text.most))
		}
	}
	if len(line) == 0 {
		return nil
	}
	if line[0] == '#' {
		m.media = m.media || bytes.HasPrefix(line, []byte("#EXTINF:")) || bytes.HasPrefix(line, []byte("#EXT-X-TARGETDURATION:"))
	}
	m.variant = m.variant || bytes.Contains(line, []byte(tagStreamInf))
	if err := m.scan.line(decodeText(line)); err != nil {
		if m.variant && !m.media {
			return m.multivariant()
		}
		return invalid(m.url, err)
	}
	return nil
}

func (m *mediaReader) multivariant() error {
	return fail(ReasonInvalid, m.url, errors.New("a multivariant playlist instead of a media playlist"))
}

// end returns the playlist that was read. Errors are *Error.
func (m *mediaReader) end() (*Playlist, error) {
	if !m.begun {
		if err := m.begin(); err != nil {
			return nil, err
		}
	}
	if len(m.partial) > 0 {
		if err := m.line(m.partial, nil); err != nil {
			return nil, err
		}
	}
	s := m.scan
	switch {
	case m.variant && !m.media:
		return nil, m.multivariant()
	case s.targetDuration == 0:
		return nil, fail(ReasonInvalid, m.url, errors.New("no EXT-X-TARGETDURATION"))
	case s.sequence > maxInteger-2*maxEntries-s.skipped-s.newest.seen:
		return nil, fail(ReasonTooLarge, m.url, fmt.Errorf("media sequence %d is larger than a browser can count", s.sequence))
	}
	if err := checkWithDecoder(s); err != nil {
		return nil, fail(ReasonInvalid, m.url, err)
	}
	p := s.playlist(m.rendition)
	p.ResponseURL, p.Redirected = m.url, m.rendition.URI != "" && m.rendition.URI != m.url
	if m.text != nil {
		p.Text = m.text.result(s)
	}
	NewNumbering().Apply(p)
	return p, nil
}

// ParseMedia reads the media playlist of r that came from responseURL. Segments
// are numbered as for a viewer that sees the rendition for the first time. Of a
// very long playlist the newest part is kept (Playlist.Omitted). Errors are
// *Error.
func ParseMedia(body []byte, responseURL string, r Rendition) (*Playlist, error) {
	m := newMediaReader(responseURL, r, 0)
	if err := m.write(body); err != nil {
		return nil, err
	}
	return m.end()
}
