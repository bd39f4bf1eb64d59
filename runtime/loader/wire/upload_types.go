package wire

import "time"

// DefaultAnswerTimeout is how long an Upload waits for its caller to find a segment before it answers SegmentAbsent. It
// stays below the 2 s after which a requester gives up and holds the silence against us, with room for the way there
// and back.
const DefaultAnswerTimeout = 1500 * time.Millisecond

// Ticket names one request on one connection. Tickets are never 0 and never repeat, unlike request ids.
type Ticket uint64

// UploadResult is what one event did to an Upload.
type UploadResult struct {
	// Ticket of the request that the event concerns, 0 for none.
	Ticket Ticket
	// Lookup asks the caller to find segment SegmentID and to call Serve or Absent with Ticket, now or later.
	Lookup bool
	// SegmentID is the wanted segment, set with Lookup and Begin.
	SegmentID int64
	// Stopped is the ticket whose bytes must no longer be sent (replaced, canceled, ended); 0 for none.
	Stopped Ticket
	// Begin tells the caller to send Remaining bytes of the segment, starting at byte From, after Send, and to report them
	// with Sent.
	Begin bool
	// From is the first byte of the segment to send.
	From int64
	// Remaining is the number of bytes still to send for Ticket.
	Remaining int64
	// Done tells that the request was answered in full by this event (completed or absent).
	Done bool
	// Rejected tells that the request could not be served as asked (offset outside the segment, malformed).
	Rejected bool
	// Send are the commands to send, in order, before any bytes.
	Send []Command
}
