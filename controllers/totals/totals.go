package totals

import (
	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/runtime/telemetry"
)

// Reading is what one run of a tracker has counted, read with accumulate=1.
type Reading struct {
	Boot    string
	Number  int64 // as the tracker counts its readings
	Counted telemetry.Counters
}

// State is what status remembers: the totals and the counts of the runs that they were added up from.
type State struct {
	Totals v1.OffloadTotals
	Runs   []v1.TrackerRun
}

// Of returns the state that a status holds; nil is the empty one.
func Of(offload *v1.OffloadStatus) State {
	var s State
	if offload == nil {
		return s
	}
	if offload.Totals != nil {
		s.Totals = *offload.Totals
	}
	s.Runs = append(s.Runs, offload.Runs...)
	return s
}

// Add returns the state with readings added. A reading that was added before adds nothing. Readings
// without a boot id, or with one too long for status, are ignored.
func Add(s State, readings ...Reading) State {
	acc := telemetry.Accumulator{Total: counters(s.Totals)}
	for _, run := range s.Runs {
		acc.Boots = append(acc.Boots, telemetry.BootCount{Boot: run.Boot, Reading: run.Reading, Last: counters(run.Counted)})
	}
	for _, r := range readings {
		if r.Boot == "" || len(r.Boot) > maxBoot || added(acc, r) {
			continue
		}
		acc.Observe(r.Boot, r.Number, r.Counted)
	}
	out := State{Totals: bytes(acc.Total)}
	for _, b := range acc.Boots {
		out.Runs = append(out.Runs, v1.TrackerRun{Boot: b.Boot, Reading: b.Reading, Counted: bytes(b.Last)})
	}
	return out
}

// Kept tells which readings a status has, to be told to trackers.
func Kept(offload *v1.OffloadStatus) telemetry.Kept {
	kept := telemetry.Kept{}
	if offload != nil {
		for _, run := range offload.Runs {
			kept[run.Boot] = run.Reading
		}
	}
	return kept
}

// maxBoot is the bound of the CRD.
const maxBoot = 128

// added tells whether a reading is the last one of its run, so that it need not even move to the end.
func added(acc telemetry.Accumulator, r Reading) bool {
	for _, b := range acc.Boots {
		if b.Boot == r.Boot {
			return b.Last == counters(bytes(r.Counted))
		}
	}
	return r.Counted.Received() == 0 // a run that has counted nothing is not worth a write
}

func counters(b v1.OffloadTotals) telemetry.Counters {
	return telemetry.Counters{HTTP: b.OriginBytes, Seeder: b.SeederBytes, Viewer: b.PeerBytes, Discarded: b.DiscardedBytes}
}

func bytes(c telemetry.Counters) v1.OffloadTotals {
	return v1.OffloadTotals{OriginBytes: c.HTTP, SeederBytes: c.Seeder, PeerBytes: c.Viewer, DiscardedBytes: c.Discarded}
}
