package policies

import (
	"bytes"
	"encoding/xml"
	"strings"

	"github.com/google/uuid"
)

// identifier begins the identifiers of profiles and payloads.
const identifier = "dev.p2pstream.policies."

// browsers are the preference domains of Chrome and Edge on macOS.
var browsers = []struct{ domain, name string }{{"com.google.Chrome", "Google Chrome"}, {"com.microsoft.Edge", "Microsoft Edge"}}

// profile is a configuration profile for macOS (Apple, Configuration Profile Reference), without a signature, with one payload
// of settings for each browser. A profile with the same identifier, that of the name, replaces an installed one. The UUIDs are
// made from the content (RFC 9562 §5.5), so that only another content has others.
func (s Set) profile() []byte {
	p := &plist{}
	p.WriteString(xml.Header + `<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">` + "\n<plist version=\"1.0\">\n")
	p.open("dict")
	p.key("PayloadContent")
	p.open("array")
	for _, b := range browsers {
		p.open("dict")
		for _, name := range names {
			p.key(name)
			p.open("array")
			for _, origin := range s.origins {
				p.element("string", origin)
			}
			p.close("array")
		}
		p.payload(b.name, identifier+s.name+"."+b.domain, b.domain, s.uuid(b.domain))
		p.close("dict")
	}
	p.close("array")
	p.key("PayloadDescription")
	p.element("string", "Shows local addresses in WebRTC to the listed pages, and lets these reach the local network.")
	p.key("PayloadScope")
	p.element("string", "System")
	p.payload("p2pstream: "+s.name, identifier+s.name, "Configuration", s.uuid("Configuration"))
	p.close("dict")
	p.WriteString("</plist>\n")
	return p.Bytes()
}

// uuid is made from the set and what it is for.
func (s Set) uuid(of string) string {
	data := strings.Join(append([]string{identifier, s.name, of}, s.origins...), "\n")
	return strings.ToUpper(uuid.NewSHA1(uuid.NameSpaceURL, []byte(data)).String())
}

// plist writes a property list.
type plist struct {
	bytes.Buffer
	depth int
}

func (p *plist) indent() { p.WriteString(strings.Repeat("\t", p.depth)) }

func (p *plist) open(element string) {
	p.indent()
	p.WriteString("<" + element + ">\n")
	p.depth++
}

func (p *plist) close(element string) {
	p.depth--
	p.indent()
	p.WriteString("</" + element + ">\n")
}

func (p *plist) key(name string) { p.element("key", name) }

func (p *plist) element(name, text string) {
	p.indent()
	p.WriteString("<" + name + ">")
	_ = xml.EscapeText(p, []byte(text)) // cannot fail: it writes to memory
	p.WriteString("</" + name + ">\n")
}

// payload writes the keys that each payload and the profile itself have.
func (p *plist) payload(display, id, kind, unique string) {
	for _, pair := range [][2]string{{"PayloadDisplayName", display}, {"PayloadIdentifier", id}, {"PayloadType", kind}, {"PayloadUUID", unique}} {
		p.key(pair[0])
		p.element("string", pair[1])
	}
	p.key("PayloadVersion")
	p.element("integer", "1")
}
