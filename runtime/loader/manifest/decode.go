package manifest

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/grafov/m3u8"
)

// decodedMedia is what the library behind this file contributes.
type decodedMedia struct {
	seconds []float64
}

var errDecode = errors.New("the playlist decoder disagrees with the scan")

// decodeMedia gives the scanned playlist to grafov/m3u8, in a clean form: no
// blank lines, no tags it trips over, absolute URIs. The library panics on some
// inputs (a key before a blank line is enough), so this is the one place that
// recovers; and what it returns is held against the scan.
func decodeMedia(s *mediaScan) (out decodedMedia, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%w: it panicked: %v", errDecode, r)
		}
	}()
	list, err := m3u8.NewMediaPlaylist(0, uint(len(s.entries)))
	if err != nil {
		return out, fmt.Errorf("creating playlist decoder: %w", err)
	}
	if err := list.Decode(*cleanMedia(s), true); err != nil {
		return out, fmt.Errorf("%w: %w", errDecode, err)
	}
	if list.Count() != uint(len(s.entries)) || list.SeqNo != uint64(s.sequence) || list.Closed != s.ended {
		return out, errDecode
	}
	out.seconds = make([]float64, len(s.entries))
	for i, segment := range list.Segments[:len(s.entries)] {
		if segment == nil || segment.URI != s.entries[i].url || segment.Duration != s.entries[i].seconds {
			return out, errDecode
		}
		out.seconds[i] = segment.Duration
	}
	return out, nil
}

func cleanMedia(s *mediaScan) *bytes.Buffer {
	b := new(bytes.Buffer)
	b.Grow(128 + 128*len(s.entries))
	// Writes to a bytes.Buffer cannot fail.
	_, _ = fmt.Fprintf(b, "#EXTM3U\n#EXT-X-TARGETDURATION:%d\n#EXT-X-MEDIA-SEQUENCE:%d\n", s.targetDuration, s.sequence)
	for _, e := range s.entries {
		if e.discontinuity {
			b.WriteString("#EXT-X-DISCONTINUITY\n")
		}
		b.WriteString("#EXTINF:")
		b.WriteString(e.duration)
		b.WriteString(",\n")
		b.WriteString(e.url)
		b.WriteByte('\n')
	}
	if s.ended {
		b.WriteString("#EXT-X-ENDLIST\n")
	}
	return b
}
