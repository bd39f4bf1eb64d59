package descriptions

// Bounds of one description. Browsers send one section for data with up to fifteen candidates, in 2 KiB.
const (
	// MaxBytes is the longest description, in bytes as it is spelled in JSON.
	MaxBytes = 16 << 10
	// MaxLines is how many lines it may have.
	MaxLines = 256
	// MaxSections is how many media sections (m= lines) it may have.
	MaxSections = 4
	// MaxCandidates is how many candidates it may have, of any kind.
	MaxCandidates = 40
)

// Error is why a description is not relayed.
type Error string

// What can be wrong with a description.
const (
	ErrBytes      Error = "session description is too long"
	ErrLines      Error = "session description has too many lines"
	ErrSections   Error = "session description has too many media sections"
	ErrCandidates Error = "session description has too many candidates"
	ErrText       Error = "session description is not a text"
)

// Errors are all that there are.
var Errors = []Error{ErrBytes, ErrLines, ErrSections, ErrCandidates, ErrText}

// Error returns the reason as a sentence.
func (e Error) Error() string { return string(e) }

// Label returns the reason as a label of a metric.
func (e Error) Label() string {
	switch e {
	case ErrBytes:
		return "bytes"
	case ErrLines:
		return "lines"
	case ErrSections:
		return "sections"
	case ErrCandidates:
		return "candidates"
	}
	return "text"
}
