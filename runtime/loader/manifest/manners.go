package manifest

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/p2pstream/p2pstream/internal/originhttp"
)

// statusError is an answer that is no success, with what the origin asks for and
// with what we know about why.
func (s *Source) statusError(at string, r *http.Response) *Error {
	text := http.StatusText(r.StatusCode)
	if r.StatusCode == http.StatusUnauthorized || r.StatusCode == http.StatusForbidden {
		if refused := s.transport.CookieRefused(); refused != "" {
			text += "; " + refused
		}
	}
	e := fail(ReasonStatus, at, errors.New(text))
	e.Status = r.StatusCode
	if r.StatusCode != http.StatusTooManyRequests && r.StatusCode != http.StatusServiceUnavailable {
		return e
	}
	if e.RetryAfter = originhttp.RetryAfter(r.Header, time.Now()); e.RetryAfter > 0 {
		s.metrics.waits.WithLabelValues(strconv.Itoa(e.Status)).Inc()
	}
	return e
}

// held turns the error of a request that was not sent into that of the answer
// which keeps us from it.
func (s *Source) held(err error, kind string) error {
	var held *originhttp.HeldError
	var e *Error
	if !errors.As(err, &held) || !errors.As(err, &e) {
		return err
	}
	s.metrics.unasked.WithLabelValues(kind).Inc()
	return &Error{Reason: ReasonStatus, URL: e.URL, Status: http.StatusTooManyRequests, RetryAfter: held.Wait, Err: held}
}

func (s *Source) countCookies() {
	for reason, n := range s.transport.CookiesDropped() {
		s.metrics.cookies.WithLabelValues(reason).Add(float64(n))
	}
}
