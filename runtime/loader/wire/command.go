package wire

import (
	"errors"
	"fmt"
)

// DefaultMaxMessageSize is the largest data-channel message, in bytes, that a browser peer sends unless its page says
// otherwise (webRtcMaxMessageSize of p2p-media-loader).
const DefaultMaxMessageSize = 65535

// MaxInteger bounds every number on the wire: beyond ±MaxInteger a browser peer, which counts in float64, would see a
// different number than we do (ECMAScript Number.MAX_SAFE_INTEGER).
const MaxInteger = 1<<53 - 1

// ErrNotEncodable says that a command cannot be written in a form that every browser peer reads. Encode wraps it.
var ErrNotEncodable = errors.New("command is not encodable")

// ErrUndecodable says that bytes are not a command body. Decode wraps it.
var ErrUndecodable = errors.New("command is not decodable")

// Code names a peer command; it is the first byte of a command body (p2p-media-loader 2.3.1, PeerCommandType).
type Code byte

// The commands of the peer protocol (p2p-media-loader 2.3.1; the same in 2.2.2 and in 3.x to 5.x).
const (
	// SegmentsAnnouncement carries the full lists of segments a peer holds and is fetching over HTTP.
	SegmentsAnnouncement Code = 0
	// SegmentRequest asks for the bytes of one segment.
	SegmentRequest Code = 1
	// SegmentData says that Size bytes of the requested segment follow.
	SegmentData Code = 2
	// SegmentDataSendingCompleted says that all bytes of the requested segment were sent.
	SegmentDataSendingCompleted Code = 3
	// SegmentAbsent says that the requested segment is not to be had here (any more).
	SegmentAbsent Code = 4
	// CancelSegmentRequest asks the other side to stop sending.
	CancelSegmentRequest Code = 5
)

// String returns the command's name, or its number when it has none.
func (c Code) String() string {
	switch c {
	case SegmentsAnnouncement:
		return "SegmentsAnnouncement"
	case SegmentRequest:
		return "SegmentRequest"
	case SegmentData:
		return "SegmentData"
	case SegmentDataSendingCompleted:
		return "SegmentDataSendingCompleted"
	case SegmentAbsent:
		return "SegmentAbsent"
	case CancelSegmentRequest:
		return "CancelSegmentRequest"
	}
	return fmt.Sprintf("Code(%d)", byte(c))
}

// Field is a set of command fields.
type Field uint8

// The fields of a command, by the letter they have on the wire.
const (
	// FieldSegmentID is field i.
	FieldSegmentID Field = 1 << iota
	// FieldRequestID is field r.
	FieldRequestID
	// FieldFrom is field b.
	FieldFrom
	// FieldSize is field s.
	FieldSize
	// FieldLoaded is field l.
	FieldLoaded
	// FieldLoading is field p.
	FieldLoading
)

// Command is one peer command. Fields that a command does not use are zero and ignored.
type Command struct {
	Code Code
	// SegmentID is the segment's external id (field i of every command but the announcement).
	SegmentID int64
	// RequestID is the requester's number for one request; the other side echoes it (field r).
	RequestID int64
	// From is the first wanted byte of the segment, counted from 0 (field b of SegmentRequest; left out when 0).
	From int64
	// Size is the number of bytes that follow, which is the remainder after From (field s of SegmentData).
	Size int64
	// Loaded are the external ids of the segments held (field l of SegmentsAnnouncement).
	Loaded []int64
	// Loading are the external ids of the segments being fetched over HTTP (field p of SegmentsAnnouncement).
	Loading []int64
	// Fields tells which fields a decoded command had. A field of the wrong type or out of range counts as not there.
	// Encoding ignores it.
	Fields Field
}

// Has tells whether a decoded command had all the given fields in usable form.
func (c Command) Has(f Field) bool { return c.Fields&f == f }

// names tells whether c is about request requestID of segment segmentID, with both fields really there.
func (c Command) names(segmentID, requestID int64) bool {
	return c.Has(FieldSegmentID|FieldRequestID) && c.SegmentID == segmentID && c.RequestID == requestID
}
