package dash

import (
	"encoding/xml"
	"strings"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
)

// adaptation is one adaptation set.
type adaptation struct {
	frame
	node      *node
	kind      string
	language  string // in normal form
	roles     []string
	main      bool
	trick     bool
	fast      bool   // the player switches fast between its representations
	hdr       string // video range
	captions  string // CEA captions, as written
	encrypted bool
	tracks    []*representation
	ids       []string
	// lastNumber is that of the last segment but one, 0 if it is not told.
	lastNumber float64
}

const transferScheme = "urn:mpeg:mpegB:cicp:TransferCharacteristics"

// readSet reads an adaptation set. It is nil if players pass over it. tracks counts the representations of the period.
// Source: shaka-player 4.16.9, DashParser.parseAdaptationSet_.
func (m *mpd) readSet(p *period, n *node, tracks *int) (*adaptation, error) {
	a := &adaptation{node: n}
	var err error
	if a.frame, err = m.newFrame(n, &p.frame); err != nil {
		return nil, err
	}
	if len(n.all("Role")) > maxDescriptors || len(n.all("Accessibility")) > maxDescriptors {
		return nil, fail(ReasonTooLarge, "more than %d roles of an adaptation set", maxDescriptors)
	}
	if !m.readProperties(a, n) {
		return nil, nil
	}
	elements := n.all("ContentProtection")
	guard, err := m.protection(elements)
	if err != nil {
		return nil, err
	}
	a.encrypted = len(elements) > 0
	a.language = a.frame.language
	if a.language == "" {
		a.language = "und"
	}
	a.language = normalLanguage(a.language)

	nodes := m.withSupplements(n.all("Representation"))
	if *tracks += len(nodes); *tracks > maxRepresentations {
		return nil, fail(ReasonTooLarge, "more than %d representations in a period", maxRepresentations)
	}
	if m.tracks += len(nodes); m.tracks > maxAllRepresentations {
		return nil, fail(ReasonTooLarge, "more than %d representations", maxAllRepresentations)
	}
	for _, rn := range nodes {
		r, err := m.readRepresentation(p, a, rn, guard)
		if err != nil {
			return nil, err
		}
		if id := rn.attr("id"); id != "" {
			a.ids = append(a.ids, id+rn.attr(supplement))
		}
		if r != nil {
			a.tracks = append(a.tracks, r)
		}
	}
	if len(a.tracks) == 0 {
		if a.contentType == kindText || a.contentType == kindImage {
			return nil, nil
		}
		return nil, fail(ReasonInvalid, "an adaptation set has no representation with segments")
	}
	if a.kind = a.contentType; a.kind == "" || a.kind == kindApplication {
		a.kind = guessKind(a.tracks[0].mimeType, a.tracks[0].codecs)
	}
	return a, nil
}

// readProperties reads what describes a set, and tells whether players understand what they must.
func (m *mpd) readProperties(a *adaptation, n *node) bool {
	for _, role := range n.all("Role") {
		value, ok := role.find("value")
		if !ok {
			continue
		}
		a.roles = append(a.roles, value)
		scheme, named := role.find("schemeIdUri")
		a.main = a.main || (value == "main" && (!named || scheme == "urn:mpeg:dash:role:2011"))
	}
	for _, property := range n.all("EssentialProperty") {
		switch scheme := property.attr("schemeIdUri"); scheme {
		case "http://dashif.org/guidelines/trickmode":
			a.trick = property.attr("value") != ""
		case transferScheme:
			a.hdr = videoRange(property.attr("value"))
		case "urn:mpeg:dash:ssr:2023":
			a.fast = true
		case "urn:mpeg:mpegB:cicp:ColourPrimaries", "urn:mpeg:mpegB:cicp:MatrixCoefficients", "urn:dvb:dash:fontdownload:2014":
		case queryScheme:
			if !m.readQuery(property) {
				return false
			}
		default:
			return false
		}
	}
	for _, property := range n.all("SupplementalProperty") {
		switch property.attr("schemeIdUri") {
		case "http://dashif.org/guidelines/last-segment-number":
			a.lastNumber = orZero(identity.ParseLeadingInt(property.attr("value")) - 1)
		case transferScheme:
			a.hdr = videoRange(property.attr("value"))
		case queryScheme:
			m.readQuery(property)
		}
	}
	for _, property := range n.all("Accessibility") {
		scheme, value := property.attr("schemeIdUri"), property.attr("value")
		switch scheme {
		case "urn:mpeg:dash:role:2011":
			if value != "" {
				a.roles = append(a.roles, value)
			}
		case "urn:scte:dash:cc:cea-608:2015", "urn:scte:dash:cc:cea-708:2015":
			a.captions += scheme + value + "\n"
		}
	}
	return true
}

// videoRange is the range behind transfer characteristics. Source: ISO/IEC 23091-2.
func videoRange(value string) string {
	switch identity.ParseLeadingInt(value) {
	case 1, 6, 13, 14, 15:
		return "SDR"
	case 16:
		return "PQ"
	case 18:
		return "HLG"
	}
	return ""
}

// supplement is the attribute that tells the copy of a representation, with the end of its id.
const supplement = "\x00supplement"

// withSupplements adds a copy of each representation that has supplemental codecs, with these: players count it as a
// track of its own. Source: shaka-player 4.16.9; SCTE 214-1.
func (m *mpd) withSupplements(nodes []*node) []*node {
	name := m.doc.within("urn:scte:dash:scte214-extensions", "supplementalCodecs")
	out := nodes
	for _, n := range nodes {
		codecs := n.attr(name)
		if codecs == "" {
			continue
		}
		twin := *n
		twin.attrs = append(append([]xml.Attr{}, n.attrs...),
			xml.Attr{Name: xml.Name{Local: "codecs"}, Value: strings.ReplaceAll(codecs, " ", ",")},
			xml.Attr{Name: xml.Name{Local: supplement}, Value: "_supplementalCodecs"})
		out = append(out, &twin)
	}
	return out
}

const queryScheme = "urn:mpeg:dash:urlparam:2014"

// urlQuery makes the query of segments' URLs from that of the MPD's.
type urlQuery string

// readQuery reads a template of URL parameters. The last one that was read counts for all that follows, even in other
// sets, as for the player. Source: ISO/IEC 23009-1 annex I; shaka-player 4.16.9.
func (m *mpd) readQuery(property *node) bool {
	if property.attr("schemeIdUri") != queryScheme {
		return false
	}
	info := property.onlyChild(m.doc.within("urn:mpeg:dash:schema:urlparam:2014", "UrlQueryInfo"))
	if info == nil || !strings.EqualFold(info.attr("useMPDUrlQuery"), "true") || info.attr("queryTemplate") == "" {
		return false
	}
	var parts []string
	length := 0
	for _, part := range strings.Split(info.attr("queryTemplate"), "&") {
		parts = append(parts, m.queryPart(part))
		if length += len(parts[len(parts)-1]); length > maxURLBytes {
			break // such a URL is refused
		}
	}
	m.params = urlQuery(strings.Join(parts, "&"))
	return true
}

func (m *mpd) queryPart(part string) string {
	if part == "$querypart$" {
		return m.query
	}
	_, rest, found := strings.Cut(part, "$query:")
	name, _, closed := strings.Cut(rest, "$")
	if !found || !closed {
		return part
	}
	for _, pair := range strings.Split(m.query, "&") {
		key, value, _ := strings.Cut(pair, "=")
		key, ok1 := decodeURI(key, "")
		value, ok2 := decodeURI(value, "")
		if ok1 && ok2 && key == name {
			return name + "=" + value
		}
	}
	return part
}
