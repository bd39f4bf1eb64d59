package manifest

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"github.com/p2pstream/p2pstream/internal/validate"
	"github.com/p2pstream/p2pstream/runtime/loader/manifest/dash"
)

// Formats of a Presentation and of SourceConfig.
const (
	// FormatHLS is HLS (RFC 8216).
	FormatHLS = validate.FormatHLS
	// FormatDASH is MPEG-DASH (ISO/IEC 23009-1).
	FormatDASH = validate.FormatDASH
	// FormatAuto finds the format in the manifest itself.
	FormatAuto = validate.FormatAuto
)

// rootBytes is how far into a manifest its root element is looked for: comments may stand before it.
const rootBytes = 16 << 10

// isMPD tells whether a body begins as an MPD does: with XML of which the first element is an MPD.
func isMPD(body []byte) bool {
	text := bytes.TrimPrefix(body[:min(len(body), rootBytes)], []byte("\ufeff"))
	for {
		text = bytes.TrimLeft(text, " \t\r\n")
		var end string
		switch {
		case bytes.HasPrefix(text, []byte("<?")):
			end = "?>"
		case bytes.HasPrefix(text, []byte("<!--")):
			end = "-->"
		case bytes.HasPrefix(text, []byte("<!")):
			end = ">" // a document type, which the parser refuses with a reason
		case len(text) > 0 && text[0] == '<':
			name := string(text[1:min(len(text), 64)])
			if at := strings.IndexAny(name, " \t\r\n/>"); at >= 0 {
				name = name[:at]
			}
			return name == "MPD" || strings.HasSuffix(name, ":MPD")
		default:
			return false
		}
		_, rest, ok := bytes.Cut(text, []byte(end))
		if !ok {
			return false
		}
		text = rest
	}
}

// parse reads a manifest in the format that is configured, or else in that of its text.
func (s *Source) parse(got loadedText) (*Presentation, error) {
	isDASH := isMPD(got.body)
	switch {
	case s.cfg.Format == FormatDASH, isDASH && s.cfg.Format != FormatHLS:
		var out *Presentation
		cost := time.Duration(0)
		err := s.inTurn(&cost, func() error {
			p, err := dash.Parse(got.body, got.url)
			if err != nil {
				return mpdError(got.url, err)
			}
			out = presentationOf(p, s.url)
			return nil
		})
		if err != nil {
			return nil, err
		}
		out.cost = cost
		return out, nil
	case isDASH:
		return nil, fail(ReasonNotPlaylist, got.url, fmt.Errorf("an MPD of MPEG-DASH, but the format is set to %s: set it to %s or %s", FormatHLS, FormatDASH, FormatAuto))
	}
	return ParseMultivariant(got.body, got.url)
}
