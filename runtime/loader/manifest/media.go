package manifest

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
)

// Bounds of a playlist's numbers. Sequence numbers and byte positions stay
// exact in a browser's float64.
const (
	maxInteger  = 1<<53 - 1
	maxDuration = 24 * time.Hour
)

// entry is one segment as the scan saw it.
type entry struct {
	url           string
	seconds       float64
	end           int64 // where it ends in the playlist's text, if that is kept
	byteRange     *ByteRange
	gap           bool
	discontinuity bool
	encrypted     bool
	init          *Resource
}

// mediaScan holds what hls.js takes from a media playlist and the decoder
// behind it does not know or reads otherwise.
type mediaScan struct {
	base    string
	vars    variables
	imports map[string]string

	targetDuration int64
	partTarget     time.Duration
	sequence       int64
	sequenceSeen   bool
	skipped        int64
	parts          bool
	canSkip        bool
	canBlock       bool
	miscounted     bool
	iframesOnly    bool
	ended          bool
	newest         newest

	next      entry // the segment whose tags are being read
	encrypted bool
	init      *Resource
	inits     int // bytes of the URLs of initialization sections
}

func newMediaScan(responseURL string, r Rendition) *mediaScan {
	s := &mediaScan{base: responseURL, imports: r.variables, vars: newVariables(nil, true)}
	if s.imports == nil {
		s.imports = map[string]string{}
	}
	return s
}

func (s *mediaScan) line(line string) error {
	line = strings.TrimLeft(line, " \t\v\f\u00a0\ufeff")
	switch {
	case line == "":
		return nil
	case line[0] != '#':
		return s.uri(line)
	case !strings.HasPrefix(line, "#EXT"):
		return nil
	}
	tag, value, _ := strings.Cut(line, ":")
	switch tag = strings.TrimRight(tag, " \t"); tag {
	case "#EXTINF":
		return s.extinf(value)
	case "#EXT-X-BYTERANGE":
		var err error
		s.next.byteRange, err = parseByteRange(value, s.previousEnd())
		return err
	case "#EXT-X-TARGETDURATION":
		n, err := leadingInteger(value)
		s.targetDuration = max(n, 1)
		if err == nil && time.Duration(n) > maxDuration/time.Second {
			return boundError("a target duration beyond 24 hours")
		}
		return err
	case "#EXT-X-MEDIA-SEQUENCE":
		return s.mediaSequence(value)
	case "#EXT-X-SKIP", "#EXT-X-MAP", "#EXT-X-KEY", "#EXT-X-PART-INF", "#EXT-X-DEFINE", tagServerControl:
		a, err := parseAttributes(value, &s.vars)
		if err != nil {
			return err
		}
		return s.attributes(tag, a)
	case "#EXT-X-PART", "#EXT-X-PRELOAD-HINT":
		s.parts = true
	case "#EXT-X-ENDLIST":
		s.ended = true
	case "#EXT-X-GAP":
		s.next.gap = true
	case "#EXT-X-DISCONTINUITY":
		s.next.discontinuity = true
	case "#EXT-X-I-FRAMES-ONLY":
		s.iframesOnly = true
	}
	return nil
}

func (s *mediaScan) attributes(tag string, a identity.Attributes) error {
	switch tag {
	case "#EXT-X-KEY":
		s.encrypted = a["METHOD"] != "NONE" && a["METHOD"] != ""
	case "#EXT-X-DEFINE":
		return s.vars.define(a, s.base, s.imports)
	case "#EXT-X-PART-INF":
		s.parts = true
		if target, err := strconv.ParseFloat(a["PART-TARGET"], 64); err == nil && target > 0 && target <= maxDuration.Seconds() {
			s.partTarget = time.Duration(target * float64(time.Second))
		}
	case "#EXT-X-MAP":
		if a["URI"] == "" {
			return errors.New("EXT-X-MAP without URI")
		}
		init := &Resource{URL: identity.ResolveURL(s.base, a["URI"])}
		if s.inits += len(init.URL); s.inits > maxNamed {
			return boundError(fmt.Sprintf("URLs of initialization sections of more than %d bytes together", maxNamed))
		}
		if text, ok := a["BYTERANGE"]; ok {
			var err error
			if init.Range, err = parseByteRange(text, 0); err != nil {
				return err
			}
		}
		s.init = init
	case tagServerControl:
		s.canBlock = a["CAN-BLOCK-RELOAD"] == "YES"
		until, err := strconv.ParseFloat(a["CAN-SKIP-UNTIL"], 64)
		s.canSkip = err == nil && until > 0
	case "#EXT-X-SKIP":
		n, err := leadingInteger(a["SKIPPED-SEGMENTS"])
		var bound boundError
		if errors.As(err, &bound) {
			return err
		} else if err != nil {
			return nil //nolint:nilerr // hls.js passes over a number that is none
		}
		if s.skipped += n; s.skipped > maxEntries {
			return boundError(fmt.Sprintf("more than %d segments skipped", maxEntries))
		}
	}
	return nil
}

func (s *mediaScan) mediaSequence(value string) error {
	n, err := leadingInteger(value)
	if err != nil {
		return err
	}
	if s.newest.seen > 0 || (s.sequenceSeen && n != s.sequence && s.sequence != 0) {
		// hls.js refuses such a playlist too; numbers would be a guess. It takes a zero for no number.
		return errors.New("EXT-X-MEDIA-SEQUENCE behind a segment or twice")
	}
	s.sequence, s.sequenceSeen = n, true
	return nil
}

