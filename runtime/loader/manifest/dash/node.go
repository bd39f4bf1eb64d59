package dash

import (
	"bytes"
	"encoding/binary"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"unicode/utf16"
)

// node is one element of an MPD. Names and attributes keep their prefixes, since the player compares them as they are
// written.
type node struct {
	name     string
	attrs    []xml.Attr // with the prefix in Name.Local
	children []*node
	byName   map[string][]*node // of children, if there are many
	body     []byte             // its text
	points   []point            // of a SegmentTimeline
}

// manyChildren is from how many children on they are found by a table: many representations look into one element.
const manyChildren = 16

// document is a whole MPD.
type document struct {
	root     *node
	prefixes map[string]string // of a namespace; the last declaration counts everywhere, as for the player
}

// reader makes nodes of a text, within bounds.
type reader struct {
	decoder          *xml.Decoder
	doc              document
	open             []*node
	elements, points int
}

// readDocument reads an MPD into nodes. Document types are refused, so that no entity but the five of XML exists.
func readDocument(body []byte) (document, error) {
	if len(body) > maxBytes {
		return document{}, fail(ReasonTooLarge, "more than %d bytes", maxBytes)
	}
	text := strings.ToValidUTF8(toUTF8(body), "\uFFFD")
	if !strings.HasPrefix(strings.TrimSpace(text), "<") {
		return document{}, fail(ReasonNotMPD, "the body is no XML")
	}
	r := reader{decoder: xml.NewDecoder(strings.NewReader(text)), doc: document{prefixes: map[string]string{}}}
	// The text is UTF-8 by now, whatever it says of itself.
	r.decoder.CharsetReader = func(_ string, input io.Reader) (io.Reader, error) { return input, nil }
	for {
		token, err := r.decoder.RawToken()
		switch {
		case errors.Is(err, io.EOF):
			return r.end()
		case err != nil:
			return document{}, r.invalid("reading XML: %w", err)
		}
		if err := r.token(token); err != nil {
			return document{}, err
		}
	}
}

// invalid tells an MPD that is broken from something else, such as a web page.
func (r *reader) invalid(format string, a ...any) *Error {
	if r.doc.root == nil && len(r.open) == 0 {
		return fail(ReasonNotMPD, format, a...)
	}
	return fail(ReasonInvalid, format, a...)
}

func (r *reader) end() (document, error) {
	if len(r.open) > 0 {
		return document{}, fail(ReasonInvalid, "the text ends within %s", clip(r.open[len(r.open)-1].name))
	}
	if r.doc.root == nil {
		return document{}, fail(ReasonNotMPD, "the body has no element")
	}
	return r.doc, nil
}

func (r *reader) token(token xml.Token) error {
	switch t := token.(type) {
	case xml.StartElement:
		return r.start(t)
	case xml.EndElement:
		if len(r.open) == 0 || r.open[len(r.open)-1].name != plainName(t.Name) {
			return r.invalid("%s ends where it has not begun", clip(plainName(t.Name)))
		}
		r.open[len(r.open)-1].sortChildren()
		r.open = r.open[:len(r.open)-1]
	case xml.CharData:
		if len(r.open) > 0 && len(bytes.TrimSpace(t)) > 0 {
			n := r.open[len(r.open)-1]
			n.body = append(n.body, t...)
		}
	case xml.Directive:
		if name := strings.ToUpper(strings.TrimSpace(string(t))); strings.HasPrefix(name, "DOCTYPE HTML") {
			return fail(ReasonNotMPD, "the body is a web page")
		}
		return fail(ReasonDocumentType, "an MPD has no document type")
	}
	return nil
}

