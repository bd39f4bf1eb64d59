package dash

import (
	"strings"
)

// namer makes the URLs of the segments of one representation.
type namer struct {
	r      *representation
	values values
	// folders are the bases up to their last slash, for URLs that need no resolving; empty where that is not enough.
	folders []string
}

func newNamer(r *representation) (*namer, error) {
	n := &namer{r: r, values: r.values()}
	n.values.numbered = true
	for _, base := range r.base {
		u, err := parseURI(base)
		if err != nil {
			return nil, err
		}
		u.query, u.fragment = "", ""
		folder := ""
		if slash := strings.LastIndexByte(u.path, '/'); slash >= 0 && !strings.Contains(u.path, "/.") && r.params == "" {
			u.path = u.path[:slash+1]
			folder = u.String()
		}
		n.folders = append(n.folders, folder)
	}
	return n, nil
}

// urls are the URLs of a segment, the one to use first.
func (n *namer) urls(w raw) ([]string, error) {
	ref := w.media
	switch n.r.source.addressing {
	case byIndex:
		return n.r.source.index.urls, nil
	case byNumber, byTimeline:
		n.values.number, n.values.time, n.values.exactTime = w.number, w.time, w.exactTime
		ref = n.r.source.media.fill(n.values)
	case byList, byNothing:
	}
	if len(ref) > maxURLBytes {
		return nil, fail(ReasonTooLarge, "a URL of more than %d bytes", maxURLBytes)
	}
	if !isPlain(ref) {
		return n.r.resolve(ref, true)
	}
	out := make([]string, len(n.folders))
	for i, folder := range n.folders {
		if folder == "" || len(folder)+len(ref) > maxURLBytes {
			return n.r.resolve(ref, true)
		}
		out[i] = folder + ref
	}
	return out, nil
}

// isPlain tells whether a relative URL is a path of nothing but letters, digits and a few signs, without dot segments:
// resolving it is to put it behind the folder.
func isPlain(ref string) bool {
	if ref == "" || ref[0] == '/' || ref[0] == '.' {
		return false
	}
	for i := 0; i < len(ref); i++ {
		c := ref[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '_', c == '~':
		case c == '/':
			if i+1 < len(ref) && ref[i+1] == '.' {
				return false
			}
		case c == '.':
			if i+1 < len(ref) && ref[i+1] == '/' {
				return false
			}
		default:
			return false
		}
	}
	return true
}
