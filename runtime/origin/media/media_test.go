package media

import (
	"bytes"
	"testing"
)

func TestLoad(t *testing.T) {
	lib, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	if len(lib.Renditions) != 3 {
		t.Fatalf("%d renditions", len(lib.Renditions))
	}
	size, last := 0, 0
	for _, r := range lib.Renditions {
		bytes := 0
		for _, s := range r.Samples {
			bytes += len(s.Data)
		}
		if bytes <= last || r.Height <= 0 || r.Width <= r.Height {
			t.Errorf("%s: %dx%d with %d bytes after %d", r.Name, r.Width, r.Height, bytes, last)
		}
		last = bytes
		size += bytes
		if kbit := bytes * 8 / LoopSeconds / 1000; kbit < 150 || kbit > 800 {
			t.Errorf("%s has %d kbit/s", r.Name, kbit)
		}
		if len(r.Samples) != 25*LoopSeconds || r.SampleTicks != 3600 {
			t.Errorf("%s has %d pictures of %d ticks", r.Name, len(r.Samples), r.SampleTicks)
		}
		if lib.Track(r.Name) != r {
			t.Errorf("%s is not found by its name", r.Name)
		}
	}
	if a := lib.Audio; a.Codec != "mp4a.40.2" || a.Channels != 2 || len(a.Samples) != 750 || lib.Track("audio") != a {
		t.Errorf("audio %s, %d channels, %d frames", a.Codec, a.Channels, len(a.Samples))
	}
	if lib.Track("1080p") != nil {
		t.Error("a rendition that does not exist")
	}
	if total := len(file240p) + len(file360p) + len(file480p) + len(fileAudio); total > 3<<20 || total < size {
		t.Errorf("the media files have %d bytes", total)
	}
}

// Two key pictures in a row must have different idr_pic_id (H.264 §7.4.3), also
// across the loop point; equal neighbours would begin with equal slice headers.
func TestKeyPicturesAlternate(t *testing.T) {
	lib, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range lib.Renditions {
		heads := make([][]byte, LoopSeconds)
		for s := range heads {
			data := r.Samples[s*25].Data
			heads[s] = data[4:8] // NAL header and the first fields of the slice header
		}
		for s := range heads {
			if bytes.Equal(heads[s], heads[(s+1)%LoopSeconds]) {
				t.Errorf("%s: seconds %d and %d begin alike: % x", r.Name, s, (s+1)%LoopSeconds, heads[s])
			}
		}
	}
}

func FuzzParseTrack(f *testing.F) {
	f.Add(fileAudio[:4000])
	f.Add(file240p[:40000])
	f.Add([]byte{0, 0, 0, 8, 'm', 'o', 'o', 'v'})
	f.Fuzz(func(t *testing.T, b []byte) {
		tr, err := parseTrack("x", b)
		if err != nil {
			return
		}
		total := 0
		for _, s := range tr.Samples {
			total += len(s.Data)
		}
		if total > len(b) {
			t.Fatalf("%d bytes of samples in %d", total, len(b))
		}
	})
}
