package dash

import (
	"encoding/xml"
	"slices"
	"strings"
)

// Elements that lead players to other places: what they say is in the URLs of the result.
var leading = map[string]bool{"BaseURL": true, "Location": true, "PatchLocation": true, "ContentSteering": true, "InitializationSet": true, "ImportedMPD": true}

// Rewritten is an MPD for players of a server that stands in for the origin, and what that server is asked for.
type Rewritten struct {
	// Text is the MPD.
	Text []byte

	directories map[string]*directory
}

// Rewrite makes the MPD for players of a server whose absolute URL is base, with a slash at its end. Each representation gets
// a BaseURL below it, and names of its own in the place of the origin's; Find tells what they stand for. A live MPD is
// reloaded from location, an absolute URL. What players pass over is left out, and so is what would lead them around the
// server or to parts of segments: other BaseURLs, Location, patches, content steering, parameters for URLs, and
// availabilityTimeOffset. Clocks and license servers stay where they are. Errors are *Error.
func (p *Presentation) Rewrite(base, location string) (*Rewritten, error) {
	w := &rewriter{base: base, known: map[*node]*directory{}, directories: map[string]*directory{}, clocks: p.Clocks}
	if p.Dynamic {
		w.location = location
	}
	for _, period := range p.periods {
		w.periods = append(w.periods, period.node)
		for _, set := range period.sets {
			for _, r := range set.tracks {
				if err := w.learn(r); err != nil {
					return nil, err
				}
			}
		}
	}
	for _, r := range p.Renditions {
		for _, part := range r.parts {
			if f := w.known[part.node]; f != nil {
				f.rendition = r.Name
			}
		}
	}
	w.out = append(w.out, xml.Header...)
	w.element(p.doc.doc.root)
	w.out = append(w.out, '\n')
	return &Rewritten{Text: w.out, directories: w.directories}, nil
}

// rewriter prints a document with other URLs.
type rewriter struct {
	base, location string
	clocks         []Clock
	clock          int // the next one
	periods        []*node
	known          map[*node]*directory // of representations
	directories    map[string]*directory
	out            []byte
}

// learn gives a representation its directory. The copy for supplemental codecs has that of its original.
func (w *rewriter) learn(r *representation) error {
	if r.source.parts {
		return fail(ReasonUnsupported, "segments in parts with URLs of their own ($SubNumber$): offer whole segments")
	}
	f, err := newDirectory(r)
	if err != nil {
		return err
	}
	if w.directories[f.name] == nil {
		w.directories[f.name] = f
	}
	w.known[r.node] = w.directories[f.name]
	return nil
}

// left tells whether an element is left out.
func (w *rewriter) left(n *node) bool {
	switch n.name {
	case "Period":
		return !slices.Contains(w.periods, n)
	case "AdaptationSet":
		return !slices.ContainsFunc(n.all("Representation"), func(r *node) bool { return w.known[r] != nil })
	case "Representation":
		return w.known[n] == nil
	case "EssentialProperty", "SupplementalProperty":
		return n.attr("schemeIdUri") == queryScheme
	}
	return leading[n.name]
}

// element prints an element that stands outside of segment information.
func (w *rewriter) element(n *node) {
	children := slices.DeleteFunc(slices.Clone(n.children), w.left)
	switch n.name {
	case "SegmentTemplate", "SegmentList", "SegmentBase":
		w.segments(n)
		return
	case "MPD":
		if w.location != "" {
			children = slices.Insert(children, 0, &node{name: "Location", body: []byte(w.location)})
		}
	case "UTCTiming":
		n = w.timing(n)
	case "Representation":
		at := slices.IndexFunc(children, func(c *node) bool { return strings.HasPrefix(c.name, "Segment") || c.name == "SubRepresentation" })
		if at < 0 {
			at = len(children)
		}
		children = slices.Insert(children, at, &node{name: "BaseURL", body: []byte(w.base + w.known[n].base())})
	}
	w.print(n.name, n.attrs, n.body, children)
}

