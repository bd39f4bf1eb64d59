package mux

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/p2pstream/p2pstream/runtime/origin/media"
)

func library(t testing.TB) *media.Library {
	t.Helper()
	lib, err := media.Load()
	if err != nil {
		t.Fatal(err)
	}
	return lib
}

// programs calls each for every way to pack the lowest rendition.
func programs(t *testing.T, c Container, each func(t *testing.T, p *Program)) {
	lib := library(t)
	for name, tracks := range map[string][2]*media.Track{
		"muxed": {lib.Renditions[0], lib.Audio},
		"video": {lib.Renditions[0], nil},
		"audio": {nil, lib.Audio},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := NewProgram(c, tracks[0], tracks[1])
			if err != nil {
				t.Fatal(err)
			}
			each(t, p)
		})
	}
}

func TestNoTracks(t *testing.T) {
	if _, err := NewProgram(TS, nil, nil); err == nil {
		t.Error("a program of nothing")
	}
}

// today is a second of the timeline that live streams reach, away from any loop
// boundary.
const today = 1_795_367_389

func TestSegmentSize(t *testing.T) {
	for _, c := range []Container{FMP4, TS} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			programs(t, c, func(t *testing.T, p *Program) {
				for _, from := range []int64{0, 1, 15, 16, 1000, today} {
					for _, n := range []int64{1, 2, 6, 16, 17, 60} {
						got := p.AppendSegment([]byte("x"), from, from+n)
						if int64(len(got)) != 1+p.SegmentSize(from, from+n) {
							t.Fatalf("%d s from %d: %d bytes, SegmentSize says %d", n, from, len(got)-1, p.SegmentSize(from, from+n))
						}
					}
				}
			})
		})
	}
}

// The same second has the same bytes whatever segment it is in, and no two
// seconds of a day have the same bytes.
func TestSecondsDiffer(t *testing.T) {
	for _, c := range []Container{FMP4, TS} {
		programs(t, c, func(t *testing.T, p *Program) {
			long := p.AppendSegment(nil, today, today+20)
			parts := p.AppendSegment(nil, today, today+7)
			rest := p.AppendSegment(nil, today+7, today+20)
			if c == FMP4 {
				rest = rest[len(segmentType):]
			}
			if !bytes.Equal(long, append(parts, rest...)) {
				t.Error("the cut into segments shows")
			}
			for _, d := range []int64{1, 16, 160, 16 * 16, 3600, 86400} {
				if bytes.Equal(p.AppendSegment(nil, today, today+1), p.AppendSegment(nil, today+d, today+d+1)) {
					t.Errorf("second %d is as second 0", d)
				}
			}
		})
	}
}

// tsReader follows a transport stream and fails on anything that breaks it.
type tsReader struct {
	t        *testing.T
	counters map[int]byte
	pts      map[int][]int64
	clocks   []int64
}

func (r *tsReader) read(b []byte) {
	r.t.Helper()
	if len(b)%packetSize != 0 {
		r.t.Fatalf("%d bytes are no whole packets", len(b))
	}
	for ; len(b) > 0; b = b[packetSize:] {
		p := b[:packetSize]
		if p[0] != 0x47 || p[1]&0x80 != 0 {
			r.t.Fatal("no sync byte")
		}
		pid := int(binary.BigEndian.Uint16(p[1:]) & 0x1FFF)
		if last, ok := r.counters[pid]; ok && p[3]&15 != (last+1)&15 {
			r.t.Fatalf("continuity counter of %#x jumps from %d to %d", pid, last, p[3]&15)
		}
		r.counters[pid] = p[3] & 15
		payload := p[4:]
		if p[3]&0x20 != 0 {
			n := int(payload[0])
			if n > 183 {
				r.t.Fatalf("adaptation field of %d bytes", n)
			}
			if n > 0 && payload[1]&0x10 != 0 {
				r.clocks = append(r.clocks, int64(binary.BigEndian.Uint32(payload[2:]))<<1|int64(payload[6]>>7))
			}
			payload = payload[1+n:]
		}
		if p[1]&0x40 == 0 {
			continue
		}
		if pid == 0 || pid == pidPMT {
			size := int(binary.BigEndian.Uint16(payload[2:]) & 0xFFF)
			if sectionCRC(payload[1:4+size]) != 0 {
				r.t.Fatalf("checksum of table %#x", payload[1])
			}
			continue
		}
		if !bytes.Equal(payload[:3], []byte{0, 0, 1}) {
			r.t.Fatal("no PES header")
		}
		h := payload[9:]
		pts := int64(h[0]>>1&7)<<30 | int64(h[1])<<22 | int64(h[2]>>1)<<15 | int64(h[3])<<7 | int64(h[4]>>1)
		r.pts[pid] = append(r.pts[pid], pts)
	}
}

