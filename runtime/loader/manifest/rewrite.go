package manifest

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
)

// ReferenceKind says what a place in a playlist names.
type ReferenceKind int

// The kinds of references.
const (
	// RefPlaylist is a media playlist: a variant, EXT-X-MEDIA, or a playlist of I-frames or images.
	RefPlaylist ReferenceKind = iota
	// RefSegment is a media segment.
	RefSegment
	// RefFile is what a playlist of I-frames takes ranges of: players ask for other ranges of it, too.
	RefFile
	// RefInit is an initialization section.
	RefInit
	// RefKey is a key. Peers never share keys.
	RefKey
	// RefData is what EXT-X-SESSION-DATA points at.
	RefData
)

// Reference is one place in a playlist that names a resource.
type Reference struct {
	// Kind says what it names.
	Kind ReferenceKind
	// Resource is what it names, absolute, resolved as hls.js does.
	Resource Resource
	// Sequence is the media sequence number of a RefSegment or RefFile.
	Sequence int64

	name string // its key, if that is not the resource's
}

// Key names the bytes: for a RefSegment it is Segment.Key.
func (r Reference) Key() string {
	if r.name != "" {
		return r.name
	}
	return r.Resource.Key()
}

// RewriteMultivariant returns the multivariant playlist text, which came from
// responseURL, with every URI replaced by what name returns for it; name is
// called in the order of the playlist. Everything without a URI is kept byte
// for byte, except for what would lead players past the server of the result:
// EXT-X-CONTENT-STEERING is removed, and an EXT-X-DEFINE that takes its value
// from the playlist's URL gets that value. Errors are *Error.
func RewriteMultivariant(text []byte, responseURL string, name func(Reference) string) ([]byte, error) {
	if err := rewritable(text, responseURL); err != nil {
		return nil, err
	}
	_, values, err := scanMultivariant(decodeText(text), responseURL)
	if err != nil {
		return nil, invalid(responseURL, err)
	}
	w := &rewriter{base: responseURL, vars: newVariables(values, bytes.Contains(text, []byte("{$"))), name: name}
	out, err := w.lines(text, func(line string) (string, bool, error) {
		if trimmed := trimIndent(line); trimmed == "" {
			return line, true, nil
		} else if trimmed[0] != '#' {
			uri, err := w.vars.substitute(line)
			if err != nil {
				return "", false, err
			}
			return w.reference(RefPlaylist, uri), true, nil
		}
		// hls.js finds a tag anywhere in its line.
		at := firstTag(line)
		if at < 0 {
			return line, true, nil
		}
		tag, value, _ := strings.Cut(line[at:], ":")
		out, keep, err := w.tag(tag, line[at:], value)
		return line[:at] + out, keep, err
	})
	if err != nil {
		return nil, invalid(responseURL, err)
	}
	return out, nil
}

// RewriteMedia does the same with the media playlist of r. Byte ranges become
// resources of their own, since that is what peers exchange: EXT-X-BYTERANGE
// goes, except from playlists of I-frames, whose players also read what stands
// before the first range. What belongs to low latency goes too, as peers
// exchange whole segments and a proxy cannot hold a request back until a part is
// there: parts, hints, reports on other renditions, and all of
// EXT-X-SERVER-CONTROL but HOLD-BACK.
func RewriteMedia(text []byte, responseURL string, r Rendition, name func(Reference) string) ([]byte, error) {
	if err := rewritable(text, responseURL); err != nil {
		return nil, err
	}
	m := &mediaRewriter{rewriter: rewriter{base: responseURL, name: name}, scan: newMediaScan(responseURL, r),
		names: newNamer(r), iframes: bytes.Contains(text, []byte("#EXT-X-I-FRAMES-ONLY"))}
	out, err := m.lines(text, m.line)
	if err != nil {
		return nil, invalid(responseURL, err)
	}
	return out, nil
}

type mediaRewriter struct {
	rewriter
	scan    *mediaScan
	names   namer
	iframes bool
}

// line feeds the scan that reads playlists for the engine, so that both see the
// same URIs and ranges, and says what stands in the place of the line.
func (m *mediaRewriter) line(line string) (string, bool, error) {
	trimmed := trimIndent(line)
	if trimmed == "" {
		return line, true, nil
	}
	known := m.scan.newest.seen
	if err := m.scan.line(line); err != nil {
		return "", false, err
	}
	if m.scan.newest.seen > known {
		return m.entry(m.scan.newest.last(), known), true, nil
	}
	tag, value, _ := strings.Cut(trimmed, ":")
	tag = strings.TrimRight(tag, " \t")
	if tag == "#EXT-X-BYTERANGE" {
		return line, m.iframes, nil
	}
	m.vars = m.scan.vars
	return m.tag(tag, line, value)
}

