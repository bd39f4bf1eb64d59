package dash

import (
	"math"
	"regexp"
	"strings"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
)

// frame is what a period, an adaptation set or a representation has of its own or from above.
// Source: shaka-player 4.16.9, DashParser.createFrame_.
type frame struct {
	parent                *frame
	id, original          string // id differs from original for supplemental codecs
	base                  []string
	template, list, index *node
	contentType, mimeType string
	codecs                string
	frameRate             float64
	width, height         float64
	channels, sampling    float64
	// earliness is availabilityTimeOffset, all levels added up.
	earliness float64
	language  string // of this element alone
	label     string
}

func (m *mpd) newFrame(n *node, parent *frame) (frame, error) {
	f := frame{parent: parent, base: m.base, id: n.attr("id"), original: n.attr("id"), language: n.attr("lang")}
	if parent != nil {
		f.base = parent.base
		f.contentType, f.mimeType, f.codecs, f.frameRate = parent.contentType, parent.mimeType, parent.codecs, parent.frameRate
		f.width, f.height, f.channels, f.sampling, f.earliness = parent.width, parent.height, parent.channels, parent.sampling, parent.earliness
		f.template, f.list, f.index = parent.template, parent.list, parent.index
	}
	var err error
	if f.base, err = m.bases(f.base, n); err != nil {
		return f, err
	}
	override(&f.contentType, n.attr("contentType"))
	override(&f.mimeType, n.attr("mimeType"))
	override(&f.codecs, n.attr("codecs"))
	f.codecs = plainCodecs(f.codecs)
	if rate := ratio(n.attr("frameRate")); rate != 0 {
		f.frameRate = rate
	}
	for name, value := range map[string]*float64{"width": &f.width, "height": &f.height, "audioSamplingRate": &f.sampling} {
		if v, ok := n.wholeAttr(name, 0); ok && v != 0 {
			*value = v
		}
	}
	if v := channelCount(n.all("AudioChannelConfiguration")); v != 0 {
		f.channels = v
	}
	if f.contentType == "" {
		f.contentType = guessKind(f.mimeType, f.codecs)
	}
	own := func(name string, at **node) {
		child := n.onlyChild(name)
		if child == nil {
			return
		}
		*at = child
		if name != "SegmentList" {
			f.earliness += child.floatAttr("availabilityTimeOffset")
		}
	}
	own("SegmentBase", &f.index)
	own("SegmentList", &f.list)
	own("SegmentTemplate", &f.template)
	f.earliness += firstEarliness(n)
	if parent == nil {
		// Of a period's own offsets none counts.
		f.earliness = firstEarliness(m.doc.root)
	}
	f.label = n.attr("label")
	if labels := n.all("Label"); len(labels) > 0 && len(labels[0].body) > 0 {
		if f.label = labels[0].text(); len(f.label) > maxAttributeBytes {
			return f, fail(ReasonTooLarge, "a label of more than %d bytes", maxAttributeBytes)
		}
	}
	return f, nil
}

// firstEarliness is the offset of the first BaseURL in n.
func firstEarliness(n *node) float64 {
	if bases := n.all("BaseURL"); len(bases) > 0 {
		return bases[0].floatAttr("availabilityTimeOffset")
	}
	return 0
}

func override(to *string, with string) {
	if with != "" {
		*to = with
	}
}

// knownCodec is the begin of a codec that the player knows: text with white space around such a one loses it.
var knownCodec = regexp.MustCompile(`^(?:avc|hev|hvc|vvc|vvi|vp0?[89]|av01|dvh|dva|dav|vorbis$|[Oo]pus$|fLaC$|flac$|mp4a|[ae]c-3$|ac-4|dts[cex]$|iamf|mhm[12]|ac3$|eac3$|apac$|vtt$|wvtt|stpp)`)

func plainCodecs(codecs string) string {
	if trimmed := strings.TrimSpace(codecs); knownCodec.MatchString(trimmed) {
		return trimmed
	}
	return codecs
}

// Kinds of media.
const (
	kindVideo       = "video"
	kindAudio       = "audio"
	kindText        = "text"
	kindImage       = "image"
	kindApplication = "application"
)

// guessKind is the kind of media by its type. Source: shaka-player 4.16.9, DashParser.guessContentType_.
func guessKind(mimeType, codecs string) string {
	switch {
	case mimeType == "application/mp4" && (codecs == "wvtt" || codecs == "stpp" || strings.HasPrefix(codecs, "stpp.")),
		mimeType == "application/ttml+xml", mimeType == "application/x-subtitle-vtt":
		return kindText
	}
	kind, _, _ := strings.Cut(mimeType, "/")
	return kind
}

// Numbers of channels behind the bits of two schemes of Dolby, the lowest bit first, and of CICP by its value.
var (
	channelsOf2015 = []float64{2, 1, 2, 2, 2, 2, 1, 2, 2, 1, 1, 1, 1, 2, 1, 1, 2, 2}
	channelsOf2011 = []float64{1, 1, 2, 1, 2, 2, 2, 1, 1, 2, 2, 1, 1, 1, 1, 1}
	channelsOfCICP = []float64{0, 1, 2, 3, 4, 5, 6, 8, 2, 3, 4, 7, 8, 24, 8, 12, 10, 12, 14, 12, 14}
)

// channelCount reads AudioChannelConfiguration; 0 if none of them is understood.
// Source: shaka-player 4.16.9, DashParser.parseAudioChannels_.
func channelCount(configurations []*node) float64 {
	for _, n := range configurations {
		value := n.attr("value")
		count := 0.0
		if value == "" {
			continue
		}
		switch n.attr("schemeIdUri") {
		case "urn:mpeg:dash:outputChannelPositionList:2012":
			count = float64(len(strings.Fields(value)))
		case "urn:mpeg:dash:23003:3:audio_channel_configuration:2011", "urn:dts:dash:audio_channel_configuration:2012":
			count = orZero(identity.ParseLeadingInt(value))
		case "tag:dolby.com,2015:dash:audio_channel_configuration:2015":
			count = bitCount(value, channelsOf2015)
		case "tag:dolby.com,2014:dash:audio_channel_configuration:2011", "urn:dolby:dash:audio_channel_configuration:2011":
			count = bitCount(value, channelsOf2011)
		case "urn:mpeg:mpegB:cicp:ChannelConfiguration":
			if v := orZero(identity.ParseLeadingInt(value)); v > 0 && v < float64(len(channelsOfCICP)) {
				count = channelsOfCICP[int(v)]
			}
		}
		if count != 0 {
			return count
		}
	}
	return 0
}

// bitCount adds up the channels of the bits of a hexadecimal number. More digits than bits do not count.
func bitCount(hex string, channels []float64) float64 {
	hex = strings.TrimPrefix(strings.TrimPrefix(strings.TrimSpace(hex), "0x"), "0X")
	bits := uint32(0) // JavaScript's << and & count in 32 bits
	for i := 0; i < len(hex) && hexDigit(hex[i]) < 16; i++ {
		bits = bits<<4 | uint32(hexDigit(hex[i]))
	}
	sum := 0.0
	for i, n := range channels {
		if bits&(1<<i) != 0 {
			sum += n
		}
	}
	return sum
}

// lowest is the least earliness so far.
func (m *mpd) lowest(f frame) {
	m.earliness = math.Min(m.earliness, f.earliness)
}
