package manifest

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
)

var errNoVariants = errors.New("the playlist has no variant")

// ParseMultivariant reads an HLS multivariant playlist that came from
// responseURL. A media playlist given in its place becomes a presentation of
// one rendition, as hls.js treats it. Errors are *Error.
func ParseMultivariant(body []byte, responseURL string) (*Presentation, error) {
	text := decodeText(body)
	if !strings.HasPrefix(text, "#EXTM3U") {
		return nil, fail(ReasonNotPlaylist, responseURL, notPlaylist(text))
	}
	p := &Presentation{URL: responseURL, DefaultSwarmID: identity.DefaultSwarmID(responseURL), Format: FormatHLS}
	if isMediaPlaylist(text) {
		p.Renditions = []Rendition{{Name: "main", Stream: identity.MediaPlaylistStream(responseURL)}}
		return p, nil
	}
	m, names, err := scanMultivariant(text, responseURL)
	if err != nil {
		return nil, invalid(responseURL, err)
	}
	p.UnknownCodecs = identity.HasUnknownCodecs(m)
	p.Renditions, p.further = renditions(m, names)
	p.variables = names
	if len(p.Renditions) == 0 {
		return nil, fail(ReasonInvalid, responseURL, errNoVariants)
	}
	return p, nil
}

// invalid tells what is too big from what is wrong.
func invalid(rawURL string, err error) *Error {
	var bound boundError
	if errors.As(err, &bound) || errors.Is(err, errLine) || errors.Is(err, errVariableSize) || errors.Is(err, errAttributes) {
		return fail(ReasonTooLarge, rawURL, err)
	}
	return fail(ReasonInvalid, rawURL, err)
}

// boundError is a count or number beyond its bound.
type boundError string

func (e boundError) Error() string { return string(e) }

// notPlaylist helps people who point at something else.
func notPlaylist(text string) error {
	head := strings.TrimSpace(text[:min(len(text), 1024)])
	switch {
	case head == "":
		return errors.New("the body is empty")
	case strings.Contains(head, "<MPD"):
		return fmt.Errorf("%w (a DASH manifest?)", errNoMagic)
	case strings.HasPrefix(head, "<"):
		return fmt.Errorf("%w (a web page?)", errNoMagic)
	}
	return errNoMagic
}

// Tags of a multivariant playlist that are looked at, besides EXT-X-MEDIA.
const (
	tagStreamInf = "#EXT-X-STREAM-INF:"
	tagIFrames   = "#EXT-X-I-FRAME-STREAM-INF:"
	tagDefine    = "#EXT-X-DEFINE:"
	tagMedia     = "#EXT-X-MEDIA:"
)

// scanMultivariant reads variants and audio tracks with hls.js's order of
// events: between a variant's tag and its URI every other tag is skipped, and
// audio tracks are read last, when all variables are known.
func scanMultivariant(text, responseURL string) (identity.Multivariant, map[string]string, error) {
	m := identity.Multivariant{URL: responseURL}
	vars := newVariables(nil, strings.Contains(text, "{$"))
	v := &vars
	var media []string
	pending, waiting := "", false
	err := eachLine(text, func(line string) error {
		if at := strings.Index(line, tagMedia); at >= 0 {
			if len(media) == maxTracks {
				return boundError(fmt.Sprintf("more than %d media tags", maxTracks))
			}
			media = append(media, line[at+len(tagMedia):])
		}
		if waiting {
			if line[0] == '#' {
				return nil
			}
			waiting = false
			return addVariant(&m, v, pending, line, false)
		}
		// A value may quote a tag's name, so the first tag in the line counts.
		if at := strings.Index(line, tagStreamInf); at >= 0 {
			pending, waiting = line[at+len(tagStreamInf):], len(line) > at+len(tagStreamInf)
		} else if at := strings.Index(line, tagIFrames); at >= 0 {
			return addVariant(&m, v, line[at+len(tagIFrames):], "", true)
		} else if at := strings.Index(line, tagDefine); at >= 0 {
			a, err := parseAttributes(line[at+len(tagDefine):], v)
			if err != nil {
				return err
			}
			return v.define(a, responseURL, nil)
		}
		return nil
	})
	if err != nil {
		return m, nil, err
	}
	for _, text := range media {
		a, err := parseAttributes(text, v)
		if err != nil {
			return m, nil, err
		}
		track := identity.MediaTrack{Attributes: a}
		if a["URI"] != "" {
			track.URI = identity.ResolveURL(responseURL, a["URI"])
		}
		switch a["TYPE"] {
		case "AUDIO":
			m.Audio = append(m.Audio, track)
		case "VIDEO":
			m.Video = append(m.Video, track)
		}
	}
	return m, v.values, nil
}

