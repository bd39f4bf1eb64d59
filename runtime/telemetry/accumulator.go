package telemetry

// maxBoots bounds how many tracker runs an Accumulator remembers.
const maxBoots = 8

// Accumulator adds up what trackers counted, for a reader that polls their stats: a tracker's counters start at zero
// with each boot; the accumulator's never decrease and count nothing twice. It can be stored as JSON and resumed.
type Accumulator struct {
	Total Counters    `json:"total"`
	Boots []BootCount `json:"boots,omitempty"` // most recently observed last
}

// BootCount is the last reading of one tracker run.
type BootCount struct {
	Boot    string   `json:"boot"`
	Reading int64    `json:"reading,omitempty"` // its number
	Last    Counters `json:"last"`
}

// Kept returns the readings that the accumulator includes, for the next request to a tracker. It must be sent only after
// the accumulator was stored where it survives a restart.
func (a *Accumulator) Kept() Kept {
	kept := make(Kept, len(a.Boots))
	for _, b := range a.Boots {
		kept[b.Boot] = b.Reading
	}
	return kept
}

// Observe adds one reading of a tracker's totals, with its number, and returns the new total. For a known boot id it
// adds what was counted since the last reading; for a new one all of it, which by the rules of Aggregate contains nothing
// that was read from an earlier boot. A reading below an earlier one of the same boot (replies out of order) adds nothing.
func (a *Accumulator) Observe(boot string, reading int64, totals Counters) Counters {
	totals = totals.Sub(Counters{}) // negative counters become zero
	entry := BootCount{Boot: boot}
	for i, known := range a.Boots {
		if known.Boot == boot {
			entry = known
			a.Boots = append(a.Boots[:i], a.Boots[i+1:]...)
			break
		}
	}
	a.Total = a.Total.Add(totals.Sub(entry.Last))
	entry.Last, entry.Reading = highest(entry.Last, totals), max(entry.Reading, reading)
	if len(a.Boots) >= maxBoots {
		a.Boots = a.Boots[:copy(a.Boots, a.Boots[len(a.Boots)-maxBoots+1:])]
	}
	a.Boots = append(a.Boots, entry)
	return a.Total
}

func highest(c, d Counters) Counters {
	return Counters{HTTP: max(c.HTTP, d.HTTP), Seeder: max(c.Seeder, d.Seeder), Viewer: max(c.Viewer, d.Viewer),
		Discarded: max(c.Discarded, d.Discarded), Uploaded: max(c.Uploaded, d.Uploaded)}
}
