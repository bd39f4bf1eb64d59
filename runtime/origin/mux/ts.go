package mux

import (
	"encoding/binary"
	"hash/crc32"
	"math/bits"

	"github.com/p2pstream/p2pstream/runtime/origin/media"
)

const (
	packetSize  = 188
	payloadSize = packetSize - 4

	pidPMT = 0x1000
	pidES0 = 0x0100 // plus the index of the elementary stream

	esVideo = 0
	esAudio = 1

	// tsOffset is where the timeline begins on the 90 kHz clock, and tsLead how
	// much earlier than its timestamp data arrives: a decoder's buffer has time
	// to fill, and no clock reference is below zero.
	tsOffset = 126000 // 1.4 s
	tsLead   = 63000  // 0.7 s

	timestampMask = 1<<33 - 1

	// audioFramesPerPES keeps the overhead of audio below a tenth.
	audioFramesPerPES = 6
)

// tsWriter writes transport packets and keeps the continuity counters of the
// elementary streams.
type tsWriter struct {
	out     []byte
	counter [2]uint8
	written [2]int
	pes     []byte // scratch
}

// writeTS writes second s: tables, then pictures, each followed by the audio
// that begins before the next.
func (p *Program) writeTS(w *tsWriter, s int64) {
	w.out = appendPSI(w.out, 0, uint8(s%16), patSection)
	w.out = appendPSI(w.out, pidPMT, uint8(s%16), p.pmtSection())
	var audio, audioEnd int64
	if p.Audio != nil {
		audio, audioEnd = frames(p.Audio, s, s+1)
	}
	if p.Video != nil {
		first, last := frames(p.Video, s, s+1)
		for i := first; i < last; i++ {
			w.picture(p.Video, sample(p.Video, i), timestamp(p.Video, i))
			for audio+audioFramesPerPES <= audioEnd && timestamp(p.Audio, audio) < timestamp(p.Video, i+1) {
				w.frames(p.Audio, audio, audio+audioFramesPerPES, false)
				audio += audioFramesPerPES
			}
		}
	}
	for audio < audioEnd {
		end := min(audio+audioFramesPerPES, audioEnd)
		w.frames(p.Audio, audio, end, p.Video == nil)
		audio = end
	}
}

// timestamp is when sample i of the endless sequence begins, on the 90 kHz clock
// and before it wraps. The samples of all tracks last whole ticks of that clock.
func timestamp(t *media.Track, i int64) int64 {
	return i * (t.SampleTicks * 90000 / t.Timescale)
}

// picture writes the PES packet of one access unit in byte stream format (ITU-T
// H.264 Annex B), with a delimiter and, before key pictures, parameter sets.
func (w *tsWriter) picture(t *media.Track, s media.Sample, pts int64) {
	// The length of a video PES packet may be left open.
	pes := appendPESHeader(w.pes[:0], 0xE0, 0, pts)
	pes = append(pes, 0, 0, 0, 1, 9, 0xF0)
	if s.Key {
		pes = append(append(pes, 0, 0, 0, 1), t.SPS...)
		pes = append(append(pes, 0, 0, 0, 1), t.PPS...)
	}
	for au := s.Data; len(au) > 0; {
		n := int(binary.BigEndian.Uint32(au))
		pes = append(append(pes, 0, 0, 0, 1), au[4:4+n]...)
		au = au[4+n:]
	}
	w.pes = pes
	w.packets(esVideo, pes, s.Key, true, pts)
}

// frames writes a PES packet of the audio frames first to last, each behind an
// ADTS header. With clock the stream carries the clock reference of the program.
func (w *tsWriter) frames(t *media.Track, first, last int64, clock bool) {
	const adtsSize = 7
	size := 0
	for i := first; i < last; i++ {
		size += adtsSize + len(sample(t, i).Data)
	}
	pts := timestamp(t, first)
	pes := appendPESHeader(w.pes[:0], 0xC0, size, pts)
	for i := first; i < last; i++ {
		data := sample(t, i).Data
		n := adtsSize + len(data)
		object, rate, channels := t.ADTS[0], t.ADTS[1], t.ADTS[2]
		pes = append(pes, 0xFF, 0xF1, object<<6|rate<<2|channels>>2,
			channels<<6|byte(n>>11), byte(n>>3), byte(n<<5)|0x1F, 0xFC)
		pes = append(pes, data...)
	}
	w.pes = pes
	w.packets(esAudio, pes, clock, clock, pts)
}

