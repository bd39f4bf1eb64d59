package manifest

import (
	"bytes"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// keptText is the newest part of a playlist's text: that of the entries that are
// kept. What comes earlier and still applies to them is put in front.
type keptText struct {
	most int64 // bytes of entries that are kept

	buf  []byte
	read int64 // bytes of text so far; buf has the last of them

	dropped         bool
	head            []byte            // tags of the playlist as a whole
	keys            map[string][]byte // EXT-X-KEY by its KEYFORMAT
	init            []byte            // EXT-X-MAP
	discontinuities int64
}

const (
	maxHeadBytes  = 256 << 10
	maxKeyFormats = 16
)

// headTags are those of a playlist as a whole. EXT-X-PLAYLIST-TYPE is none of
// them: it promises that all entries are there.
var headTags = map[string]bool{
	"#EXT-X-VERSION": true, "#EXT-X-TARGETDURATION": true, "#EXT-X-INDEPENDENT-SEGMENTS": true,
	"#EXT-X-START": true, "#EXT-X-I-FRAMES-ONLY": true, "#EXT-X-PART-INF": true, "#EXT-X-ALLOW-CACHE": true,
	tagServerControl: true, tagDefineName: true,
}

// whole takes the next bytes.
func (k *keptText) whole(parts ...[]byte) {
	for _, b := range parts {
		k.buf = append(k.buf, b...)
		k.read += int64(len(b))
	}
}

func (k *keptText) size() int64 { return int64(len(k.buf)) }

// forget drops all before end, which is the end of an entry.
func (k *keptText) forget(end int64) {
	block := k.buf[:int64(len(k.buf))-(k.read-end)]
	k.buf, k.dropped = k.buf[len(block):], true
	for line := range eachRawLine(block) {
		k.carry(strings.TrimRight(trimIndent(decodeText(line)), "\r\n"))
	}
}

// carry keeps what a line of the part that is dropped says about the rest.
func (k *keptText) carry(line string) {
	if !strings.HasPrefix(line, "#EXT") {
		return
	}
	tag, value, _ := strings.Cut(line, ":")
	switch tag = strings.TrimRight(tag, " \t"); {
	case tag == "#EXT-X-KEY":
		k.key(line, value)
	case tag == "#EXT-X-MAP":
		k.init = append(k.init[:0], line...)
	case tag == "#EXT-X-DISCONTINUITY":
		k.discontinuities++
	case tag == "#EXT-X-DISCONTINUITY-SEQUENCE":
		if n, err := leadingInteger(value); err == nil {
			k.discontinuities = n
		}
	case headTags[tag] && len(k.head)+len(line) < maxHeadBytes:
		k.head = append(append(k.head, line...), '\n')
	}
}

// key keeps an EXT-X-KEY: it applies until the next one of the same format.
func (k *keptText) key(line, value string) {
	format := ""
	scanAttributes(value, func(name, value string, _ bool) bool {
		switch {
		case name == "METHOD" && value == "NONE":
			clear(k.keys)
			line = ""
			return false
		case name == "KEYFORMAT":
			format = value
		}
		return true
	})
	if k.keys == nil {
		k.keys = make(map[string][]byte)
	}
	if _, known := k.keys[format]; line != "" && (known || len(k.keys) < maxKeyFormats) {
		k.keys[format] = []byte(line)
	}
}

// result is the text of a playlist that has only the entries kept: that of the
// origin if these are all.
func (k *keptText) result(s *mediaScan) []byte {
	if !k.dropped {
		return k.buf
	}
	out := make([]byte, 0, len(k.head)+len(k.buf)+1024)
	out = append(append(out, "#EXTM3U\n"...), k.head...)
	out = strconv.AppendInt(append(out, "#EXT-X-MEDIA-SEQUENCE:"...), s.sequence+s.skipped+s.newest.omitted, 10)
	out = strconv.AppendInt(append(out, "\n#EXT-X-DISCONTINUITY-SEQUENCE:"...), k.discontinuities, 10)
	out = append(out, '\n')
	for _, format := range slices.Sorted(maps.Keys(k.keys)) { // the same text each time
		out = append(append(out, k.keys[format]...), '\n')
	}
	if len(k.init) > 0 {
		out = append(append(out, k.init...), '\n')
	}
	first := s.newest.entries()[0]
	block := k.buf[:int64(len(k.buf))-(k.read-first.end)]
	if first.byteRange == nil {
		return append(out, k.buf...)
	}
	// A range may begin where that of the entry before ended, which is not there any more.
	for line := range eachRawLine(block) {
		if tag, _, _ := strings.Cut(trimIndent(string(line)), ":"); strings.TrimRight(tag, " \t\r\n") == "#EXT-X-BYTERANGE" {
			out = strconv.AppendInt(append(out, "#EXT-X-BYTERANGE:"...), first.byteRange.Length, 10)
			out = strconv.AppendInt(append(out, '@'), first.byteRange.Offset, 10)
			line = []byte("\n")
		}
		out = append(out, line...)
	}
	return append(out, k.buf[len(block):]...)
}

// eachRawLine gives the lines of a text with what ends them.
func eachRawLine(text []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for len(text) > 0 {
			n := len(text)
			if i := bytes.IndexAny(text, "\r\n"); i >= 0 {
				n = i + 1
			}
			if !yield(text[:n]) {
				return
			}
			text = text[n:]
		}
	}
}
