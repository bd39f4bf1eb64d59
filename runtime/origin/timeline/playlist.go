package timeline

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/p2pstream/p2pstream/runtime/origin/mux"
)

// ErrNotStarted is returned for playlists of a live stream that has no complete
// segment yet.
var ErrNotStarted = errors.New("the stream has not started yet")

// ErrGone is returned for playlists of an event that has been removed.
var ErrGone = errors.New("the event is over")

// AppendMultivariant appends the multivariant playlist of k (RFC 8216 §4.3.4).
func (c *Catalog) AppendMultivariant(dst []byte, k Knobs) []byte {
	return c.AppendMultivariantAt(dst, k, Visit{})
}

// AppendMultivariantAt appends the multivariant playlist of k as a visit gets it.
func (c *Catalog) AppendMultivariantAt(dst []byte, k Knobs, v Visit) []byte {
	dst = append(dst, "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-INDEPENDENT-SEGMENTS\n"...)
	query := k.variantQuery(v)
	var audioPeak, audioMean int64
	if k.SeparateAudio {
		audioPeak, audioMean = c.rates(k, AudioName)
		dst = c.appendAudio(dst, AudioName, query)
		if k.Conduct.Twins {
			dst = c.appendAudio(dst, AudioName+twinSuffix, query)
		}
	}
	variant := func(name string) {
		t := c.library.Track(base(name))
		peak, mean := c.rates(k, name)
		group := ""
		if k.SeparateAudio {
			group = `,AUDIO="audio"`
			if k.Conduct.Twins && name != renditionNames[0] {
				group = `,AUDIO="audio` + twinSuffix + `"`
			}
		}
		dst = fmt.Appendf(dst, "#EXT-X-STREAM-INF:BANDWIDTH=%d,AVERAGE-BANDWIDTH=%d,CODECS=\"%s,%s\",RESOLUTION=%dx%d,FRAME-RATE=%.3f%s\n%s.m3u8%s\n",
			peak+audioPeak, mean+audioMean, t.Codec, c.library.Audio.Codec, t.Width, t.Height,
			float64(t.Timescale)/float64(t.SampleTicks), group, name, query)
	}
	names := renditionNames[:k.Renditions]
	if k.Conduct.Late > 0 && len(names) > 1 {
		last := names[len(names)-1]
		names = names[:len(names)-1]
		if v.Now.Unix() >= k.Start+k.Conduct.Late {
			variant(last) // in front: a player that chooses the first takes it
		}
	}
	for _, name := range names {
		variant(name)
		if name == renditionNames[0] && (k.Conduct.Cameras || k.Conduct.Backup) {
			variant(name + twinSuffix)
		}
	}
	return dst
}

// appendAudio appends the audio of a group, whose name is that of its track.
func (c *Catalog) appendAudio(dst []byte, track, query string) []byte {
	return fmt.Appendf(dst, "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"%s\",NAME=\"English\",LANGUAGE=\"en\","+
		"DEFAULT=YES,AUTOSELECT=YES,CHANNELS=\"%d\",URI=\"%s.m3u8%s\"\n", track, c.library.Audio.Channels, track, query)
}

// maxListed bounds the entries of a playlist of the whole history.
const maxListed = 50_000

// AppendPlaylist appends the media playlist of the track of r as it is at the
// Unix second now. It returns ErrNotStarted when there is nothing to list yet.
func (c *Catalog) AppendPlaylist(dst []byte, r Request, now int64) ([]byte, error) {
	return c.AppendPlaylistAt(dst, r, Visit{Now: time.Unix(now, 0)})
}

