package telemetry

// Checks count segments, cumulative since the session began: a viewer compares those that came from peers, in whole or in
// part, with the hashes that seeders give the tracker.
type Checks struct {
	Right   int64 `json:"right"`
	Wrong   int64 `json:"wrong"`   // dropped and fetched again
	Unknown int64 `json:"unknown"` // no seeder vouches for the segment: taken without a check
	// Unproven are those that a seeder vouches for and whose hash did not come in time: dropped and fetched again.
	Unproven int64 `json:"unproven,omitempty"`
}

func (c Checks) valid() bool {
	return within(c.Right, maxCount) && within(c.Wrong, maxCount) && within(c.Unknown, maxCount) && within(c.Unproven, maxCount)
}

// Add returns the sum.
func (c Checks) Add(d Checks) Checks {
	return Checks{
		Right: addSaturating(c.Right, d.Right), Wrong: addSaturating(c.Wrong, d.Wrong),
		Unknown: addSaturating(c.Unknown, d.Unknown), Unproven: addSaturating(c.Unproven, d.Unproven),
	}
}

// Sub returns c − d, each count stopping at zero.
func (c Checks) Sub(d Checks) Checks {
	return Checks{
		Right: subFloor(c.Right, d.Right), Wrong: subFloor(c.Wrong, d.Wrong),
		Unknown: subFloor(c.Unknown, d.Unknown), Unproven: subFloor(c.Unproven, d.Unproven),
	}
}

// checks are those of a report; none if it has none.
func (r *Report) checks() Checks {
	if r.Checks == nil {
		return Checks{}
	}
	return *r.Checks
}
