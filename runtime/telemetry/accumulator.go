package telemetry

// maxBoots bounds how many runs of trackers an Accumulator tells apart.
const maxBoots = 8

// Accumulator adds up what trackers counted, for a consumer that polls their stats: a tracker's counters begin at zero
// with each boot, the accumulator's never fall back and count nothing twice. It can be kept as JSON and resumed.
type Accumulator struct {
	Total Counters    `json:"total"`
	Boots []BootCount `json:"boots,omitempty"` // most recently observed last
}

// BootCount is the last reading of one run of a tracker.
type BootCount struct {
	Boot    string   `json:"boot"`
	Reading int64    `json:"reading,omitempty"` // its number
	Last    Counters `json:"last"`
}

// Kept tells which readings the accumulator has, for the next question to a tracker. It must not be told before the
// accumulator is where a restart finds it again.
func (a *Accumulator) Kept() Kept {
	kept := make(Kept, len(a.Boots))
	for _, b := range a.Boots {
		kept[b.Boot] = b.Reading
	}
	return kept
}

// Observe takes one reading of a tracker's totals, with its number, and returns the new total. A boot id seen before
// adds what was counted since; a new one adds all it counted, which by the rules of Aggregate is nothing that this
// accumulator has of an earlier boot. A reading below an earlier one of the same boot (answers that overtook each other) adds nothing.
func (a *Accumulator) Observe(boot string, reading int64, totals Counters) Counters {
	totals = totals.Sub(Counters{}) // a negative counter is nobody's count
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
