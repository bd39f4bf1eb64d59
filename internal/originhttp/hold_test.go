package originhttp

import (
	"errors"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	at := func(d time.Duration) string { return now.Add(d).Format(http.TimeFormat) }
	for _, c := range []struct {
		text, date string
		want       time.Duration
	}{
		{"", "", 0}, {"0", "", 0}, {"7", "", 7 * time.Second}, {" 7 ", "", 7 * time.Second}, {"-7", "", 0}, {"7.5", "", 0}, {"soon", "", 0},
		{"3600", "", MaxRetryAfter}, {"99999999999999999999", "", MaxRetryAfter},
		{at(20 * time.Second), "", 20 * time.Second}, {at(-time.Hour), "", 0}, {at(time.Hour), "", MaxRetryAfter},
		{at(time.Hour + 5*time.Second), at(time.Hour), 5 * time.Second}, // the origin's clock is an hour ahead
	} {
		h := http.Header{}
		h.Set("Retry-After", c.text)
		h.Set("Date", c.date)
		if got := RetryAfter(h, now); got != c.want {
			t.Errorf("%q at %q: %v, want %v", c.text, c.date, got, c.want)
		}
	}
}

// limited answers 429 as long as it is told to.
type limited struct {
	status int
	after  string
	asked  int
}

func (l *limited) RoundTrip(r *http.Request) (*http.Response, error) {
	l.asked++
	return &http.Response{StatusCode: l.status, Header: http.Header{"Retry-After": {l.after}}, Body: http.NoBody, Request: r}, nil
}

func TestTooManyRequestsIsObeyed(t *testing.T) {
	for _, c := range []struct {
		status int
		after  string
		want   time.Duration // without a request to that host
	}{
		{429, "5", 5 * time.Second},
		{429, "86400", MaxRetryAfter},
		{429, "0", 0},
		{503, "5", 0}, // it may be about one resource
		{200, "5", 0},
	} {
		t.Run(fmt.Sprint(c.status, c.after), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				base := &limited{status: c.status, after: c.after}
				tr, err := New(Config{URL: "https://o.example/m.m3u8", Base: base})
				if err != nil {
					t.Fatal(err)
				}
				began := time.Now()
				if _, err := ask(t, tr, "https://o.example/a.ts"); err != nil {
					t.Fatal(err)
				}
				var held *HeldError
				for {
					_, err := ask(t, tr, "https://O.example:443/b.ts")
					if err == nil {
						break
					}
					if !errors.As(err, &held) || held.Wait <= 0 || held.Wait > MaxRetryAfter {
						t.Fatal(err)
					}
					if _, err := ask(t, tr, "https://other.example/b.ts"); err != nil && base.asked < 2 {
						t.Fatalf("another host: %v", err)
					}
					time.Sleep(held.Wait) // on the clock of the bubble
				}
				if waited := time.Since(began); waited != c.want {
					t.Errorf("asked again after %v, want %v", waited, c.want)
				}
			})
		})
	}
}

// TestHoldsAreBounded has more hosts that ask for time than are remembered.
func TestHoldsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := &limited{status: 429, after: "5"}
		tr, err := New(Config{URL: "https://o.example/m.m3u8", Base: base})
		if err != nil {
			t.Fatal(err)
		}
		for round := range 3 {
			for i := range 3 * maxHolds {
				_, _ = ask(t, tr, fmt.Sprintf("https://h%d-%d.example/a.ts", round, i)) // held or not
			}
			if n := len(tr.holds.until); n != maxHolds {
				t.Errorf("%d hosts remembered, want %d", n, maxHolds)
			}
			time.Sleep(6 * time.Second) // on the clock of the bubble
		}
	})
}
