package telemetry

// Reason says why a report was refused. A refused report changes nothing but the count of its reason.
type Reason string

// The reasons, in the order in which they are checked.
const (
	Malformed    Reason = "Malformed"    // not the JSON of a report, or a field out of bounds
	TooLarge     Reason = "TooLarge"     // longer than MaxReportSize
	WrongVersion Reason = "WrongVersion" // a version this tracker does not know
	Unsigned     Reason = "Unsigned"     // no session, or one that this tracker's key did not sign for this stream
	Expired      Reason = "Expired"      // the session is older than its lifetime, or comes from the future
	NoSocket     Reason = "NoSocket"     // the session has no WebSocket, at no tracker of the stream
	Unauthorized Reason = "Unauthorized" // role seeder without the seeder token
	Negative     Reason = "Negative"     // a counter below zero
	Overflowing  Reason = "Overflowing"  // a counter above MaxCounter
	Inconsistent Reason = "Inconsistent" // more discarded than received, or a base above the counters
	Replayed     Reason = "Replayed"     // the sequence number that was accepted last
	OutOfOrder   Reason = "OutOfOrder"   // a sequence number below the one accepted last
	Decreasing   Reason = "Decreasing"   // a counter below the value accepted last
	TooMuch      Reason = "TooMuch"      // more bytes than elapsed time × the cap allows
	TooOften     Reason = "TooOften"     // the session or its address reports too often
)

// Reasons returns every reason, for registering one counter for each.
func Reasons() []Reason {
	return []Reason{Malformed, TooLarge, WrongVersion, Unsigned, Expired, NoSocket, Unauthorized, Negative, Overflowing,
		Inconsistent, Replayed, OutOfOrder, Decreasing, TooMuch, TooOften}
}

// RefusalError is the error of every refused report.
type RefusalError struct {
	Reason Reason
	Detail string // for the sender's developer; never holds the session
}

// Error returns the reason and its detail.
func (r *RefusalError) Error() string {
	if r.Detail == "" {
		return "refusing report: " + string(r.Reason)
	}
	return "refusing report: " + string(r.Reason) + ": " + r.Detail
}

func refuse(reason Reason, detail string) error { return &RefusalError{Reason: reason, Detail: detail} }