func (m *mediaRewriter) entry(e *entry, index int64) string {
	r := Reference{Kind: RefSegment, Resource: Resource{URL: e.url, Range: e.byteRange}, Sequence: m.scan.sequence + m.scan.skipped + index}
	if m.iframes {
		r.Kind, r.Resource.Range = RefFile, nil
	} else {
		r.name = m.names.name(e.url, e.byteRange, r.Sequence)
	}
	if isData(e.url) {
		return e.url
	}
	return m.name(r)
}

// rewriter replaces what one playlist names.
type rewriter struct {
	base string
	vars variables
	name func(Reference) string
}

var errNUL = errors.New("a NUL character, at which some players end a line")

// rewritable refuses what players could read otherwise than we do.
func rewritable(text []byte, responseURL string) error {
	switch {
	case !bytes.HasPrefix(bytes.TrimPrefix(text, []byte("\ufeff")), []byte("#EXTM3U")):
		return fail(ReasonNotPlaylist, responseURL, notPlaylist(decodeText(text)))
	case bytes.IndexByte(text, 0) >= 0:
		return fail(ReasonInvalid, responseURL, errNUL)
	}
	return nil
}

// lines calls line for each non-empty line and joins what comes back with the
// line ends that were there.
func (w *rewriter) lines(text []byte, line func(string) (out string, keep bool, err error)) ([]byte, error) {
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	var b bytes.Buffer
	b.Grow(len(text))
	for len(text) > 0 {
		raw, end := text, ""
		if i := bytes.IndexAny(text, "\r\n"); i >= 0 {
			raw, end = text[:i], string(text[i:i+1])
			if bytes.HasPrefix(text[i:], []byte("\r\n")) {
				end = "\r\n"
			}
		}
		text = text[len(raw)+len(end):]
		if len(raw) > maxLineBytes {
			return nil, errLine
		}
		if len(raw) == 0 {
			b.WriteString(end)
			continue
		}
		decoded := decodeText(raw)
		if strings.HasPrefix(string(raw), "\ufeff") { // inside the text it is a character like any other
			decoded = "\ufeff" + decoded
		}
		out, keep, err := line(decoded)
		switch {
		case err != nil:
			return nil, err
		case !keep:
			continue
		case out == decoded:
			b.Write(raw)
		default:
			b.WriteString(out)
		}
		b.WriteString(end)
	}
	return b.Bytes(), nil
}

// trimIndent takes off what players skip before a tag or URI.
func trimIndent(line string) string { return strings.TrimLeft(line, " \t\v\f\u00a0\ufeff") }

// reference names what uri leads to.
func (w *rewriter) reference(kind ReferenceKind, uri string) string {
	return w.name(Reference{Kind: kind, Resource: Resource{URL: identity.ResolveURL(w.base, uri)}})
}

// Tags that name something, and tags that go.
var (
	namingTags = map[string]ReferenceKind{
		"#EXT-X-MEDIA": RefPlaylist, "#EXT-X-I-FRAME-STREAM-INF": RefPlaylist, "#EXT-X-IMAGE-STREAM-INF": RefPlaylist,
		"#EXT-X-SESSION-DATA": RefData, "#EXT-X-SESSION-KEY": RefKey, "#EXT-X-KEY": RefKey, "#EXT-X-MAP": RefInit,
	}
	leadingAround = map[string]bool{"#EXT-X-CONTENT-STEERING": true}
	lowLatency    = map[string]bool{
		"#EXT-X-PART": true, "#EXT-X-PART-INF": true, "#EXT-X-PRELOAD-HINT": true, "#EXT-X-RENDITION-REPORT": true,
	}
)

const (
	tagDefineName    = "#EXT-X-DEFINE"
	tagServerControl = "#EXT-X-SERVER-CONTROL"
)

// firstTag is where the first tag that matters begins in a line, or −1.
func firstTag(line string) int {
	const prefix, longest = "#EXT-X-", 32
	for at := 0; ; at += len(prefix) {
		next := strings.Index(line[at:], prefix)
		if next < 0 {
			return -1
		}
		at += next
		tag, _, _ := strings.Cut(line[at:min(len(line), at+longest)], ":")
		if _, names := namingTags[tag]; names || leadingAround[tag] || lowLatency[tag] || tag == tagDefineName || tag == tagServerControl {
			return at
		}
	}
}

