package mux

import "encoding/binary"

// The transport packet and its null form (ISO/IEC 13818-1 §2.4.1).
const (
	nullPacketHigh, nullPacketLow = 0x1f, 0xff
	payloadOnly                   = 0x10
	packetHeader                  = 4
)

// AppendPadding appends text to a segment in a form that players skip: a null packet to a transport stream, a free box
// (ISO/IEC 14496-12 §8.1.2) to a fragmented MP4. At most 64 bytes of text count.
func AppendPadding(dst []byte, c Container, text string) []byte {
	text = text[:min(len(text), 64)]
	if c == TS {
		packet := [packetSize]byte{0x47, nullPacketHigh, nullPacketLow, payloadOnly}
		copy(packet[packetHeader:], text)
		return append(dst, packet[:]...)
	}
	dst = binary.BigEndian.AppendUint32(dst, uint32(boxHeader+len(text))) // at most 72
	dst = append(dst, "free"...)
	return append(dst, text...)
}

// boxHeader is the size of a box without content (ISO/IEC 14496-12 §4.2).
const boxHeader = 8

// FillingSize is how many bytes AppendFilling appends: at least as many as asked for, in whole packets or as one box.
func FillingSize(c Container, bytes int) int {
	switch {
	case bytes <= 0:
		return 0
	case c == TS:
		return (bytes + packetSize - 1) / packetSize * packetSize
	}
	return max(bytes, boxHeader)
}

// AppendFilling appends bytes that players skip to a segment: null packets, with which multiplexers make a constant rate
// (ISO/IEC 13818-1 §2.4.3.3), or one free box. It appends nothing if bytes is not positive.
func AppendFilling(dst []byte, c Container, bytes int) []byte {
	size := FillingSize(c, bytes)
	if size == 0 {
		return dst
	}
	begin := len(dst)
	dst = append(dst, make([]byte, size)...)
	if c == TS {
		for at := begin; at < len(dst); at += packetSize {
			copy(dst[at:], []byte{0x47, nullPacketHigh, nullPacketLow, payloadOnly})
		}
		return dst
	}
	binary.BigEndian.PutUint32(dst[begin:], uint32(size)) // segments are smaller than 4 GiB
	copy(dst[begin+4:], "free")
	return dst
}
