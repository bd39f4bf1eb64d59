package telemetry

import "time"

// headroom is the part of the reports that a tracker takes which regular ones may use: peers vary their intervals, and
// pages that join or leave report out of turn.
const headroom = 0.8

// NextReport returns after what time a viewer is to report again, so that that many viewers together stay below a number
// of reports a second: never earlier than the configured interval.
func NextReport(viewers int, interval time.Duration, perSecond int) time.Duration {
	if perSecond <= 0 {
		return interval
	}
	paced := time.Duration(float64(viewers) / (headroom * float64(perSecond)) * float64(time.Second))
	return max(interval, paced.Round(time.Millisecond))
}
