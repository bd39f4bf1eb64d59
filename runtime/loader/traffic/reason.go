package traffic

// Reason is why this peer closed a connection.
type Reason int

// The reasons.
const (
	CommandFlood     Reason = iota // too many commands
	UnrequestedBytes               // too many bytes that were not requested
	ProtocolError                  // an answer that breaks the protocol
	Unreliable                     // segments announced and not delivered
	NotReading                     // the peer's queue of commands is full
	WrongBytes                     // a segment that is not the origin's
	PeerLimit                      // this peer has as many connections as it may have
	Reasons                        // number of reasons
)

// String is the reason as a metric label value.
func (r Reason) String() string {
	return [...]string{"commands", "stray_bytes", "protocol", "unreliable", "not_reading", "wrong_bytes", "full"}[r]
}