func (r *reader) start(t xml.StartElement) error {
	n := &node{name: plainName(t.Name), attrs: t.Attr}
	depth := len(r.open)
	switch {
	case len(t.Attr) > maxAttributes:
		return fail(ReasonTooLarge, "more than %d attributes in one element", maxAttributes)
	case depth == 0 && r.doc.root != nil:
		return r.invalid("%s stands behind the end", clip(n.name))
	case depth == 0 && n.name != "MPD":
		return fail(ReasonNotMPD, "the root is %s, not MPD", clip(n.name))
	case depth >= maxDepth:
		return fail(ReasonTooLarge, "elements nested deeper than %d", maxDepth)
	}
	for i := range n.attrs {
		if err := r.attribute(&n.attrs[i]); err != nil {
			return err
		}
	}
	if depth > 0 && n.name == "S" && r.open[depth-1].name == "SegmentTimeline" {
		if r.points++; r.points > maxPoints {
			return fail(ReasonTooLarge, "more than %d entries in timelines", maxPoints)
		}
		r.open[depth-1].points = append(r.open[depth-1].points, newPoint(n))
		r.open = append(r.open, n)
		return nil
	}
	if r.elements++; r.elements > maxElements {
		return fail(ReasonTooLarge, "more than %d elements", maxElements)
	}
	if depth == 0 {
		r.doc.root = n
	} else {
		r.open[depth-1].children = append(r.open[depth-1].children, n)
	}
	r.open = append(r.open, n)
	return nil
}

const xlink = "http://www.w3.org/1999/xlink"

// attribute gives an attribute its plain name and notes prefixes.
func (r *reader) attribute(a *xml.Attr) error {
	if len(a.Value) > maxAttributeBytes {
		return fail(ReasonTooLarge, "an attribute of more than %d bytes", maxAttributeBytes)
	}
	space, local := a.Name.Space, a.Name.Local
	a.Name = xml.Name{Local: plainName(a.Name)}
	if space == "xmlns" {
		r.doc.prefixes[a.Value] = local
	}
	// The prefix is often declared, if not by this name then by another. It counts by either.
	if local == "href" && (space == "xlink" || (space != "" && r.doc.prefixes[xlink] == space)) {
		return fail(ReasonRemote, "the MPD has parts in other documents (xlink), which players do not load: put them into it")
	}
	return nil
}

func plainName(n xml.Name) string {
	if n.Space == "" {
		return n.Local
	}
	return n.Space + ":" + n.Local
}

// toUTF8 decodes UTF-16 with a byte order mark, and takes the mark off UTF-8.
// Source: shaka-player 4.16.9, StringUtils.fromBytesAutoDetect.
func toUTF8(body []byte) string {
	var order binary.ByteOrder
	switch {
	case bytes.HasPrefix(body, []byte("\xEF\xBB\xBF")):
		return string(body[3:])
	case bytes.HasPrefix(body, []byte("\xFE\xFF")):
		order = binary.BigEndian
	case bytes.HasPrefix(body, []byte("\xFF\xFE")):
		order = binary.LittleEndian
	default:
		return string(body)
	}
	units := make([]uint16, 0, len(body)/2)
	for at := 2; at+1 < len(body); at += 2 {
		units = append(units, order.Uint16(body[at:]))
	}
	return string(utf16.Decode(units))
}

// find returns an attribute's value; of several with one name, the last one.
func (n *node) find(name string) (string, bool) {
	for i := len(n.attrs) - 1; i >= 0; i-- {
		if n.attrs[i].Name.Local == name {
			return n.attrs[i].Value, true
		}
	}
	return "", false
}

// attr is an attribute's value, or empty.
func (n *node) attr(name string) string {
	value, _ := n.find(name)
	return value
}

// all are the children of one name.
func (n *node) all(name string) []*node {
	if n.byName != nil {
		return n.byName[name]
	}
	var found []*node
	for _, c := range n.children {
		if c.name == name {
			found = append(found, c)
		}
	}
	return found
}

// onlyChild is the only child of a name. Of several, none counts.
// Source: shaka-player 4.16.9, TXml.findChild.
func (n *node) onlyChild(name string) *node {
	if found := n.all(name); len(found) == 1 {
		return found[0]
	}
	return nil
}

// contents is the text of an element without children.
func (n *node) contents() string {
	if len(n.children) > 0 {
		return ""
	}
	return strings.TrimSpace(n.text())
}

func (n *node) text() string { return string(n.body) }

func (n *node) sortChildren() {
	if len(n.children) < manyChildren {
		return
	}
	n.byName = map[string][]*node{}
	for _, c := range n.children {
		n.byName[c.name] = append(n.byName[c.name], c)
	}
}

// within is the name of an element or attribute in a namespace.
func (d document) within(namespace, name string) string {
	if prefix := d.prefixes[namespace]; prefix != "" {
		return prefix + ":" + name
	}
	return name
}
