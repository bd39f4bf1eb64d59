package dash

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
)

// whole is a whole number as the player reads one: anything that JavaScript's Number takes and that has no fraction.
// Source: shaka-player 4.16.9, TXml.parseInt.
func whole(text string) (float64, bool) {
	n, ok := identity.ParseNumber(text)
	return n, ok && !math.IsInf(n, 0) && math.Trunc(n) == n
}

// wholeAttr is an attribute that is a whole number of at least least.
func (n *node) wholeAttr(name string, least float64) (float64, bool) {
	text, ok := n.find(name)
	if !ok {
		return 0, false
	}
	v, ok := whole(text)
	if !ok || v < least {
		return 0, false
	}
	return v, true
}

// floatAttr is an attribute that is a finite number, else 0.
func (n *node) floatAttr(name string) float64 {
	v, ok := identity.ParseNumber(n.attr(name))
	if !ok || math.IsInf(v, 0) {
		return 0
	}
	return v
}

// ratio is a number or a fraction; 0 if it is neither.
// Source: shaka-player 4.16.9, TXml.evalDivision.
func ratio(text string) float64 {
	above, below, fraction := strings.Cut(text, "/")
	if fraction && isDigits(above) && isDigits(below) {
		a, _ := identity.ParseNumber(above)
		b, _ := identity.ParseNumber(below)
		return orZero(a / b)
	}
	v, ok := identity.ParseNumber(text)
	if !ok {
		return 0
	}
	return orZero(v)
}

func orZero(v float64) float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return 0
	}
	return v
}

func isDigits(text string) bool {
	return text != "" && strings.Trim(text, "0123456789") == ""
}

var durationPattern = regexp.MustCompile(`(?i)^P(?:([0-9]*)Y)?(?:([0-9]*)M)?(?:([0-9]*)D)?(?:T(?:([0-9]*)H)?(?:([0-9]*)M)?(?:([0-9.]*)S)?)?$`)

// parseDuration reads a duration (xs:duration, at least 0) in seconds; a month has 30 days and a year 365.
// Source: shaka-player 4.16.9, TXml.parseDuration.
func parseDuration(text string) (seconds float64, ok bool) {
	m := durationPattern.FindStringSubmatch(text)
	if m == nil {
		return 0, false
	}
	for i, unit := range [...]float64{365 * 86400, 30 * 86400, 86400, 3600, 60, 1} {
		n, isNumber := identity.ParseNumber(m[i+1]) // empty text is 0
		if !isNumber {
			return 0, false
		}
		seconds += unit * n
	}
	return seconds, !math.IsInf(seconds, 0) && !math.IsNaN(seconds)
}

// durationAttr is an attribute that is a duration, in seconds.
func (n *node) durationAttr(name string) (float64, bool) {
	text, ok := n.find(name)
	if !ok {
		return 0, false
	}
	return parseDuration(text)
}

var dateLayouts = []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02T15:04:05Z0700", "2006-01-02T15:04Z07:00", "2006-01-02", time.RFC1123, time.RFC1123Z}

// parseDate reads a date and time, UTC if it names no zone.
func parseDate(text string) (time.Time, bool) {
	for _, layout := range dateLayouts {
		if t, err := time.Parse(layout, text); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// ParseTime reads what a clock of ClockGet answers.
func ParseTime(text string) (time.Time, bool) { return parseDate(strings.TrimSpace(text)) }

// seconds is a time in seconds since 1970, in milliseconds' steps as JavaScript has it.
func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

var rangePattern = regexp.MustCompile(`([0-9]+)-([0-9]+)`)

// parseRange reads a range of bytes, first-last.
func parseRange(text string) (ByteRange, bool) {
	m := rangePattern.FindStringSubmatch(text)
	if m == nil {
		return ByteRange{}, false
	}
	first, err1 := strconv.ParseInt(m[1], 10, 64)
	last, err2 := strconv.ParseInt(m[2], 10, 64)
	if err1 != nil || err2 != nil || first > last || last > maxInteger {
		return ByteRange{}, false
	}
	return ByteRange{Offset: first, Length: last - first + 1}, true
}

// toDuration rounds to microseconds, so that sums such as 0.1 + 0.2 leave no stray nanoseconds, and keeps within what a
// time.Duration can hold.
func toDuration(s float64) time.Duration {
	const most = float64(math.MaxInt64 / int64(time.Second))
	switch {
	case math.IsNaN(s):
		return 0
	case s >= most:
		return math.MaxInt64
	case s <= -most:
		return math.MinInt64
	}
	return time.Duration(math.Round(s*1e6)) * time.Microsecond
}
