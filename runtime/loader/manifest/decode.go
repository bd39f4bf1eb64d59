package manifest

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"

	"github.com/grafov/m3u8"
)

// maxDecoded is how many entries are given to the decoder: it needs about ten
// times the memory of the scan, and entries of one playlist are alike.
const maxDecoded = 1000

var errDecode = errors.New("the playlist decoder disagrees with the scan")

// checkWithDecoder gives the newest part of the scanned playlist to grafov/m3u8,
// in a clean form: no blank lines, no tags it trips over, absolute URIs. The
// library panics on some inputs (a key before a blank line is enough), so this is
// the one place that recovers; and what it returns is held against the scan.
func checkWithDecoder(s *mediaScan) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%w: it panicked: %v", errDecode, r)
		}
	}()
	entries := s.newest.entries()
	entries = entries[max(0, len(entries)-maxDecoded):]
	list, err := m3u8.NewMediaPlaylist(0, uint(len(entries)))
	if err != nil {
		return fmt.Errorf("creating playlist decoder: %w", err)
	}
	if err := list.Decode(*cleanMedia(s, entries), true); err != nil {
		return fmt.Errorf("%w: %w", errDecode, err)
	}
	if list.Count() != uint(len(entries)) || list.SeqNo != uint64(s.sequence) || list.Closed != s.ended {
		return errDecode
	}
	for i, segment := range list.Segments[:len(entries)] {
		if segment == nil || segment.URI != entries[i].url || segment.Duration != entries[i].seconds {
			return errDecode
		}
	}
	return nil
}

func cleanMedia(s *mediaScan, entries []entry) *bytes.Buffer {
	b := new(bytes.Buffer)
	b.Grow(128 + 128*len(entries))
	// Writes to a bytes.Buffer cannot fail.
	_, _ = fmt.Fprintf(b, "#EXTM3U\n#EXT-X-TARGETDURATION:%d\n#EXT-X-MEDIA-SEQUENCE:%d\n", s.targetDuration, s.sequence)
	for _, e := range entries {
		if e.discontinuity {
			b.WriteString("#EXT-X-DISCONTINUITY\n")
		}
		b.WriteString("#EXTINF:")
		b.Write(strconv.AppendFloat(b.AvailableBuffer(), e.seconds, 'f', -1, 64))
		b.WriteString(",\n")
		b.WriteString(e.url)
		b.WriteByte('\n')
	}
	if s.ended {
		b.WriteString("#EXT-X-ENDLIST\n")
	}
	return b
}
