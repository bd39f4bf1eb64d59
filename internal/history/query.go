package history

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Points of an answer: how many a query gets that names no number, and how many it may name. A day has as many minutes.
const (
	DefaultPoints = 240
	MaxPoints     = 1440
)

// Query is what is asked for: the time from one moment to another, in at most so many points.
type Query struct {
	From, To time.Time
	Points   int
}

// maxQueryValue is how long a value of a query may be; a time has 35 characters at most.
const maxQueryValue = 40

// ParseQuery reads from, to and points. A time is a number of seconds since 1970, a time of RFC 3339, or a duration before now
// such as -15m. The default is the last hour.
func ParseQuery(values url.Values, now time.Time) (Query, error) {
	q := Query{From: now.Add(-time.Hour), To: now, Points: DefaultPoints}
	var err error
	if v := values.Get("from"); v != "" {
		if q.From, err = parseTime(v, now); err != nil {
			return q, fmt.Errorf("reading from: %w", err)
		}
	}
	if v := values.Get("to"); v != "" {
		if q.To, err = parseTime(v, now); err != nil {
			return q, fmt.Errorf("reading to: %w", err)
		}
	}
	if v := values.Get("points"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 || n > MaxPoints || len(v) > maxQueryValue {
			return q, fmt.Errorf("reading points: use a number from 1 to %d", MaxPoints)
		}
		q.Points = n
	}
	if !q.From.Before(q.To) {
		return q, errors.New("from must be before to")
	}
	if oldest := now.Add(-Span); q.From.Before(oldest) {
		q.From = oldest
	}
	if q.To.After(now) {
		q.To = now
	}
	if !q.From.Before(q.To) {
		return q, fmt.Errorf("nothing is known of this time; the last %s are", Span)
	}
	return q, nil
}

var errTime = errors.New("use seconds since 1970, a time like 2026-01-02T15:04:05Z, or a duration like -15m")

func parseTime(text string, now time.Time) (time.Time, error) {
	if len(text) > maxQueryValue {
		return time.Time{}, errTime
	}
	if strings.HasPrefix(text, "-") {
		d, err := time.ParseDuration(text)
		if err != nil {
			return time.Time{}, errTime
		}
		return now.Add(max(d, -2*Span)), nil
	}
	if seconds, err := strconv.ParseInt(text, 10, 64); err == nil {
		// Outside of these a time cannot be computed with; inside they are far from all that is known.
		return time.Unix(min(max(seconds, 0), now.Unix()+int64(Span/time.Second)), 0), nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}, errTime
	}
	return t, nil
}
