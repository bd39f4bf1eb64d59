package timeline

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/p2pstream/p2pstream/runtime/origin/mux"
)

// ClockPath is where the origin tells the time by which its live streams go, as a date and time (ISO 8601).
const ClockPath = "/time"

// AppendMPDAt appends the MPD of k as a visit gets it (ISO/IEC 23009-1). It returns ErrGone when an event has been
// removed. While a live stream lasts, its MPD does not change: what is there follows from the clock, except with timeline
// and with segments that have names of their own. Once it has ended, it lists the last window.
func (c *Catalog) AppendMPDAt(dst []byte, k Knobs, v Visit) ([]byte, error) {
	s := mpdState{Catalog: c, k: k, v: v, m: k.Moment(v.Now.Unix())}
	if s.m.Gone {
		return dst, ErrGone
	}
	s.listed(v)
	dst = append(dst, `<?xml version="1.0" encoding="UTF-8"?>`+"\n"+`<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" profiles="urn:mpeg:dash:profile:isoff-live:2011" `...)
	seg := k.Segment
	if s.dynamic {
		begin := time.Unix(k.Start+k.offset(s.m.Event), 0).UTC().Format(time.RFC3339)
		dst = fmt.Appendf(dst, `type="dynamic" availabilityStartTime="%s" publishTime="%s" minimumUpdatePeriod="PT%dS" `, begin, begin, seg)
		if !k.Conduct.DVR {
			dst = fmt.Appendf(dst, `timeShiftBufferDepth="PT%dS" `, k.Window*seg)
		}
		// Half a minute behind the edge with the default window: room for peers, and for segments to leave the window.
		dst = fmt.Appendf(dst, `suggestedPresentationDelay="PT%dS" `, k.Window*seg*delayPercent/100)
	} else {
		dst = fmt.Appendf(dst, `type="static" mediaPresentationDuration="PT%dS" `, s.until)
	}
	dst = fmt.Appendf(dst, "maxSegmentDuration=\"PT%dS\" minBufferTime=\"PT%dS\">\n", seg, seg)
	dst = fmt.Appendf(dst, "<Period id=\"%d\" start=\"PT%dS\">\n", s.m.Event, s.from)
	dst = append(dst, `<AdaptationSet contentType="video" mimeType="video/mp4" segmentAlignment="true" startWithSAP="1">`+"\n"...)
	for _, name := range k.videoTracks(v.Now.Unix()) {
		t := c.library.Track(base(name))
		codecs := t.Codec
		if !k.SeparateAudio {
			codecs += "," + c.library.Audio.Codec
		}
		peak, _ := c.rates(k, name)
		dst = fmt.Appendf(dst, "<Representation id=\"%s\" bandwidth=\"%d\" codecs=\"%s\" width=\"%d\" height=\"%d\" frameRate=\"%d/%d\">\n",
			name, peak, codecs, t.Width, t.Height, t.Timescale, t.SampleTicks)
		dst = append(s.appendSegments(dst, name), "</Representation>\n"...)
	}
	dst = append(dst, "</AdaptationSet>\n"...)
	for _, name := range k.audioTracks() {
		a := c.library.Audio
		peak, _ := c.rates(k, name)
		dst = append(dst, `<AdaptationSet contentType="audio" mimeType="audio/mp4" lang="en" segmentAlignment="true" startWithSAP="1">`+"\n"...)
		dst = fmt.Appendf(dst, "<Representation id=\"%s\" bandwidth=\"%d\" codecs=\"%s\" audioSamplingRate=\"%d\">\n", name, peak, a.Codec, a.SampleRate)
		dst = fmt.Appendf(dst, "<AudioChannelConfiguration schemeIdUri=\"urn:mpeg:dash:23003:3:audio_channel_configuration:2011\" value=\"%d\"/>\n", a.Channels)
		dst = append(s.appendSegments(dst, name), "</Representation>\n</AdaptationSet>\n"...)
	}
	dst = append(dst, "</Period>\n"...)
	if s.dynamic {
		dst = append(dst, `<UTCTiming schemeIdUri="urn:mpeg:dash:utc:http-iso:2014" value="`+ClockPath+`"/>`+"\n"...)
	}
	return append(dst, "</MPD>\n"...), nil
}

// delayPercent is how much of the window players stay behind the live edge.
const delayPercent = 70

// mpdState is what an MPD shows at one moment.
type mpdState struct {
	*Catalog
	k       Knobs
	v       Visit
	m       Moment
	dynamic bool
	// first and end are the segments that are listed, the end exclusive; from and until are when they begin and end, in seconds.
	// While a stream is live, from is 0, and until of no use.
	first, end, from, until int64
}

// listed finds out which segments the MPD lists.
func (s *mpdState) listed(v Visit) {
	k := s.k
	s.dynamic, s.end = k.Live && !s.m.Ended, s.m.Count
	if stale := k.Conduct.Stale; stale > 0 && s.dynamic && chance("", "stale", v.Now.UnixNano()) < 50 {
		s.end = min(s.end, max(1, s.end-stale))
	}
	if k.Live {
		keep := k.Window
		if k.Conduct.DVR {
			keep = maxListed
		}
		s.first = max(0, s.end-keep)
	}
	if s.dynamic {
		return
	}
	s.from, _ = k.Span(s.first)
	_, s.until = k.Span(max(s.first, s.end-1))
}

