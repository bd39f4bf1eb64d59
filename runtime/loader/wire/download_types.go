package wire

import "time"

// Defaults of a Download, those of p2p-media-loader 2.3.1.
const (
	// DefaultNoBytesTimeout is how long a requester waits for the header or the next bytes (p2pNotReceivingBytesTimeoutMs).
	DefaultNoBytesTimeout = 2 * time.Second
	// DefaultMaxTimeouts is the number of timeouts since the last success that ends a connection (p2pErrorRetries).
	DefaultMaxTimeouts = 3
	// DefaultMaxSegmentSize, in bytes, bounds the size a peer may claim for a segment.
	DefaultMaxSegmentSize = 256 << 20
)

// DownloadState is the state of a Download.
type DownloadState uint8

// The states of a Download.
const (
	// DownloadIdle: nothing was asked for, or the request was canceled.
	DownloadIdle DownloadState = iota
	// DownloadWaiting: a request was made, its data header has not come.
	DownloadWaiting
	// DownloadLoading: the header came, bytes are coming.
	DownloadLoading
	// DownloadSucceeded: the last request delivered every byte.
	DownloadSucceeded
	// DownloadFailed: the last request failed; the reason tells why.
	DownloadFailed
)

// String returns the state's name.
func (s DownloadState) String() string {
	switch s {
	case DownloadIdle:
		return "idle"
	case DownloadWaiting:
		return "waiting"
	case DownloadLoading:
		return "loading"
	case DownloadSucceeded:
		return "succeeded"
	case DownloadFailed:
		return "failed"
	}
	return "unknown"
}

// FailureReason tells why a download failed.
type FailureReason uint8

// The reasons, named after the error types of p2p-media-loader 2.3.1.
const (
	// NoFailure: the download did not fail.
	NoFailure FailureReason = iota
	// FailureAbsent: the peer does not have the segment (peer-segment-absent).
	FailureAbsent
	// FailureTimeout: no bytes came in time (bytes-receiving-timeout).
	FailureTimeout
	// FailureLength: the bytes announced or sent contradict the segment's size (peer-response-bytes-length-mismatch).
	FailureLength
	// FailureSize: the claimed size is missing, negative, above the bound, or 0 with nothing held.
	FailureSize
	// FailureProtocol: completed for another request (peer-protocol-violation).
	FailureProtocol
	// FailureValidation: the caller rejected the finished segment (p2p-segment-validation-failed).
	FailureValidation
	// FailurePeerClosed: the connection went away (peer-closed).
	FailurePeerClosed
)

// String returns the reason as p2p-media-loader names its error; it serves as a metric label value.
func (r FailureReason) String() string {
	switch r {
	case NoFailure:
		return "none"
	case FailureAbsent:
		return "peer-segment-absent"
	case FailureTimeout:
		return "bytes-receiving-timeout"
	case FailureLength, FailureSize:
		return "peer-response-bytes-length-mismatch"
	case FailureProtocol:
		return "peer-protocol-violation"
	case FailureValidation:
		return "p2p-segment-validation-failed"
	case FailurePeerClosed:
		return "peer-closed"
	}
	return "unknown"
}

// DownloadResult is what one event did to a Download.
type DownloadResult struct {
	// State after the event.
	State DownloadState
	// Reason of the failure when State is DownloadFailed.
	Reason FailureReason
	// Changed tells that this event ended the request (State became DownloadSucceeded or DownloadFailed).
	Changed bool
	// Used is how many bytes of this message belong to the segment: all or none. Unused ones are dropped.
	Used int
	// Held is the number of bytes of the segment held after the event, those from earlier sources included.
	Held int64
	// Total is the size of the whole segment in bytes, -1 while unknown.
	Total int64
	// DiscardHeld tells the caller to drop all bytes of the segment, also those from earlier sources.
	DiscardHeld bool
	// Send are the commands to send, in order, before closing.
	Send []Command
	// Close tells the caller to close the connection.
	Close bool
}
