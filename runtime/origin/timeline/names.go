package timeline

import (
	"net/url"
	"strconv"
	"strings"
)

// The forms of a segment's name, without extension: 17; 17p2, its second part; e3-17, segment 17 of event 3; ad-x-17, the
// advertisement of session x in the place of segment 17.
const (
	prefixEvent = "e"
	prefixAd    = "ad-"
	suffixPart  = "p"
)

// segmentName reads the name of a segment without its extension; false if it is none.
func (r *Request) segmentName(name string) bool {
	number := name
	if rest, ok := strings.CutPrefix(name, prefixAd); ok {
		at := strings.LastIndexByte(rest, '-')
		if at <= 0 || at > maxSession {
			return false
		}
		r.Ad, number = rest[:at], rest[at+1:]
	} else if rest, ok := strings.CutPrefix(name, prefixEvent); ok {
		event, rest, _ := strings.Cut(rest, "-")
		if r.Event, ok = wholeNumber(event); !ok {
			return false
		}
		r.Named, number = true, rest
	}
	number, part, ok := strings.Cut(number, suffixPart)
	if ok {
		if r.Part, ok = wholeNumber(part); !ok || r.Part == 0 {
			return false
		}
	}
	r.Sequence, ok = wholeNumber(number)
	return ok
}

// wholeNumber reads a number in its one spelling.
func wholeNumber(text string) (int64, bool) {
	n, err := strconv.ParseUint(text, 10, 53)
	return int64(n), err == nil && strconv.FormatUint(n, 10) == text // 53 bits
}

// nameFits tells whether the stream has names of the form of r.
func (r Request) nameFits() bool {
	c := r.Knobs.Conduct
	return (r.Ad == "" || c.Ads) && (!r.Named || c.NewNames) && (r.Part == 0 || (c.Parts && r.Part <= r.Knobs.Segment))
}

// appendName appends the name of segment seq of the playlist r, with the query that it needs. part 0 is the whole.
func (r Request) appendName(dst []byte, v Visit, m Moment, seq, part int64) []byte {
	c := r.Knobs.Conduct
	if c.Passes > 0 {
		dst = append(dst, "pass_"...)
		dst = strconv.AppendInt(dst, v.Now.Unix()+c.Passes, 10)
		dst = append(dst, '/')
	}
	dst = append(dst, r.Track...)
	from := len(dst)
	dst = append(dst, '/')
	switch session := SessionOf(v.Query); {
	case c.Ads && session != "" && seq%adEvery < adLength:
		dst = append(dst, prefixAd...)
		dst = append(dst, session...)
		dst = append(dst, '-')
	case c.NewNames:
		dst = append(dst, prefixEvent...)
		dst = strconv.AppendInt(dst, m.Event, 10)
		dst = append(dst, '-')
	}
	if n := max(c.Loop, c.Wrap); n > 0 {
		seq %= n
	}
	if c.slate(seq) {
		seq = 0
	}
	dst = strconv.AppendInt(dst, seq, 10)
	if part > 0 {
		dst = append(dst, suffixPart...)
		dst = strconv.AppendInt(dst, part, 10)
	}
	dst = append(dst, '.')
	dst = append(dst, r.Knobs.SegmentExt()...)
	name := string(dst[from:])
	separator := byte('?')
	query := func(text string) {
		dst = append(append(dst, separator), text...)
		separator = '&'
	}
	if c.Watermark && !c.Cookie && v.Session != "" {
		query(QuerySession(v.Session))
	}
	if c.Signed > 0 {
		until := v.Now.UnixMilli() + c.Signed*1000
		query(queryExpires + "=" + strconv.FormatInt(until, 10) + "&" + querySign + "=" + signature(r.Track+name, until))
	}
	return dst
}

// slateEvery is how often a slate comes, in segments. Its name is that of segment 0.
const slateEvery = 10

// slate tells whether segment seq is the slate.
func (c Conduct) slate(seq int64) bool { return seq%slateEvery >= slateEvery-c.Slate }

// Two of four segments are advertisements.
const adEvery, adLength = 4, 2

// variantQuery is the query of the media playlists that a multivariant playlist names; empty without one.
func (k Knobs) variantQuery(v Visit) string {
	q := url.Values{}
	if k.Conduct.Expire > 0 {
		q.Set(queryExpires, strconv.FormatInt(v.Now.UnixMilli()+k.Conduct.Expire*1000, 10))
	}
	if (k.Conduct.Ads || k.Conduct.Watermark) && !k.Conduct.Cookie && v.Session != "" {
		q.Set(querySession, v.Session)
	}
	if len(q) == 0 {
		return ""
	}
	return "?" + q.Encode()
}
