package originhttp

import (
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// MaxRetryAfter bounds how long an origin can ask us to wait: a live stream that is not read for longer is lost anyway,
// and one request in this time is no burden.
const MaxRetryAfter = time.Minute

// maxHolds bounds the hosts that are waited for: playlists may name many.
const maxHolds = 64

// HeldError is the error of a request that was not sent, because the host has answered an earlier one with
// 429 Too Many Requests and asked for time.
type HeldError struct {
	// Wait is how long it still is.
	Wait time.Duration
}

// Error says how long to wait.
func (e *HeldError) Error() string {
	return "not asked: the host wants no request for " + e.Wait.Round(time.Second).String()
}

// RetryAfter reads the header of that name: seconds, or a date. It is 0 without one, and MaxRetryAfter at most.
// Source: RFC 9110 §10.2.3.
func RetryAfter(h http.Header, now time.Time) time.Duration {
	text := strings.TrimSpace(h.Get("Retry-After"))
	if text == "" {
		return 0
	}
	if strings.Trim(text, "0123456789") == "" {
		n, err := strconv.ParseInt(text, 10, 32)
		if err != nil { // only digits: more than fits
			return MaxRetryAfter
		}
		return min(time.Duration(n)*time.Second, MaxRetryAfter)
	}
	until, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	// By the origin's own clock, if it says what time that shows.
	if date, err := http.ParseTime(h.Get("Date")); err == nil {
		now = date
	}
	return min(max(until.Sub(now), 0), MaxRetryAfter)
}

// holds are the hosts that want no request for a while.
type holds struct {
	mu    sync.Mutex
	until map[string]time.Time
}

// wait is how long no request may go to an origin.
func (h *holds) wait(origin string, now time.Time) time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	until, ok := h.until[origin]
	if !ok {
		return 0
	}
	if wait := until.Sub(now); wait > 0 {
		return wait
	}
	delete(h.until, origin)
	return 0
}

// take notes that an origin has answered 429. A 503 can concern one resource only, so the caller decides about it.
func (h *holds) take(origin string, r *http.Response, now time.Time) {
	if r.StatusCode != http.StatusTooManyRequests {
		return
	}
	wait := RetryAfter(r.Header, now)
	if wait <= 0 {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.until == nil {
		h.until = make(map[string]time.Time)
	}
	if len(h.until) >= maxHolds {
		for other, until := range h.until {
			if !until.After(now) {
				delete(h.until, other)
			}
		}
	}
	if _, known := h.until[origin]; known || len(h.until) < maxHolds {
		h.until[origin] = now.Add(wait)
	}
}
