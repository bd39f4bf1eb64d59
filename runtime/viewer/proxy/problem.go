package proxy

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/p2pstream/p2pstream/runtime/loader"
	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
	"github.com/p2pstream/p2pstream/runtime/loader/ondemand"
)

// problem is an error answer.
type problem struct {
	status int
	text   string
	retry  bool // it may work in a moment
}

func (p *problem) Error() string { return p.text }

func notFound(format string, args ...any) *problem {
	return &problem{status: http.StatusNotFound, text: fmt.Sprintf(format, args...)}
}

// explain says why what (such as "segment 17 of 720p") cannot be served. The text
// is for people; it contains no query of a URL and no header.
func explain(what string, err error) *problem {
	var known *problem
	if errors.As(err, &known) {
		return known
	}
	p := &problem{status: http.StatusBadGateway, text: what + ": " + err.Error()}
	var origin *manifest.Error
	switch {
	case errors.Is(err, errTooManyPlayers), errors.Is(err, errTooManyRequests), errors.Is(err, ondemand.ErrStopped),
		errors.Is(err, errTooManyFetches), errors.Is(err, loader.ErrTooManyRenditions):
		p.status, p.retry = http.StatusServiceUnavailable, true
	case errors.Is(err, loader.ErrUnknownRendition), errors.Is(err, ondemand.ErrUnknownSegment), errors.Is(err, ondemand.ErrGap):
		p.status = http.StatusNotFound
	case errors.Is(err, ondemand.ErrGone):
		p.status = http.StatusGone
	case errors.Is(err, ondemand.ErrTooSlow), errors.Is(err, context.DeadlineExceeded):
		p.status = http.StatusGatewayTimeout
	case errors.As(err, &origin):
		p.text = what + ": the origin does not deliver it: " + origin.Error()
		switch {
		case origin.Status == http.StatusNotFound, origin.Status == http.StatusGone:
			p.status = origin.Status
		case origin.Reason == manifest.ReasonTimeout, origin.Reason == manifest.ReasonStalled:
			p.status = http.StatusGatewayTimeout
		}
	}
	return p
}