// timing makes the URL of a clock absolute. Clocks are in the order of their elements.
func (w *rewriter) timing(n *node) *node {
	if w.clock >= len(w.clocks) {
		return n
	}
	c := w.clocks[w.clock]
	w.clock++
	if c.URL == "" {
		return n
	}
	return &node{name: n.name, attrs: set(n.attrs, "value", c.URL), children: n.children}
}

// Names in a directory. Those of segments follow from the template, or from what a list says.
const (
	initName    = "init"
	indexName   = "index"
	fileName    = "file"
	segmentName = "segment"
)

// segments prints segment information. It may be inherited by many representations, so that names must not tell one from
// another.
func (w *rewriter) segments(n *node) {
	attrs := without(n.attrs, "availabilityTimeOffset", "availabilityTimeComplete", "bitstreamSwitching")
	var children []*node
	switch n.name {
	case "SegmentTemplate":
		for _, a := range []struct{ name, value string }{
			{"media", templateName(n.attr("media"))}, {"initialization", initName + extension(n.attr("initialization"))},
			{"index", indexName + extension(n.attr("index"))},
		} {
			if n.attr(a.name) != "" {
				attrs = set(attrs, a.name, a.value)
			}
		}
		children = n.all("SegmentTimeline")
	case "SegmentList":
		for _, c := range n.children {
			switch c.name {
			case "Initialization":
				c = &node{name: c.name, attrs: set(nil, "sourceURL", initName+extension(c.attr("sourceURL")))}
			case "SegmentURL":
				c = &node{name: c.name, attrs: set(nil, "media", listName(c))}
			case "SegmentTimeline":
			default:
				continue
			}
			children = append(children, c)
		}
	case "SegmentBase":
		for _, c := range n.children {
			name := map[string]string{"Initialization": initName, "RepresentationIndex": indexName}[c.name]
			if name == "" {
				continue
			}
			if url := c.attr("sourceURL"); url != "" {
				attrs := set(c.attrs, "sourceURL", name+extension(url))
				if name == initName {
					attrs = without(attrs, "range") // the name stands for the range
				}
				c = &node{name: c.name, attrs: attrs}
			}
			children = append(children, c)
		}
	}
	w.print(n.name, attrs, nil, children)
}

func (w *rewriter) print(name string, attrs []xml.Attr, body []byte, children []*node) {
	w.out = append(append(w.out, '<'), name...)
	for _, a := range attrs {
		w.out = append(append(append(w.out, ' '), a.Name.Local...), `="`...)
		w.out = append(appendEscaped(w.out, a.Value), '"')
	}
	if len(body) == 0 && len(children) == 0 {
		w.out = append(w.out, "/>"...)
		return
	}
	w.out = append(w.out, '>')
	w.out = appendEscaped(w.out, string(body))
	for _, c := range children {
		if c.name == "SegmentTimeline" {
			w.timeline(c)
			continue
		}
		w.element(c)
	}
	w.out = append(append(append(w.out, "</"...), name...), '>')
}

// timeline prints a SegmentTimeline, whose entries are kept as numbers.
func (w *rewriter) timeline(n *node) {
	w.out = append(w.out, "<SegmentTimeline>"...)
	for _, p := range n.points {
		w.out = append(w.out, "<S"...)
		for _, a := range []struct {
			name  string
			value float64
			there bool
		}{{"t", p.t, p.hasT}, {"d", p.d, true}, {"r", p.r, p.r != 0}} {
			if a.there {
				w.out = append(append(append(append(w.out, ' '), a.name...), `="`...), formatted(a.value, "")...)
				w.out = append(w.out, '"')
			}
		}
		w.out = append(w.out, "/>"...)
	}
	w.out = append(w.out, "</SegmentTimeline>"...)
}

var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "\t", "&#9;", "\n", "&#10;", "\r", "&#13;")

func appendEscaped(b []byte, text string) []byte { return append(b, escaper.Replace(text)...) }

// set returns attributes with one of them replaced or added.
func set(attrs []xml.Attr, name, value string) []xml.Attr {
	return append(without(attrs, name), xml.Attr{Name: xml.Name{Local: name}, Value: value})
}

func without(attrs []xml.Attr, names ...string) []xml.Attr {
	return slices.DeleteFunc(slices.Clone(attrs), func(a xml.Attr) bool { return slices.Contains(names, a.Name.Local) })
}