// appendPESHeader appends the header of a PES packet with size bytes of data; 0
// leaves the length open (ISO/IEC 13818-1 §2.4.3.6).
func appendPESHeader(dst []byte, stream byte, size int, pts int64) []byte {
	const optional = 8 // flags, length and timestamp
	if size > 0 {
		size += optional
	}
	t := (pts + tsOffset) & timestampMask
	return append(dst, 0, 0, 1, stream, byte(size>>8), byte(size),
		0x84, 0x80, 5, // data is aligned; a presentation timestamp only
		0x21|byte(t>>29)&0x0E, byte(t>>22), byte(t>>14)|1, byte(t>>7), byte(t<<1)|1)
}

// packets cuts a PES packet into transport packets. The first one carries the
// random access indicator and the clock reference if asked for; the last one is
// filled up with an adaptation field.
func (w *tsWriter) packets(es int, pes []byte, random, clock bool, pts int64) {
	pid := pidES0 + es
	for first := true; len(pes) > 0; first = false {
		field := 0 // bytes of the adaptation field, its length byte included
		if first && clock {
			field = 8
		} else if first && random {
			field = 2
		}
		if room := payloadSize - field; len(pes) < room {
			field = payloadSize - len(pes)
		}
		unit, control := byte(0), byte(0x10)
		if first {
			unit = 0x40
		}
		if field > 0 {
			control = 0x30
		}
		w.out = append(w.out, 0x47, unit|byte(pid>>8), byte(pid), control|w.counter[es])
		w.counter[es] = (w.counter[es] + 1) & 15
		w.written[es]++
		if field > 0 {
			w.adaptation(field, first && random, first && clock, pts)
		}
		n := payloadSize - field
		w.out = append(w.out, pes[:n]...)
		pes = pes[n:]
	}
}

// adaptation appends an adaptation field of size bytes in all.
func (w *tsWriter) adaptation(size int, random, clock bool, pts int64) {
	w.out = append(w.out, byte(size-1))
	if size == 1 {
		return
	}
	flags, used := byte(0), 2
	if random {
		flags |= 0x40
	}
	if clock {
		flags |= 0x10
	}
	w.out = append(w.out, flags)
	if clock {
		base := (pts + tsOffset - tsLead) & timestampMask
		w.out = append(w.out, byte(base>>25), byte(base>>17), byte(base>>9), byte(base>>1), byte(base<<7)|0x7E, 0)
		used += 6
	}
	for ; used < size; used++ {
		w.out = append(w.out, 0xFF)
	}
}

// patSection names the one program (ISO/IEC 13818-1 §2.4.4.3).
var patSection = section(0x00, []byte{0, 1, 0xE0 | pidPMT>>8, pidPMT & 0xFF})

// pmtSection lists the elementary streams of p (§2.4.4.8).
func (p *Program) pmtSection() []byte {
	clock := byte(esVideo)
	if p.Video == nil {
		clock = esAudio
	}
	body := []byte{0xE0 | pidES0>>8, clock, 0xF0, 0}
	if p.Video != nil {
		body = append(body, 0x1B, 0xE0|pidES0>>8, esVideo, 0xF0, 0)
	}
	if p.Audio != nil {
		body = append(body, 0x0F, 0xE0|pidES0>>8, esAudio, 0xF0, 0)
	}
	return section(0x02, body)
}

// section wraps the body of a table with header and checksum; number 1, version
// 0, current, the only one.
func section(table byte, body []byte) []byte {
	size := 5 + len(body) + 4
	b := []byte{table, 0xB0 | byte(size>>8), byte(size), 0, 1, 0xC1, 0, 0}
	b = append(b, body...)
	return binary.BigEndian.AppendUint32(b, sectionCRC(b))
}

// sectionCRC is the CRC-32 of tables (§2 Annex A): the polynomial of IEEE 802.3,
// most significant bit first and without the final inversion. hash/crc32 works
// least significant bit first, so bits are mirrored before and after.
func sectionCRC(b []byte) uint32 {
	mirrored := make([]byte, len(b))
	for i, x := range b {
		mirrored[i] = bits.Reverse8(x)
	}
	return bits.Reverse32(^crc32.ChecksumIEEE(mirrored))
}

// appendPSI appends a transport packet with a table.
func appendPSI(dst []byte, pid int, counter uint8, section []byte) []byte {
	end := len(dst) + packetSize
	dst = append(dst, 0x47, 0x40|byte(pid>>8), byte(pid), 0x10|counter, 0)
	dst = append(dst, section...)
	for len(dst) < end {
		dst = append(dst, 0xFF)
	}
	return dst
}
