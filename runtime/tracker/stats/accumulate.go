package stats

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/p2pstream/p2pstream/runtime/telemetry"
)

// AccumulateKey of a query asks for totals that count as kept.
const AccumulateKey = "accumulate"

// maxKept bounds how many tracker runs a reader may name.
const maxKept = 64

// AccumulatePath is Path for the one reader that stores the totals across restarts of the tracker, with a
// telemetry.Accumulator, and names the readings that it has stored. A tracker with an admin listener accepts it only
// there: the stats are public, but only that reader may confirm that totals are stored.
func AccumulatePath(kept telemetry.Kept) string {
	query := url.Values{AccumulateKey: {"1"}}
	for _, boot := range slices.Sorted(maps.Keys(kept)) {
		query.Add("kept", strconv.FormatInt(kept[boot], 10)+":"+boot)
	}
	return Path + "?" + query.Encode()
}

// KeptOf parses the query of AccumulatePath; it returns nil for other queries.
func KeptOf(query url.Values) (telemetry.Kept, error) {
	if !query.Has(AccumulateKey) {
		return nil, nil
	}
	values := query["kept"]
	if len(values) > maxKept {
		return nil, fmt.Errorf("kept is given %d times; the maximum is %d", len(values), maxKept)
	}
	kept := make(telemetry.Kept, len(values))
	for _, v := range values {
		number, boot, _ := strings.Cut(v, ":")
		reading, err := strconv.ParseInt(number, 10, 64)
		if err != nil || reading < 0 || boot == "" {
			return nil, fmt.Errorf("kept is %.100q; use READING:BOOT, such as 7:1f0c", v)
		}
		kept[boot] = reading
	}
	return kept, nil
}
