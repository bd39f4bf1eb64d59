package mux

import (
	"encoding/binary"

	"github.com/p2pstream/p2pstream/runtime/origin/media"
)

const (
	videoTrackID = 1
	audioTrackID = 2

	// Sample flags (ISO/IEC 14496-12 §8.8.3.1): depends on no other sample, and
	// depends on others and is no sync sample.
	flagsSync    = 0x02000000
	flagsNonSync = 0x01010000
)

// box appends a box whose body is written by body, and fills in its size.
func box(dst []byte, kind string, body func([]byte) []byte) []byte {
	start := len(dst)
	dst = append(dst, 0, 0, 0, 0)
	dst = append(dst, kind...)
	dst = body(dst)
	binary.BigEndian.PutUint32(dst[start:], uint32(len(dst)-start)) // media is small
	return dst
}

// fullBox is box for a body that begins with version and flags.
func fullBox(dst []byte, kind string, version byte, flags uint32, body func([]byte) []byte) []byte {
	return box(dst, kind, func(b []byte) []byte {
		return body(u32(b, uint32(version)<<24|flags))
	})
}

func u16(b []byte, v ...uint16) []byte {
	for _, x := range v {
		b = binary.BigEndian.AppendUint16(b, x)
	}
	return b
}

func u32(b []byte, v ...uint32) []byte {
	for _, x := range v {
		b = binary.BigEndian.AppendUint32(b, x)
	}
	return b
}

func zeros(b []byte, n int) []byte { return append(b, make([]byte, n)...) }

// segmentType is the styp box before each segment.
var segmentType = box(nil, "styp", func(b []byte) []byte {
	b = append(b, "msdh"...)
	b = u32(b, 0)
	return append(b, "msdhmsix"...)
})

func appendSegmentType(dst []byte) []byte { return append(dst, segmentType...) }

// tracks lists the tracks of the program with their ids.
func (p *Program) tracks(each func(id uint32, t *media.Track)) {
	if p.Video != nil {
		each(videoTrackID, p.Video)
	}
	if p.Audio != nil {
		each(audioTrackID, p.Audio)
	}
}

// appendInit appends ftyp and moov.
func (p *Program) appendInit(dst []byte) []byte {
	dst = box(dst, "ftyp", func(b []byte) []byte {
		b = append(b, "iso6"...)
		b = u32(b, 0)
		return append(b, "iso6cmfcmp41"...)
	})
	return box(dst, "moov", func(b []byte) []byte {
		b = fullBox(b, "mvhd", 0, 0, func(b []byte) []byte {
			b = u32(b, 0, 0, 1000, 0) // times, timescale, duration unknown
			b = u32(b, 0x00010000)    // rate 1
			b = u16(b, 0x0100, 0)     // volume 1
			b = zeros(b, 8)
			b = matrix(b)
			b = zeros(b, 24)
			return u32(b, audioTrackID+1) // next track id
		})
		p.tracks(func(id uint32, t *media.Track) { b = appendTrak(b, id, t) })
		return box(b, "mvex", func(b []byte) []byte {
			p.tracks(func(id uint32, _ *media.Track) {
				b = fullBox(b, "trex", 0, 0, func(b []byte) []byte { return u32(b, id, 1, 0, 0, 0) })
			})
			return b
		})
	})
}

// matrix appends the unity matrix.
func matrix(b []byte) []byte {
	return u32(b, 0x00010000, 0, 0, 0, 0x00010000, 0, 0, 0, 0x40000000)
}