// extinf accepts what hls.js reads as a duration: plain decimal digits, no
// exponent, then a comma or nothing. A duration below zero is none to hls.js: the
// segment takes no time there, and so it does here, but the text behind the colon
// becomes a URI of its own, which moves the numbers of all segments behind it. So
// does text between the number and the comma.
func (s *mediaScan) extinf(value string) error {
	number, negative := strings.CutPrefix(strings.TrimLeft(value, " \t"), "-")
	end, digits := 0, 0
	for end < len(number) && (number[end] >= '0' && number[end] <= '9' || number[end] == '.') {
		if number[end] != '.' {
			digits++
		}
		end++
	}
	number, behind := number[:end], number[end:]
	rest := strings.TrimSpace(behind)
	// IPTV playlists have attributes there: #EXTINF:2.0 group="a",title.
	attributes := digits > 0 && rest != "" && (behind[0] == ' ' || behind[0] == '\t')
	if strings.Count(number, ".") > 1 || ((number != "" || negative) && digits == 0) || (rest != "" && rest[0] != ',' && !attributes) {
		return fmt.Errorf("EXTINF %q is not a duration", clip(value))
	}
	s.miscounted = s.miscounted || negative || attributes
	s.next.seconds = 0
	if number == "" {
		return nil
	}
	seconds, err := strconv.ParseFloat(number, 64)
	switch {
	case err != nil || seconds > maxDuration.Seconds():
		return boundError("a segment longer than 24 hours")
	case !negative:
		s.next.seconds = seconds
	}
	return nil
}

func (s *mediaScan) uri(line string) error {
	uri, err := s.vars.substitute(line)
	if err != nil {
		return err
	}
	e := s.next
	e.url, e.encrypted, e.init = identity.ResolveURL(s.base, uri), s.encrypted, s.init
	s.newest.add(e)
	s.next = entry{}
	return nil
}

// previousEnd is where a range without offset begins: behind the previous
// segment's range, else at 0, whatever resource that was (as in hls.js).
func (s *mediaScan) previousEnd() int64 {
	if last := s.newest.last(); last != nil && last.byteRange != nil {
		return last.byteRange.Offset + last.byteRange.Length
	}
	return 0
}

// parseByteRange reads <length>[@<offset>]; without an offset the range begins
// at from.
func parseByteRange(text string, from int64) (*ByteRange, error) {
	lengthText, offsetText, hasOffset := strings.Cut(text, "@")
	length, err := leadingInteger(lengthText)
	if err != nil {
		return nil, err
	}
	if hasOffset {
		if from, err = leadingInteger(offsetText); err != nil {
			return nil, err
		}
	}
	if length == 0 {
		return nil, errors.New("an empty byte range")
	}
	if from > maxInteger-length {
		return nil, boundError("a byte range beyond what a browser can count")
	}
	return &ByteRange{Offset: from, Length: length}, nil
}

// leadingInteger reads the digits that text begins with, at most 2^53 − 1.
func leadingInteger(text string) (int64, error) {
	text = strings.TrimLeft(text, " \t")
	end := 0
	for end < len(text) && text[end] >= '0' && text[end] <= '9' {
		end++
	}
	if end == 0 {
		return 0, fmt.Errorf("%q is not a whole number", clip(text))
	}
	n, err := strconv.ParseInt(text[:end], 10, 64)
	if err != nil || n > maxInteger {
		return 0, boundError(fmt.Sprintf("number %s is larger than a browser can count", clip(text)))
	}
	return n, nil
}

func clip(text string) string {
	const longest = 40
	if len(text) > longest {
		return text[:longest] + "…"
	}
	return text
}

// playlist makes a state of the playlist from what was read.
func (s *mediaScan) playlist(r Rendition) *Playlist {
	entries, omitted := s.newest.entries(), s.newest.omitted
	p := &Playlist{
		Live: !s.ended, Ended: s.ended, TargetDuration: time.Duration(s.targetDuration) * time.Second,
		PartTarget: s.partTarget, MediaSequence: s.sequence, LowLatencyParts: s.parts, IFramesOnly: s.iframesOnly,
		CanSkip: s.canSkip, CanBlock: s.canBlock, Miscounted: s.miscounted,
		Entries: int(s.newest.seen + s.skipped), Omitted: omitted, Segments: make([]Segment, 0, len(entries)),
	}
	names := newNamer(r)
	seen := make(map[string]int, len(entries)) // → place in p.Segments
	seconds := float64(s.skipped)*float64(s.targetDuration) + s.newest.omittedSeconds
	for i, e := range entries {
		position := s.skipped + omitted + int64(i)
		segment := Segment{
			Sequence: s.sequence + position, URL: e.url, Range: e.byteRange,
			Start: toDuration(seconds), Duration: toDuration(e.seconds), Gap: e.gap, Init: e.init,
			Encrypted: e.encrypted, Discontinuity: e.discontinuity, position: position,
		}
		seconds += e.seconds
		key := segment.runtimeID()
		if first, again := seen[key]; again {
			p.Segments[first].repeated = position - p.Segments[first].position
			continue
		}
		seen[key] = len(p.Segments)
		segment.name = names.name(e.url, e.byteRange, segment.Sequence)
		p.Segments = append(p.Segments, segment)
	}
	p.Window = toDuration(seconds)
	return p
}

// toDuration rounds to microseconds, so that float64 sums such as
// 0.1 + 0.2 do not leave stray nanoseconds.
func toDuration(seconds float64) time.Duration {
	return time.Duration(math.Round(seconds*1e6)) * time.Microsecond
}
