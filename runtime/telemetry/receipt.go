package telemetry

// MaxReceipts bounds the receipts of one report. Two are needed while a tracker runs, and two more for each tracker that
// ended before its counts were known to be stored.
const MaxReceipts = 8

// maxBootLength bounds the name of a tracker's run.
const maxBootLength = 64

// Receipt says in which reading a session's counters are included: in the totals of reading Reading of the tracker run
// Boot, and in all later readings of that run. Once that tracker has ended, only the reader that stores the totals (the
// operator) knows whether the reading was stored. It tells the next tracker, to which the session presents its receipts
// (see Aggregate.MarkRead). Sessions treat receipts as opaque.
type Receipt struct {
	Boot     string   `json:"boot"`
	Reading  int64    `json:"reading"` // from 1
	Counters Counters `json:"counters"`
}

// Kept maps a tracker run to its last reading that the reader has stored permanently.
type Kept map[string]int64

// has reports whether the bytes of a receipt are in the stored totals.
func (k Kept) has(r Receipt) bool { return r.Reading <= k[r.Boot] }

// checkReceipts refuses receipts that no sequence of acknowledgements can have produced.
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
			return refuse(Inconsistent, "receipts must ascend and not exceed counters")
		}
		below = receipt.Counters
	}
	return nil
}
