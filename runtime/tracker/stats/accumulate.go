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

// maxKept bounds how many runs of trackers a reader may name.
const maxKept = 64

// AccumulatePath is Path for the one reader that keeps the totals over restarts of the tracker, with a
// telemetry.Accumulator, and says which readings it has in a safe place. A tracker with an admin listener takes it
// there only: anybody may read the stats, but nobody else may say that totals are in safe hands.
func AccumulatePath(kept telemetry.Kept) string {
	query := url.Values{"accumulate": {"1"}}
	for _, boot := range slices.Sorted(maps.Keys(kept)) {
		query.Add("kept", strconv.FormatInt(kept[boot], 10)+":"+boot)
	}
	return Path + "?" + query.Encode()
}

// KeptOf reads the query of AccumulatePath; it is nil when the query is none.
func KeptOf(query url.Values) (telemetry.Kept, error) {
	if !query.Has("accumulate") {
		return nil, nil
	}
	values := query["kept"]
	if len(values) > maxKept {
		return nil, fmt.Errorf("kept names %d runs of trackers, more than %d", len(values), maxKept)
	}
	kept := make(telemetry.Kept, len(values))
	for _, v := range values {
		number, boot, _ := strings.Cut(v, ":")
		reading, err := strconv.ParseInt(number, 10, 64)
		if err != nil || reading < 0 || boot == "" {
			return nil, fmt.Errorf("kept must be READING:BOOT, such as 7:1f0c, and is %.100q", v)
		}
		kept[boot] = reading
	}
	return kept, nil
}
