package timeline

import (
	"hash/fnv"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Visit is what one request says beside its path.
type Visit struct {
	Now   time.Time
	Query url.Values
	// Session names the client's session; empty without one.
	Session string
	// Agent is the client's User-Agent.
	Agent string
}

// The names of query parameters.
const (
	querySession = "session"
	queryExpires = "exp" // Unix milliseconds
	querySign    = "sig"
	querySkip    = "_HLS_skip" // RFC 8216bis §6.2.5
	queryNumber  = "_HLS_msn"  // RFC 8216bis §6.2.5.2
)

// SessionAt is the name of a session that begins at a time: no two clients begin in the same nanosecond.
func SessionAt(now time.Time) string {
	return strconv.FormatUint(scramble(uint64(now.UnixNano())), 36)
}

// SessionOf is the session that a URL names; empty without one.
func SessionOf(q url.Values) string {
	return session(q.Get(querySession))
}

// session is a name of a session as SessionAt makes them; empty for any other text, which must not get into a playlist.
func session(name string) string {
	if _, err := strconv.ParseUint(name, 36, 64); err != nil || len(name) > maxSession {
		return ""
	}
	return name
}

// SessionOfCookie is the session that a cookie names; empty if it names none.
func SessionOfCookie(value string) string { return session(value) }

// maxSession bounds names of sessions in bytes.
const maxSession = 32

// QuerySession is the query of a URL that names a session.
func QuerySession(session string) string { return querySession + "=" + url.QueryEscape(session) }

// Expired tells whether the URL of r has run out: its playlist's, if these expire, or its segment's signature
// or pass.
func (r Request) Expired(path string, v Visit) bool {
	c := r.Knobs.Conduct
	switch r.Kind {
	case MediaPlaylist:
		return c.Expire > 0 && v.ran(r.expiresAt(v))
	case Segment:
		if c.Passes > 0 && v.Now.Unix() >= c.Pass {
			return true
		}
		return c.Signed > 0 && (v.ran(r.expiresAt(v)) || v.Query.Get(querySign) != signature(lastParts(path), r.expiresAt(v)))
	}
	return false
}

// lastParts is what a path of a segment ends with: its track and name.
func lastParts(path string) string {
	at := strings.LastIndexByte(path, '/')
	return path[strings.LastIndexByte(path[:max(at, 0)], '/')+1:]
}

func (r Request) expiresAt(v Visit) int64 {
	at, err := strconv.ParseInt(v.Query.Get(queryExpires), 10, 64)
	if err != nil {
		return 0
	}
	return at
}

func (v Visit) ran(at int64) bool { return v.Now.UnixMilli() >= at }

// signature signs a path until a Unix millisecond. It keeps no secret: a test source has none.
func signature(path string, until int64) string {
	h := fnv.New64a()
	_, _ = h.Write([]byte(path + "\n" + strconv.FormatInt(until, 10))) // a hash does not fail
	return strconv.FormatUint(scramble(h.Sum64()), 36)
}

// Blocks returns how long the answer of a playlist has to wait for the segment that the request asks for, at most three
// segments; 0 without such a request. Source: RFC 8216bis §6.2.5.2.
func (r Request) Blocks(v Visit) time.Duration {
	k := r.Knobs
	if !k.Conduct.CanBlock || r.Kind != MediaPlaylist {
		return 0
	}
	n, err := strconv.ParseInt(v.Query.Get(queryNumber), 10, 64)
	m := k.Moment(v.Now.Unix())
	if err != nil || v.Now.Unix() < k.Start || n < m.Count || n > m.Count+2 || m.Ended {
		return 0
	}
	begin := k.Start + k.offset(m.Event)
	return max(0, time.Unix(begin+(n+1)*k.Segment, 0).Sub(v.Now))
}

// skips is how many of the listed entries an update may leave out: those older than six segments.
func (r Request) skips(v Visit, listed int64) int64 {
	if !r.Knobs.Conduct.CanSkip || v.Query.Get(querySkip) != "YES" {
		return 0
	}
	return max(0, listed-skipUntil)
}

// skipUntil is CAN-SKIP-UNTIL in segments.
const skipUntil = 6

// base is the track that a track is made of: a twin has the media of the one that it is taken for.
func base(track string) string {
	return strings.TrimSuffix(track, twinSuffix)
}

// different is what makes the bytes of r other than those of the same segment elsewhere; empty if nothing does.
func (r Request) different(v Visit) string {
	c := r.Knobs.Conduct
	text := ""
	if r.Track != base(r.Track) && !c.Backup {
		text = r.Track
	}
	if r.Ad != "" {
		text += " ad " + r.Ad
	}
	if c.Watermark && v.Session != "" {
		text += " for " + v.Session
	}
	if c.Agents {
		text += " for agent " + v.Agent
	}
	return text
}

// scramble spreads the bits of x.
func scramble(x uint64) uint64 {
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	return x
}

// Audio tells whether r is of audio alone.
func (r Request) Audio() bool { return base(r.Track) == AudioName }