func appendTrak(dst []byte, id uint32, t *media.Track) []byte {
	return box(dst, "trak", func(b []byte) []byte {
		b = fullBox(b, "tkhd", 0, 7, func(b []byte) []byte {
			b = u32(b, 0, 0, id, 0, 0)
			b = zeros(b, 8)
			volume := uint16(0)
			if !t.Video {
				volume = 0x0100
			}
			b = u16(b, 0, 0, volume, 0)
			b = matrix(b)
			return u32(b, uint32(t.Width)<<16, uint32(t.Height)<<16) // pixels
		})
		return box(b, "mdia", func(b []byte) []byte {
			b = fullBox(b, "mdhd", 0, 0, func(b []byte) []byte {
				b = u32(b, 0, 0, uint32(t.Timescale), 0) // hertz
				return u16(b, 0x55C4, 0)                 // language "und"
			})
			handler, name := "vide", "video"
			if !t.Video {
				handler, name = "soun", "audio"
			}
			b = fullBox(b, "hdlr", 0, 0, func(b []byte) []byte {
				b = u32(b, 0)
				b = append(b, handler...)
				b = zeros(b, 12)
				b = append(b, name...)
				return append(b, 0)
			})
			return box(b, "minf", func(b []byte) []byte {
				if t.Video {
					b = fullBox(b, "vmhd", 0, 1, func(b []byte) []byte { return zeros(b, 8) })
				} else {
					b = fullBox(b, "smhd", 0, 0, func(b []byte) []byte { return zeros(b, 4) })
				}
				b = box(b, "dinf", func(b []byte) []byte {
					return fullBox(b, "dref", 0, 0, func(b []byte) []byte {
						b = u32(b, 1)
						return fullBox(b, "url ", 0, 1, func(b []byte) []byte { return b })
					})
				})
				return box(b, "stbl", func(b []byte) []byte {
					b = fullBox(b, "stsd", 0, 0, func(b []byte) []byte {
						b = u32(b, 1)
						return append(b, t.Entry...)
					})
					for _, kind := range []string{"stts", "stsc", "stco"} {
						b = fullBox(b, kind, 0, 0, func(b []byte) []byte { return u32(b, 0) })
					}
					return fullBox(b, "stsz", 0, 0, func(b []byte) []byte { return u32(b, 0, 0) })
				})
			})
		})
	})
}

// appendFragment appends moof and mdat of second s.
func (p *Program) appendFragment(dst []byte, s int64) []byte {
	moof := len(dst)
	var offsets []int // where the data offsets of the runs stand
	dst = box(dst, "moof", func(b []byte) []byte {
		b = fullBox(b, "mfhd", 0, 0, func(b []byte) []byte {
			return u32(b, uint32(s+1)) // numbers fragments; may wrap
		})
		p.tracks(func(id uint32, t *media.Track) {
			b = box(b, "traf", func(b []byte) []byte {
				var at int
				b, at = appendTraf(b, id, t, s)
				offsets = append(offsets, at)
				return b
			})
		})
		return b
	})
	run := 0
	return box(dst, "mdat", func(b []byte) []byte {
		p.tracks(func(_ uint32, t *media.Track) {
			binary.BigEndian.PutUint32(b[offsets[run]:], uint32(len(b)-moof)) // media is small
			run++
			first, last := frames(t, s, s+1)
			for i := first; i < last; i++ {
				b = append(b, sample(t, i).Data...)
			}
		})
		return b
	})
}

// appendTraf appends the body of a traf box and returns where in dst the data
// offset of its run stands.
func appendTraf(dst []byte, id uint32, t *media.Track, s int64) (_ []byte, offsetAt int) {
	first, last := frames(t, s, s+1)
	// The base of offsets is the moof; defaults for duration and flags.
	dst = fullBox(dst, "tfhd", 0, 0x020028, func(b []byte) []byte {
		flags := uint32(flagsSync)
		if t.Video {
			flags = flagsNonSync
		}
		return u32(b, id, uint32(t.SampleTicks), flags) // ticks
	})
	dst = fullBox(dst, "tfdt", 1, 0, func(b []byte) []byte {
		return binary.BigEndian.AppendUint64(b, uint64(first*t.SampleTicks)) // never negative
	})
	flags := uint32(0x000201) // data offset, sizes
	if t.Video {
		flags |= 0x000004 // the flags of the first sample, which is the key picture
	}
	dst = fullBox(dst, "trun", 0, flags, func(b []byte) []byte {
		b = u32(b, uint32(last-first)) // samples of a second
		offsetAt = len(b)
		b = u32(b, 0)
		if t.Video {
			b = u32(b, flagsSync)
		}
		for i := first; i < last; i++ {
			b = u32(b, uint32(len(sample(t, i).Data))) // media is small
		}
		return b
	})
	return dst, offsetAt
}