func TestTransportStreamGoesOn(t *testing.T) {
	// Where the 33-bit clock wraps for the first time.
	wrap := int64((1<<33 - tsOffset) / 90000)
	for _, from := range []int64{0, 5, wrap - 10, today} {
		programs(t, TS, func(t *testing.T, p *Program) {
			r := tsReader{t: t, counters: map[int]byte{}, pts: map[int][]int64{}}
			for s := from; s < from+40; s += 4 {
				r.read(p.AppendSegment(nil, s, s+4))
			}
			for pid, list := range r.pts {
				begin := (from*90000 + tsOffset) & timestampMask
				if d := (begin - list[0]) & timestampMask; d >= 1920 {
					t.Errorf("stream %#x begins %d ticks early", pid, d)
				}
				for i := 1; i < len(list); i++ {
					if d := (list[i] - list[i-1]) & timestampMask; d == 0 || d > 6*1920 || pid == pidES0+esVideo && d != 3600 {
						t.Fatalf("stream %#x: timestamp %d comes %d after %d", pid, list[i], d, list[i-1])
					}
				}
			}
			for i := 1; i < len(r.clocks); i++ {
				if d := (r.clocks[i] - r.clocks[i-1]) & timestampMask; d > 90000/10+6*1920 {
					t.Fatalf("clock references are %d ticks apart", d)
				}
			}
			if len(r.clocks) < 100 {
				t.Errorf("%d clock references", len(r.clocks))
			}
		})
	}
}

// walk calls each for every box of b, going into containers.
func walk(t *testing.T, b []byte, each func(kind string, body []byte, at int)) {
	t.Helper()
	var in func(b []byte, base int)
	in = func(b []byte, base int) {
		for at := 0; at < len(b); {
			size := int(binary.BigEndian.Uint32(b[at:]))
			if size < 8 || size > len(b)-at {
				t.Fatalf("box %q of %d bytes", b[at+4:at+8], size)
			}
			kind, body := string(b[at+4:at+8]), b[at+8:at+size]
			each(kind, body, base+at)
			switch kind {
			case "moof", "traf", "moov", "trak", "mdia", "minf", "stbl", "mvex", "dinf":
				in(body, base+at+8)
			}
			at += size
		}
	}
	in(b, 0)
}

func TestFragmentsGoOn(t *testing.T) {
	programs(t, FMP4, func(t *testing.T, p *Program) {
		next := map[uint32]uint64{}
		var sequence uint32
		for s := int64(today); s < today+40; s += 4 {
			seg := p.AppendSegment(nil, s, s+4)
			var id uint32
			var moof, claimed int
			walk(t, seg, func(kind string, body []byte, at int) {
				switch kind {
				case "moof":
					moof, claimed = at, 0
				case "mfhd":
					n := binary.BigEndian.Uint32(body[4:])
					if sequence != 0 && n != sequence+1 {
						t.Fatalf("fragment %d comes after %d", n, sequence)
					}
					sequence = n
				case "tfhd":
					id = binary.BigEndian.Uint32(body[4:])
				case "tfdt":
					begin := binary.BigEndian.Uint64(body[4:])
					if want, ok := next[id]; ok && begin != want {
						t.Fatalf("track %d goes on at %d, not %d", id, begin, want)
					}
					next[id] = begin
				case "trun":
					count := binary.BigEndian.Uint32(body[4:])
					ticks, sizes := uint64(1024), body[12:]
					if id == videoTrackID {
						ticks, sizes = 3600, body[16:]
					}
					next[id] += uint64(count) * ticks
					offset := int(binary.BigEndian.Uint32(body[8:]))
					if mdat := moof + offset - claimed; string(seg[mdat-4:mdat]) != "mdat" {
						t.Fatalf("track %d points to offset %d", id, offset)
					}
					for i := range count {
						claimed += int(binary.BigEndian.Uint32(sizes[4*i:]))
					}
				case "mdat":
					if claimed != len(body) {
						t.Fatalf("%d bytes of mdat, %d are claimed", len(body), claimed)
					}
				}
			})
		}
		for id, end := range next {
			want := uint64(today+40) * 90000
			if id == audioTrackID {
				want = (today + 40) * 48000 / 1024 * 1024
			}
			if end != want {
				t.Errorf("track %d ends at %d, want %d", id, end, want)
			}
		}
	})
}

func TestAudioSpan(t *testing.T) {
	audio := library(t).Audio
	for s := int64(0); s < 100; s++ {
		start, end := AudioSpan(audio, s, s+1)
		if start > s*48000 || start <= s*48000-1024 || end > (s+1)*48000 || start%1024 != 0 {
			t.Fatalf("second %d spans %d to %d", s, start, end)
		}
	}
}

func BenchmarkSegment(b *testing.B) {
	lib := library(b)
	for name, c := range map[string]Container{"fmp4": FMP4, "ts": TS} {
		b.Run(name, func(b *testing.B) {
			p, err := NewProgram(c, lib.Renditions[2], lib.Audio)
			if err != nil {
				b.Fatal(err)
			}
			var buf []byte
			b.ReportAllocs()
			b.SetBytes(p.SegmentSize(today, today+4))
			for b.Loop() {
				buf = p.AppendSegment(buf[:0], today, today+4)
			}
		})
	}
}
