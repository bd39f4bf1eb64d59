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

// AppendMultivariant appends the multivariant playlist of k (RFC 8216 §4.3.4).
func (c *Catalog) AppendMultivariant(dst []byte, k Knobs) []byte {
	dst = append(dst, "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-INDEPENDENT-SEGMENTS\n"...)
	var audioPeak, audioMean int64
	group := ""
	if k.SeparateAudio {
		audioPeak, audioMean = c.rates(k, AudioName)
		group = `,AUDIO="audio"`
		dst = fmt.Appendf(dst, "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"audio\",NAME=\"English\",LANGUAGE=\"en\","+
			"DEFAULT=YES,AUTOSELECT=YES,CHANNELS=\"%d\",URI=\"%s.m3u8\"\n", c.library.Audio.Channels, AudioName)
	}
	for _, name := range renditionNames[:k.Renditions] {
		t := c.library.Track(name)
		peak, mean := c.rates(k, name)
		dst = fmt.Appendf(dst, "#EXT-X-STREAM-INF:BANDWIDTH=%d,AVERAGE-BANDWIDTH=%d,CODECS=\"%s,%s\",RESOLUTION=%dx%d,FRAME-RATE=%.3f%s\n%s.m3u8\n",
			peak+audioPeak, mean+audioMean, t.Codec, c.library.Audio.Codec, t.Width, t.Height,
			float64(t.Timescale)/float64(t.SampleTicks), group, name)
	}
	return dst
}

// AppendPlaylist appends the media playlist of the track of r as it is at the
// Unix second now. It returns ErrNotStarted when there is nothing to list yet.
func (c *Catalog) AppendPlaylist(dst []byte, r Request, now int64) ([]byte, error) {
	k := r.Knobs
	p := c.program(k, r.Track)
	end := k.Count(now)
	if end == 0 {
		return dst, ErrNotStarted
	}
	first := int64(0)
	if k.Live {
		first = max(0, end-k.Window)
	}
	version := 3
	switch {
	case k.Container == mux.FMP4:
		version = 6 // EXT-X-MAP
	case k.ByteRange:
		version = 4
	}
	dst = fmt.Appendf(dst, "#EXTM3U\n#EXT-X-VERSION:%d\n#EXT-X-TARGETDURATION:%d\n#EXT-X-MEDIA-SEQUENCE:%d\n", version, k.Segment, first)
	if !k.Live {
		dst = append(dst, "#EXT-X-PLAYLIST-TYPE:VOD\n"...)
	}
	dst = append(dst, "#EXT-X-INDEPENDENT-SEGMENTS\n"...)
	offset := int64(len(p.Init()))
	switch {
	case k.Container == mux.TS:
	case k.ByteRange:
		dst = fmt.Appendf(dst, "#EXT-X-MAP:URI=\"%s.%s\",BYTERANGE=\"%d@0\"\n", r.Track, k.fileExt(), offset)
	default:
		dst = fmt.Appendf(dst, "#EXT-X-MAP:URI=\"%s/init.mp4\"\n", r.Track)
	}
	if k.Live {
		dst = append(dst, "#EXT-X-PROGRAM-DATE-TIME:"...)
		begin := time.Unix(k.Start, 0).Add(segmentStart(p, k, first)).UTC()
		dst = begin.AppendFormat(dst, "2006-01-02T15:04:05.000Z07:00")
		dst = append(dst, '\n')
	}
	for seq := first; seq < end; seq++ {
		dst = append(dst, "#EXTINF:"...)
		dst = strconv.AppendFloat(dst, (segmentEnd(p, k, seq) - segmentStart(p, k, seq)).Seconds(), 'f', 6, 64)
		dst = append(dst, ",\n"...)
		if k.ByteRange {
			from, to := k.Span(seq)
			size := p.SegmentSize(from, to)
			dst = fmt.Appendf(dst, "#EXT-X-BYTERANGE:%d@%d\n%s.%s\n", size, offset, r.Track, k.fileExt())
			offset += size
			continue
		}
		dst = append(dst, r.Track...)
		dst = append(dst, '/')
		dst = strconv.AppendInt(dst, seq, 10)
		dst = append(dst, '.')
		dst = append(dst, k.SegmentExt()...)
		dst = append(dst, '\n')
	}
	if k.Ended(now) {
		dst = append(dst, "#EXT-X-ENDLIST\n"...)
	}
	return dst, nil
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
