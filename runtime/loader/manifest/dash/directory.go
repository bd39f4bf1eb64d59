package dash

import (
	"crypto/sha256"
	"encoding/hex"
	"math/big"
	"strconv"
	"strings"
)

// TargetKind says what a name in a Rewritten MPD stands for.
type TargetKind int

// The kinds of targets.
const (
	// TargetSegment is a media segment.
	TargetSegment TargetKind = iota
	// TargetFile is a file of which players take ranges: segments, and what stands before them.
	TargetFile
	// TargetOther is an initialization segment.
	TargetOther
)

// Target is what a name in a Rewritten MPD stands for.
type Target struct {
	Kind TargetKind
	// Rendition is the name of a Rendition; empty if it is one that is not shared.
	Rendition string
	// Audio is set for media without pictures.
	Audio bool
	// Resource is where the origin has it.
	Resource Resource
}

// Find tells what a file in a directory below the base stands for.
func (w *Rewritten) Find(dir, file string) (Target, bool) {
	f := w.directories[dir]
	if f == nil {
		return Target{}, false
	}
	return f.find(file)
}

// directory has the names of one representation.
type directory struct {
	name, rendition string
	audio           bool
	source          source
	namer           *namer
	urls            []string // of the representation itself
	listed          map[string]Resource
}

// newDirectory names the directory of r by where its segments are, so that the name stays when periods come and go.
func newDirectory(r *representation) (*directory, error) {
	f := &directory{audio: r.set.kind == kindAudio, source: r.source, urls: r.base}
	var err error
	if f.namer, err = newNamer(r); err != nil {
		return nil, err
	}
	parts := []string{r.original, r.base[0], r.source.media.fill(r.values()), string(r.params)}
	for _, n := range []*named{r.source.init, r.source.index} {
		if n != nil {
			parts = append(parts, n.resource().Key())
		}
	}
	f.name = shortHash(strings.Join(parts, "\n"))
	if r.source.addressing != byList {
		return f, nil
	}
	f.listed = make(map[string]Resource, len(r.source.list))
	for _, l := range r.source.list {
		urls, err := r.resolve(l.media, true)
		if err != nil {
			return nil, err
		}
		one := named{urls: urls, whole: l.whole, part: l.part}
		f.listed[l.name()] = one.resource()
	}
	return f, nil
}

// base is where the representation's own URLs count from, below the base of all.
func (f *directory) base() string {
	if f.source.addressing == byIndex || f.source.addressing == byNothing {
		return f.name + "/" + fileName + extension(f.urls[0])
	}
	return f.name + "/"
}

func (f *directory) find(file string) (Target, bool) {
	t := Target{Kind: TargetOther, Rendition: f.rendition, Audio: f.audio}
	name := strings.TrimSuffix(file, extension(file))
	switch {
	case name == initName && f.source.init != nil:
		t.Resource = f.source.init.resource()
		return t, true
	case name == indexName && f.source.index != nil:
		// The segments are in the file that the index is in.
		t.Kind, t.Resource = TargetFile, Resource{URL: f.source.index.urls[0], Alternatives: f.source.index.urls[1:]}
		return t, true
	case name == fileName && (f.source.addressing == byIndex || f.source.addressing == byNothing):
		t.Kind, t.Resource = TargetFile, Resource{URL: f.urls[0], Alternatives: f.urls[1:]}
		return t, true
	}
	t.Kind = TargetSegment
	var ok bool
	switch f.source.addressing {
	case byList:
		t.Resource, ok = f.listed[name]
	case byNumber, byTimeline:
		t.Resource.URL, ok = f.segment(name)
	case byIndex, byNothing:
	}
	return t, ok
}

// segment is the URL of a segment by the name that its template makes.
func (f *directory) segment(name string) (string, bool) {
	rest, ok := strings.CutPrefix(name, segmentName)
	if !ok {
		return "", false
	}
	var w raw
	for _, id := range []string{"Number", "Time"} {
		if !f.source.media.has(id) {
			continue
		}
		var digits string
		if rest, ok = strings.CutPrefix(rest, "-"); !ok {
			return "", false
		}
		digits, rest, _ = strings.Cut(rest, "-")
		if rest != "" {
			rest = "-" + rest
		}
		exact, ok := readDigits(digits)
		if !ok {
			return "", false
		}
		value, _ := new(big.Float).SetInt(exact).Float64()
		if id == "Number" {
			w.number = value
		} else {
			w.time, w.exactTime = value, exact
		}
	}
	if rest != "" {
		return "", false
	}
	urls, err := f.namer.urls(w)
	if err != nil {
		return "", false
	}
	return urls[0], true
}

// readDigits reads a whole number as players print it.
func readDigits(text string) (*big.Int, bool) {
	const longest = 20
	if text == "" || len(text) > longest || strings.Trim(text, "0123456789") != "" || (len(text) > 1 && text[0] == '0') {
		return nil, false
	}
	return new(big.Int).SetString(text, 10)
}

// templateName is the template of segments' names that takes the place of an origin's: it has the same numbers and times.
func templateName(media string) string {
	t, err := newTemplate(media)
	if err != nil {
		return segmentName // of a template that is not in use
	}
	name := segmentName
	for _, id := range []string{"Number", "Time"} {
		if t.has(id) {
			name += "-$" + id + "$"
		}
	}
	return name + extension(media)
}

// listName is the name of a SegmentURL, by what it says.
func listName(n *node) string {
	l := listed{media: n.attr("media"), whole: true}
	if part, ok := parseRange(n.attr("mediaRange")); ok {
		l.part, l.whole = part, false
	}
	return l.name() + extension(l.media)
}

func (l listed) name() string {
	text := l.media
	if !l.whole {
		text += "|" + strconv.FormatInt(l.part.Offset, 10) + "+" + strconv.FormatInt(l.part.Length, 10)
	}
	return segmentName + "-" + shortHash(text)
}

func shortHash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:10])
}

// extension is how the path of a URL ends, with its dot, if that is short and plain: some players depend on it.
func extension(url string) string {
	if i := strings.IndexAny(url, "?#"); i >= 0 {
		url = url[:i]
	}
	url = url[strings.LastIndexByte(url, '/')+1:]
	dot := strings.LastIndexByte(url, '.')
	if dot < 0 {
		return ""
	}
	ext := url[dot+1:]
	if len(ext) < 1 || len(ext) > 5 {
		return ""
	}
	for _, c := range ext {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') {
			return ""
		}
	}
	return "." + ext
}
