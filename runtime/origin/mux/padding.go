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
	dst = binary.BigEndian.AppendUint32(dst, uint32(8+len(text))) // at most 72
	dst = append(dst, "free"...)
	return append(dst, text...)
}