// videoTracks are the tracks of video at the Unix second now: a late one comes first, since a player that chooses the first
// one takes it.
func (k Knobs) videoTracks(now int64) []string {
	names := renditionNames[:k.Renditions]
	var out []string
	if last := len(names) - 1; k.Conduct.Late > 0 && last > 0 {
		if now >= k.Start+k.Conduct.Late {
			out = append(out, names[last])
		}
		names = names[:last]
	}
	for _, name := range names {
		out = append(out, name)
		if name == renditionNames[0] && (k.Conduct.Cameras || k.Conduct.Backup) {
			out = append(out, name+twinSuffix)
		}
	}
	return out
}

// audioTracks are the tracks of audio alone.
func (k Knobs) audioTracks() []string {
	switch {
	case !k.SeparateAudio:
		return nil
	case k.Conduct.Twins:
		return []string{AudioName, AudioName + twinSuffix}
	}
	return []string{AudioName}
}

// appendSegments appends what names the segments of a track.
func (s *mpdState) appendSegments(dst []byte, track string) []byte {
	k, r := s.k, Request{Knobs: s.k, Track: track}
	p := s.program(k, track)
	timescale := int64(1)
	if k.Timeline {
		timescale = ticks(p)
	}
	shift := k.offset(s.m.Event) + s.from // of the media when the period begins
	info := fmt.Sprintf("timescale=\"%d\" presentationTimeOffset=\"%d\"", timescale, shift*timescale)
	if !k.Timeline {
		info += fmt.Sprintf(" duration=\"%d\"", k.Segment)
	}
	switch {
	case k.ByteRange:
		offset := int64(len(p.Init()))
		dst = fmt.Appendf(dst, "<BaseURL>%s.%s</BaseURL>\n<SegmentList %s>\n<Initialization range=\"0-%d\"/>\n", track, k.fileExt(), info, offset-1)
		dst = s.appendTimeline(dst, p)
		for seq := s.first; seq < s.end; seq++ {
			size := p.SegmentSize(k.Span(seq))
			dst = fmt.Appendf(dst, "<SegmentURL mediaRange=\"%d-%d\"/>\n", offset, offset+size-1)
			offset += size
		}
		return append(dst, "</SegmentList>\n"...)
	case k.Conduct.names() || (k.Conduct.Ads && SessionOf(s.v.Query) != ""):
		// In a list, the first segment is number 1 of a period.
		dst = fmt.Appendf(dst, "<SegmentList %s startNumber=\"%d\">\n<Initialization sourceURL=\"%s/init.mp4\"/>\n", info, s.first-s.before()+1, track)
		dst = s.appendTimeline(dst, p)
		for seq := s.first; seq < s.end; seq++ {
			name := string(r.appendName(nil, s.v, s.m, seq, 0))
			dst = fmt.Appendf(dst, "<SegmentURL media=\"%s\"/>\n", strings.ReplaceAll(name, "&", "&amp;"))
		}
		return append(dst, "</SegmentList>\n"...)
	}
	number := s.before()
	if k.Timeline {
		number = s.first
	}
	dst = fmt.Appendf(dst, "<SegmentTemplate %s startNumber=\"%d\" initialization=\"%s/init.mp4\" media=\"%s\">\n", info, number, track, r.template(s.v, s.m))
	return append(s.appendTimeline(dst, p), "</SegmentTemplate>\n"...)
}

// before is the number of segments before the period.
func (s *mpdState) before() int64 { return s.from / s.k.Segment }

// appendTimeline appends when the listed segments begin and how long they are, if the stream has a timeline.
func (s *mpdState) appendTimeline(dst []byte, p *mux.Program) []byte {
	if !s.k.Timeline {
		return dst
	}
	dst = append(dst, "<SegmentTimeline>\n"...)
	offset := s.k.offset(s.m.Event)
	for seq := s.first; seq < s.end; seq++ {
		from, to := s.k.Span(seq)
		start, end := span(p, from+offset, to+offset)
		dst = fmt.Appendf(dst, "<S t=\"%d\" d=\"%d\"/>\n", start, end-start)
	}
	return append(dst, "</SegmentTimeline>\n"...)
}

// ticks is the number of ticks per second in which the media of a program counts.
func ticks(p *mux.Program) int64 {
	if p.Video != nil {
		return p.Video.Timescale
	}
	return p.Audio.Timescale
}

// span is where the media of the seconds from to to lies, in ticks.
func span(p *mux.Program, from, to int64) (start, end int64) {
	if p.Video != nil {
		return from * p.Video.Timescale, to * p.Video.Timescale
	}
	return mux.AudioSpan(p.Audio, from, to)
}

// names tells whether a template cannot name the segments: each name has something of its own.
func (c Conduct) names() bool { return c.Signed > 0 || c.Loop > 0 || c.Wrap > 0 || c.Slate > 0 }

// template is the name of the segments of r with $Number$ in it.
func (r Request) template(v Visit, m Moment) string {
	c := r.Knobs.Conduct
	out := ""
	if c.Passes > 0 {
		out = "pass_" + strconv.FormatInt(v.Now.Unix()+c.Passes, 10) + "/"
	}
	out += r.Track + "/"
	if c.NewNames {
		out += prefixEvent + strconv.FormatInt(m.Event, 10) + "-"
	}
	out += "$Number$." + r.Knobs.SegmentExt()
	if c.Watermark && !c.Cookie && v.Session != "" {
		out += "?" + QuerySession(v.Session)
	}
	return out
}