func addVariant(m *identity.Multivariant, v *variables, tag, uri string, iframes bool) error {
	if len(m.Variants) == maxVariants {
		return boundError(fmt.Sprintf("more than %d variants", maxVariants))
	}
	a, err := parseAttributes(tag, v)
	if err != nil {
		return err
	}
	if iframes {
		if _, ok := a["URI"]; !ok {
			return nil
		}
		uri = a["URI"]
	}
	if uri, err = v.substitute(uri); err != nil {
		return err
	}
	m.Variants = append(m.Variants, identity.Variant{
		URI: identity.ResolveURL(m.URL, uri), IFrames: iframes, Attributes: a,
	})
	return nil
}

// renditions are the streams that can be fetched, with names for people: those that hls.js lists, and the others.
func renditions(m identity.Multivariant, vars map[string]string) (listed, further []Rendition) {
	attributes := make(map[string]identity.Attributes, len(m.Variants)+len(m.Audio)+len(m.Video))
	keep := func(uri string, a identity.Attributes) {
		if _, again := attributes[uri]; !again {
			attributes[uri] = a
		}
	}
	for _, v := range m.Variants {
		keep(v.URI, v.Attributes)
	}
	for _, t := range slices.Concat(m.Audio, m.Video) {
		keep(t.URI, t.Attributes)
	}
	names := make(map[string]bool)
	described := func(s identity.Stream) Rendition {
		a := attributes[s.URI]
		r := Rendition{Codecs: a["CODECS"], Resolution: a["RESOLUTION"], Stream: s, variables: vars}
		r.Bandwidth = bandwidth(a["BANDWIDTH"])
		if r.Bandwidth == 0 {
			r.Bandwidth = bandwidth(a["AVERAGE-BANDWIDTH"])
		}
		r.Name = uniqueName(names, renditionName(r, a))
		return r
	}
	swarms := make(map[string]bool)
	streams := identity.HLSStreams(m)
	for _, s := range streams {
		if s.URI == "" {
			continue
		}
		r, swarm := described(s), string(s.Type)+" "+s.ShortID
		r.Backup = swarms[swarm]
		swarms[swarm] = true
		listed = append(listed, r)
	}
	for _, s := range identity.WrittenOnly(m, streams) {
		further = append(further, described(s))
	}
	return listed, further
}

func bandwidth(text string) int64 {
	n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	if err != nil || n < 0 {
		return 0
	}
	return n
}

// renditionName is short, stable while the manifest's attributes are, and fit
// for a metric label: "720p", "1080p60", "128k", "audio-en", "video-left".
func renditionName(r Rendition, a identity.Attributes) string {
	switch {
	case r.Type == identity.Secondary:
		return trackName("audio", a["LANGUAGE"], a["NAME"], a["GROUP-ID"])
	case a["TYPE"] == "VIDEO":
		return trackName("video", a["NAME"], a["GROUP-ID"])
	}
	if _, height, ok := strings.Cut(r.Resolution, "x"); ok {
		if h, err := strconv.ParseUint(height, 10, 16); err == nil && h > 0 {
			name := strconv.FormatUint(h, 10) + "p"
			if rate, err := strconv.ParseFloat(a["FRAME-RATE"], 64); err == nil && rate > 30 && rate < 1000 {
				name += strconv.Itoa(int(math.Round(rate)))
			}
			return name
		}
	}
	if r.Bandwidth > 0 {
		return strconv.FormatInt(r.Bandwidth/1000, 10) + "k"
	}
	return "main"
}

// trackName is the kind of an EXT-X-MEDIA entry and the first of the texts that has letters or digits.
func trackName(kind string, texts ...string) string {
	for _, text := range texts {
		if name := slug(text); name != "" {
			return kind + "-" + name
		}
	}
	return kind
}

func slug(text string) string {
	const longest = 32
	var b strings.Builder
	for _, c := range strings.ToLower(text) {
		switch {
		case c >= 'a' && c <= 'z' || c >= '0' && c <= '9':
			b.WriteRune(c)
		case b.Len() > 0 && b.String()[b.Len()-1] != '-':
			b.WriteByte('-')
		}
		if b.Len() == longest {
			break
		}
	}
	return strings.Trim(b.String(), "-")
}

// uniqueName numbers names that come again: "720p", "720p-2".
func uniqueName(taken map[string]bool, name string) string {
	candidate := name
	for n := 2; taken[candidate]; n++ {
		candidate = name + "-" + strconv.Itoa(n)
	}
	taken[candidate] = true
	return candidate
}
