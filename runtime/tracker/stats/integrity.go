package stats

import (
	"github.com/p2pstream/p2pstream/runtime/integrity"
	"github.com/p2pstream/p2pstream/runtime/telemetry"
)

// Integrity is what is known of the stream's bytes.
type Integrity struct {
	integrity.Counts
	// Differs is set once seeders were given different bytes under one number, whatever came of it: see Conflicts,
	// Decided and Unstable.
	Differs bool `json:"differs"`
	// Checks are those that viewers report.
	Checks telemetry.Checks `json:"checks"`
}
