package telemetry

// MaxReceipts bounds the receipts of one report. Two are needed while a tracker runs, and two more for each tracker that
// ended before what it had counted was known to be kept.
const MaxReceipts = 8

// maxBootLength bounds the name of a tracker's run.
const maxBootLength = 64

// Receipt says where counters of a session went: they are part of the totals that the run Boot of a tracker gives away
// with its reading Reading, and with all later ones. Whether that reading was ever taken, and kept, nobody can tell the
// session any more when the tracker has ended; whoever keeps the totals knows, and tells the next tracker, to which the
// session takes its receipts (see Aggregate.MarkRead). To sessions they are opaque.
type Receipt struct {
	Boot     string   `json:"boot"`
	Reading  int64    `json:"reading"` // from 1
	Counters Counters `json:"counters"`
}

// Kept says, by run of a tracker, the last of its readings that is in the hands of whoever keeps totals for good.
type Kept map[string]int64

// has tells whether what a receipt speaks of is in the kept totals.
func (k Kept) has(r Receipt) bool { return r.Reading <= k[r.Boot] }

// checkReceipts refuses receipts that no row of acknowledgements can have led to.
func (r *Report) checkReceipts() error {
	if len(r.Receipts) > MaxReceipts {
		return refuse(Malformed, "too many receipts")
	}
	var below Counters
	for _, receipt := range r.Receipts {
		if receipt.Boot == "" || len(receipt.Boot) > maxBootLength || !printable(receipt.Boot) || receipt.Reading < 1 || receipt.Reading > MaxCounter {
			return refuse(Malformed, "receipt without a boot or a reading")
		}
		if reason := receipt.Counters.check(); reason != "" {
			return refuse(reason, "receipt")
		}
		if !receipt.Counters.AtLeast(below) || !r.Counters.AtLeast(receipt.Counters) {
			return refuse(Inconsistent, "receipts do not rise to counters")
		}
		below = receipt.Counters
	}
	return nil
}
