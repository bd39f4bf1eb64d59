package manifest

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Bounds of a playlist's text. A real live playlist has hundreds of entries, a
// long VOD a few thousand.
const (
	maxLineBytes = 64 << 10
	maxEntries   = 20_000
	maxVariants  = 1_000
	maxTracks    = 1_000
	maxVariables = 1_000

	maxURLBytes  = 8 << 10  // of the URL that a playlist comes from: all that it names may stand below it
	maxNamed     = 16 << 20 // bytes of all URLs that one media playlist names
	maxExpansion = 16 << 20 // bytes of all texts that variables stand in
)

var (
	errLine    = fmt.Errorf("a line is longer than %d bytes", maxLineBytes)
	errNoMagic = errors.New("does not begin with #EXTM3U")
)

// decodeText turns a response body into text as a browser does: a byte order
// mark goes, and each broken UTF-8 sequence becomes one U+FFFD.
// Source: WHATWG Encoding Standard, UTF-8 decode.
func decodeText(body []byte) string {
	text := strings.TrimPrefix(string(body), "\ufeff")
	if utf8.ValidString(text) {
		return text
	}
	var b strings.Builder
	b.Grow(len(text))
	for len(text) > 0 {
		r, size := utf8.DecodeRuneInString(text)
		if r == utf8.RuneError && size == 1 {
			size = brokenPrefix(text)
		}
		b.WriteRune(r)
		text = text[size:]
	}
	return b.String()
}

// brokenPrefix is the length of the maximal subpart at the start of s, which
// does not begin with a whole character: what one U+FFFD stands for.
func brokenPrefix(s string) int {
	need, low, high := 0, byte(0x80), byte(0xBF)
	switch c := s[0]; {
	case c >= 0xC2 && c <= 0xDF:
		need = 1
	case c >= 0xE0 && c <= 0xEF:
		need = 2
		if c == 0xE0 {
			low = 0xA0
		} else if c == 0xED {
			high = 0x9F
		}
	case c >= 0xF0 && c <= 0xF4:
		need = 3
		if c == 0xF0 {
			low = 0x90
		} else if c == 0xF4 {
			high = 0x8F
		}
	}
	n := 1
	for n <= need && n < len(s) && s[n] >= low && s[n] <= high {
		low, high = 0x80, 0xBF
		n++
	}
	return n
}

// eachLine calls fn for every non-empty line, ends at the first error, and
// refuses lines beyond the bound.
func eachLine(text string, fn func(line string) error) error {
	for len(text) > 0 {
		line := text
		if i := strings.IndexAny(text, "\r\n"); i >= 0 {
			line, text = text[:i], text[i+1:]
		} else {
			text = ""
		}
		if len(line) > maxLineBytes {
			return errLine
		}
		if line == "" {
			continue
		}
		if err := fn(line); err != nil {
			return err
		}
	}
	return nil
}

// isMediaPlaylist tells a media playlist from a multivariant one as hls.js
// does: by the first tag that only media playlists have.
func isMediaPlaylist(text string) bool {
	for _, tag := range [...]string{"#EXTINF:", "#EXT-X-TARGETDURATION:"} {
		for from := 0; ; {
			i := strings.Index(text[from:], tag)
			if i < 0 {
				break
			}
			i += from
			if i == 0 || text[i-1] == '\n' || text[i-1] == '\r' {
				return true
			}
			from = i + len(tag)
		}
	}
	return false
}