// AppendPlaylistAt appends the media playlist of the track of r as a visit gets it. It returns ErrNotStarted when there
// is nothing to list yet, and ErrGone when there is nothing any more.
func (c *Catalog) AppendPlaylistAt(dst []byte, r Request, v Visit) ([]byte, error) {
	k := r.Knobs
	p := c.program(k, r.Track)
	m := k.Moment(v.Now.Unix())
	end := m.Count
	if k.Conduct.Stale > 0 && chance(r.Track, "stale", v.Now.UnixNano()) < 50 {
		end = min(end, max(1, end-k.Conduct.Stale))
	}
	switch {
	case m.Gone:
		return dst, ErrGone
	case end == 0:
		return dst, ErrNotStarted
	}
	first := int64(0)
	switch {
	case k.Conduct.DVR:
		first = max(0, end-maxListed)
	case k.Live:
		first = max(0, end-k.Window)
	}
	dst = fmt.Appendf(dst, "#EXTM3U\n#EXT-X-VERSION:%d\n#EXT-X-TARGETDURATION:%d\n#EXT-X-MEDIA-SEQUENCE:%d\n", k.version(), k.Segment, first)
	switch {
	case !k.Live:
		dst = append(dst, "#EXT-X-PLAYLIST-TYPE:VOD\n"...)
	case k.Conduct.DVR && first == 0:
		dst = append(dst, "#EXT-X-PLAYLIST-TYPE:EVENT\n"...)
	}
	dst = r.appendControl(dst)
	dst = append(dst, "#EXT-X-INDEPENDENT-SEGMENTS\n"...)
	offset := int64(len(p.Init()))
	switch {
	case k.Container == mux.TS:
	case k.ByteRange:
		dst = fmt.Appendf(dst, "#EXT-X-MAP:URI=\"%s.%s\",BYTERANGE=\"%d@0\"\n", r.Track, k.fileExt(), offset)
	default:
		dst = fmt.Appendf(dst, "#EXT-X-MAP:URI=\"%s/init.mp4\"\n", r.Track)
	}
	if n := r.skips(v, end-first); n > 0 {
		dst = fmt.Appendf(dst, "#EXT-X-SKIP:SKIPPED-SEGMENTS=%d\n", n)
		first += n
	}
	if k.Live {
		dst = append(dst, "#EXT-X-PROGRAM-DATE-TIME:"...)
		begin := time.Unix(k.Start+k.offset(m.Event), 0).Add(segmentStart(p, k, first)).UTC()
		dst = begin.AppendFormat(dst, "2006-01-02T15:04:05.000Z07:00")
		dst = append(dst, '\n')
	}
	for seq := first; seq < end; seq++ {
		n := k.Conduct.Loop
		if seq > first && ((n > 0 && seq%n == 0) || k.Conduct.slate(seq) || k.Conduct.slate(seq-1)) {
			dst = append(dst, "#EXT-X-DISCONTINUITY\n"...)
		}
		if r.lowLatency() && seq >= end-partSegments {
			dst = r.appendParts(dst, v, m, seq, k.Segment)
		}
		dst = append(dst, "#EXTINF:"...)
		length := (segmentEnd(p, k, seq) - segmentStart(p, k, seq)).Seconds()
		if k.Conduct.Negative && seq%negativeEvery == 0 {
			length = -length
		}
		dst = strconv.AppendFloat(dst, length, 'f', 6, 64)
		dst = append(dst, ",\n"...)
		if k.ByteRange {
			from, to := k.Span(seq)
			size := p.SegmentSize(from, to)
			dst = fmt.Appendf(dst, "#EXT-X-BYTERANGE:%d@%d\n%s.%s\n", size, offset, r.Track, k.fileExt())
			offset += size
			continue
		}
		dst = r.appendName(dst, v, m, seq, 0)
		dst = append(dst, '\n')
	}
	if m.Ended {
		return append(dst, "#EXT-X-ENDLIST\n"...), nil
	}
	if r.lowLatency() {
		n := k.partial(v.Now.Unix())
		dst = r.appendParts(dst, v, m, end, n)
		dst = append(dst, "#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\""...)
		dst = r.appendName(dst, v, m, end, n+1)
		dst = append(dst, "\"\n"...)
	}
	return dst, nil
}

// negativeEvery is how often a segment has a negative duration.
const negativeEvery = 7

// partSegments is of how many complete segments the parts are listed.
const partSegments = 2

// lowLatency tells whether the playlist of r lists parts: that of the last rendition does.
func (r Request) lowLatency() bool {
	return r.Knobs.Conduct.Parts && r.Track == renditionNames[r.Knobs.Renditions-1]
}

// version is the EXT-X-VERSION of the media playlists of k.
func (k Knobs) version() int {
	switch {
	case k.Conduct.CanSkip || k.Conduct.Parts:
		return 9
	case k.Container == mux.FMP4:
		return 6 // EXT-X-MAP
	case k.ByteRange:
		return 4
	}
	return 3
}

// appendControl appends what the server offers beside whole playlists (RFC 8216bis §4.4.3.8).
func (r Request) appendControl(dst []byte) []byte {
	c := r.Knobs.Conduct
	control := ""
	if c.CanSkip {
		control += fmt.Sprintf(",CAN-SKIP-UNTIL=%d", skipUntil*r.Knobs.Segment)
	}
	if c.CanBlock {
		control += ",CAN-BLOCK-RELOAD=YES"
	}
	if r.lowLatency() {
		control += ",PART-HOLD-BACK=3.0"
	}
	if control != "" {
		dst = fmt.Appendf(dst, "#EXT-X-SERVER-CONTROL:%s\n", control[1:])
	}
	if r.lowLatency() {
		dst = append(dst, "#EXT-X-PART-INF:PART-TARGET=1.0\n"...)
	}
	return dst
}

// appendParts appends the first n parts of a segment, of a second each.
func (r Request) appendParts(dst []byte, v Visit, m Moment, seq, n int64) []byte {
	for part := int64(1); part <= n; part++ {
		dst = append(dst, "#EXT-X-PART:DURATION=1.0,INDEPENDENT=YES,URI=\""...)
		dst = r.appendName(dst, v, m, seq, part)
		dst = append(dst, "\"\n"...)
	}
	return dst
}

// segmentStart and segmentEnd are when the media of a segment begins and ends on
// the timeline. Video fills whole seconds; audio alone begins and ends with a
// frame, up to 21 ms earlier, and its playlist says so to the microsecond.
func segmentStart(p *mux.Program, k Knobs, seq int64) time.Duration {
	from, _ := k.Span(seq)
	return mediaTime(p, from)
}

func segmentEnd(p *mux.Program, k Knobs, seq int64) time.Duration {
	_, to := k.Span(seq)
	return mediaTime(p, to)
}

func mediaTime(p *mux.Program, second int64) time.Duration {
	whole := time.Duration(second) * time.Second
	if p.Video != nil {
		return whole
	}
	start, _ := mux.AudioSpan(p.Audio, second, second)
	rest := start - second*p.Audio.Timescale
	return whole + time.Duration(rest)*time.Second/time.Duration(p.Audio.Timescale)
}
