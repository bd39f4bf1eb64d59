package dash

import (
	"math"
	"strconv"
	"strings"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
)

// renditionName is short, stable while the MPD's attributes are, and fit for a metric label: "720p", "1080p60", "128k",
// "audio-en".
func renditionName(r Rendition, t *track) string {
	if r.Type == identity.Secondary {
		for _, text := range []string{t.frame.parent.language, r.Label, t.original} {
			if name := slug(text); name != "" {
				return "audio-" + name
			}
		}
		return "audio"
	}
	if t.height > 0 && t.height <= math.MaxUint16 {
		name := strconv.Itoa(int(t.height)) + "p"
		if t.frameRate > 30 && t.frameRate < 1000 {
			name += strconv.Itoa(int(math.Round(t.frameRate)))
		}
		return name
	}
	if r.Bandwidth > 0 {
		return strconv.FormatInt(r.Bandwidth/1000, 10) + "k"
	}
	return "main"
}

// slug keeps letters, digits and hyphens.
func slug(text string) string {
	const longest = 32
	var b strings.Builder
	for _, c := range strings.ToLower(text) {
		switch {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9':
			b.WriteRune(c)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
		if b.Len() == longest {
			break
		}
	}
	return strings.Trim(b.String(), "-")
}

// unique adds a number to a name that is taken.
func unique(name string, taken map[string]bool) string {
	out := name
	for i := 2; taken[out]; i++ {
		out = name + "-" + strconv.Itoa(i)
	}
	taken[out] = true
	return out
}