// tag says what stands in the place of a tag; line is all of it, value what
// follows the colon.
func (w *rewriter) tag(tag, line, value string) (out string, keep bool, err error) {
	kind, names := namingTags[tag]
	switch {
	case names:
		return w.naming(tag, value, kind)
	case leadingAround[tag] || lowLatency[tag]:
		return "", false, nil
	case tag == tagServerControl:
		out, err = w.serverControl(value)
		return out, out != "", err
	case tag == tagDefineName:
		out, err = w.define(line, value)
		return out, true, err
	}
	return line, true, nil
}

// naming writes a tag anew with its URIs replaced. Attributes that are no
// attributes by RFC 8216 §4.2 are left out: players disagree on where they end.
func (w *rewriter) naming(tag, value string, kind ReferenceKind) (string, bool, error) {
	all, err := parseAttributes(value, &w.vars)
	if err != nil {
		return "", false, err
	}
	resource := Resource{URL: identity.ResolveURL(w.base, all["URI"])}
	if text, ok := all["BYTERANGE"]; ok && kind == RefInit {
		if resource.Range, err = parseByteRange(text, 0); err != nil {
			return "", false, err
		}
	}
	var b strings.Builder
	b.WriteString(tag)
	separator := byte(':')
	scanAttributes(value, func(name, value string, _ bool) bool {
		if strings.EqualFold(name, "URI") {
			value = `"` + w.attributeURI(kind, resource, all["URI"]) + `"`
		}
		if !wellFormed(name, value) || (kind == RefInit && name == "BYTERANGE") {
			return true
		}
		b.WriteByte(separator)
		b.WriteString(name + "=" + value)
		separator = ','
		return true
	})
	return b.String(), true, nil
}

// attributeURI is the new text of an attribute URI.
func (w *rewriter) attributeURI(kind ReferenceKind, resource Resource, uri string) string {
	if kind != RefPlaylist && isData(uri) && !strings.ContainsRune(uri, '"') {
		return uri
	}
	if kind == RefKey && !fetched(resource.URL) && !strings.ContainsRune(uri, '"') {
		return uri // a name that means something to the player's key system, such as skd:
	}
	return w.name(Reference{Kind: kind, Resource: resource})
}

// serverControl keeps HOLD-BACK, which is about whole segments.
func (w *rewriter) serverControl(value string) (string, error) {
	all, err := parseAttributes(value, &w.vars)
	if err != nil {
		return "", err
	}
	hold := all["HOLD-BACK"]
	if strings.Trim(hold, "0123456789.") != "" || hold == "" {
		return "", nil
	}
	return tagServerControl + ":HOLD-BACK=" + hold, nil
}

// define gives a variable its value: players have another URL of the playlist
// than its origin, and perhaps no multivariant playlist.
func (w *rewriter) define(line, value string) (string, error) {
	all, err := parseAttributes(value, &w.vars)
	if err != nil {
		return "", err
	}
	name, imported := all["IMPORT"]
	if !imported {
		if name, imported = all["QUERYPARAM"]; !imported {
			return line, nil
		}
	}
	text, known := w.vars.values[name]
	if !known {
		return line, nil
	}
	if strings.ContainsAny(text, "\"\r\n\x00") || strings.ContainsAny(name, "\"\r\n\x00") {
		return "", fmt.Errorf("variable %q has a value that cannot be written as an attribute", clip(name))
	}
	return tagDefineName + `:NAME="` + name + `",VALUE="` + text + `"`, nil
}

// wellFormed tells whether name and value, quotes included, are an attribute to
// every parser.
func wellFormed(name, value string) bool {
	for i := range len(name) {
		c := name[i]
		if (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	inner := value
	if strings.HasPrefix(value, `"`) {
		if len(value) < 2 || value[len(value)-1] != '"' {
			return false
		}
		inner = value[1 : len(value)-1]
	}
	return name != "" && !strings.ContainsRune(inner, '"')
}

// isData tells whether a URI carries its content in itself.
func isData(uri string) bool { return len(uri) >= 5 && strings.EqualFold(uri[:5], "data:") }

// fetched tells whether players would go and get an absolute URI by themselves.
func fetched(uri string) bool {
	scheme, _, ok := strings.Cut(uri, ":")
	if !ok || strings.ContainsAny(scheme, "/?#") {
		return true
	}
	switch strings.ToLower(scheme) {
	case "http", "https", "ftp", "file":
		return true
	}
	return false
}
