package manifest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/p2pstream/p2pstream/internal/originhttp"
)

// FetchSegment opens seg from byte from on (0: from its start). total is the
// length of the whole segment in bytes, or −1 if the origin does not say. The
// reader gives exactly the announced bytes and then io.EOF; if the body ends
// early, stalls, or grows beyond the bound it fails with an *Error. The caller
// closes it.
func (s *Source) FetchSegment(ctx context.Context, seg Segment, from int64) (body io.ReadCloser, total int64, err error) {
	return s.ResumeSegment(ctx, seg, from, -1)
}

// ResumeSegment is FetchSegment for a segment whose length is known from an
// earlier answer: another total than known is a SizeChanged error, since then
// the bytes held are not a part of it. known −1 means unknown.
func (s *Source) ResumeSegment(ctx context.Context, seg Segment, from, known int64) (body io.ReadCloser, total int64, err error) {
	if seg.Gap {
		return nil, 0, s.countFetch(fail(ReasonGap, seg.URL, errors.New("EXT-X-GAP")))
	}
	return s.fetch(ctx, Resource{URL: seg.URL, Range: seg.Range, Alternatives: seg.Alternatives}, from, known, "segment")
}

// FetchResource opens a resource that peers do not share, such as an
// initialization section, under the same checks.
func (s *Source) FetchResource(ctx context.Context, r Resource) (body io.ReadCloser, total int64, err error) {
	return s.fetch(ctx, r, 0, -1, "init")
}

func (s *Source) countFetch(err error) error {
	s.metrics.segments.WithLabelValues(string(ReasonOf(err))).Inc()
	return err
}

// fetchFrom opens a resource at its first URL.
func (s *Source) fetchFrom(ctx context.Context, r Resource, from, known int64, kind string) (*checkedBody, int64, error) {
	want := wanted{from: from, last: -1, known: known, most: s.cfg.MaxSegmentBytes}
	if r.Range != nil {
		want.base, want.last, want.known = r.Range.Offset, r.Range.Offset+r.Range.Length-1, r.Range.Length
		if known >= 0 && known != r.Range.Length {
			return nil, 0, s.countFetch(fail(ReasonSizeChanged, r.URL, fmt.Errorf("the range has %d bytes, not %d", r.Range.Length, known)))
		}
	}
	if want.known > want.most {
		return nil, 0, s.countFetch(fail(ReasonTooLarge, r.URL, fmt.Errorf("%d bytes", want.known)))
	}
	if from < 0 || (want.known >= 0 && from >= want.known) {
		return nil, 0, s.countFetch(fail(ReasonRangeRefused, r.URL, fmt.Errorf("byte %d is outside of the range", from)))
	}
	timed, cancelTimeout := context.WithTimeoutCause(ctx, s.cfg.SegmentTimeout, errTooSlow)
	watched, closing := originhttp.WatchClosing(timed)
	ctx, cancel := context.WithCancelCause(watched)
	stop := func(cause error) {
		cancel(cause)
		cancelTimeout()
	}
	stall := time.AfterFunc(s.cfg.StallTimeout, func() { cancel(errStalled) })
	response, at, err := s.get(ctx, r.URL, func(h http.Header) {
		// The bytes shared with peers are those before any encoding.
		h.Set("Accept-Encoding", "identity")
		if text := want.header(); text != "" {
			h.Set("Range", text)
		}
	})
	stall.Stop()
	s.countCookies()
	if err != nil {
		stop(errClosed)
		return nil, 0, s.countFetch(s.held(err, kind))
	}
	expect, total, err := want.check(response, at)
	if ReasonOf(err) == ReasonStatus {
		err = s.statusError(at, response)
	}
	if err != nil {
		_ = response.Body.Close()
		stop(errClosed)
		return nil, 0, s.countFetch(err)
	}
	return &checkedBody{
		source: s, body: response.Body, ctx: ctx, stop: stop, stall: stall, at: at, kind: kind,
		expect: expect, most: want.most - from, from: from, closing: closing, untilClose: endsWithConnection(response),
	}, total, nil
}

// wanted is what one request asks for.
type wanted struct {
	base  int64 // offset of the segment in its resource
	from  int64 // first byte, counted in the segment
	last  int64 // last byte in the resource, −1 if open
	known int64 // length of the segment, −1 if unknown
	most  int64
}

func (w wanted) header() string {
	if w.last >= 0 {
		return fmt.Sprintf("bytes=%d-%d", w.base+w.from, w.last)
	}
	if w.from > 0 {
		return fmt.Sprintf("bytes=%d-", w.from)
	}
	return ""
}

// check holds the answer against the request. expect is the number of bytes to
// come (−1: not said), total the length of the whole segment (−1: not said).
func (w wanted) check(r *http.Response, at string) (expect, total int64, err error) {
	ranged := w.header() != ""
	switch {
	case r.StatusCode == http.StatusRequestedRangeNotSatisfiable:
		e := fail(ReasonRangeRefused, at, errors.New("the origin does not have these bytes"))
		e.Status = r.StatusCode
		return 0, 0, e
	case r.StatusCode == http.StatusOK && ranged:
		return 0, 0, fail(ReasonRangeIgnored, at, errors.New("HTTP 200 to a Range request"))
	case r.StatusCode != http.StatusOK && (r.StatusCode != http.StatusPartialContent || !ranged):
		return 0, 0, fail(ReasonStatus, at, nil)
	}
	if encoding := strings.TrimSpace(r.Header.Get("Content-Encoding")); (encoding != "" && encoding != "identity") || r.Uncompressed {
		return 0, 0, fail(ReasonEncoded, at, fmt.Errorf("content encoding %q", clip(encoding)))
	}
	expect, total = r.ContentLength, r.ContentLength
	if ranged {
		if expect, total, err = w.checkRange(r, at); err != nil {
			return 0, 0, err
		}
	} else if w.known >= 0 && total >= 0 && total != w.known {
		return 0, 0, fail(ReasonSizeChanged, at, fmt.Errorf("%d bytes, not %d as before", total, w.known))
	}
	if expect == 0 {
		return 0, 0, fail(ReasonTruncated, at, errors.New("the body is empty"))
	}
	if max(expect, total) > w.most {
		return 0, 0, fail(ReasonTooLarge, at, fmt.Errorf("%d bytes", max(expect, total)))
	}
	return expect, total, nil
}

// endsWithConnection tells whether only the end of the connection ends the body, as
// with HTTP/1.0. Source: RFC 9112 §6.3.
func endsWithConnection(r *http.Response) bool {
	chunked := len(r.TransferEncoding) > 0 && r.TransferEncoding[0] == "chunked"
	return r.ContentLength < 0 && r.ProtoMajor < 2 && !chunked
}

// checkRange holds a 206 against the request: exactly the asked bytes, or for
// an open request everything up to the end of the resource.
func (w wanted) checkRange(r *http.Response, at string) (expect, total int64, err error) {
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); strings.HasPrefix(kind, "multipart/") {
		return 0, 0, fail(ReasonRangeRefused, at, errors.New("a multipart answer to one range"))
	}
	first, last, whole, ok := parseContentRange(r.Header.Get("Content-Range"))
	if !ok || first != w.base+w.from {
		return 0, 0, fail(ReasonRangeRefused, at, fmt.Errorf("asked %q, got Content-Range %q", w.header(), clip(r.Header.Get("Content-Range"))))
	}
	total = w.known
	if w.last >= 0 {
		if last != w.last {
			return 0, 0, fail(ReasonSizeChanged, at, fmt.Errorf("the range ends at byte %d, not %d", last, w.last))
		}
	} else if whole >= 0 {
		if last != whole-1 {
			return 0, 0, fail(ReasonTruncated, at, fmt.Errorf("bytes to %d of %d", last, whole))
		}
		if w.known >= 0 && whole != w.known {
			return 0, 0, fail(ReasonSizeChanged, at, fmt.Errorf("%d bytes, not %d as before", whole, w.known))
		}
		total = whole
	} else if w.known >= 0 && last != w.known-1 {
		return 0, 0, fail(ReasonSizeChanged, at, fmt.Errorf("bytes to %d of %d", last, w.known))
	}
	expect = last - first + 1
	if r.ContentLength >= 0 && r.ContentLength != expect {
		return 0, 0, fail(ReasonSizeChanged, at, fmt.Errorf("Content-Length %d for %d bytes", r.ContentLength, expect))
	}
	return expect, total, nil
}

// parseContentRange reads "bytes first-last/whole"; whole is −1 for "*".
// Source: RFC 9110 §14.4.
func parseContentRange(text string) (first, last, whole int64, ok bool) {
	unit, rest, _ := strings.Cut(strings.TrimSpace(text), " ")
	if !strings.EqualFold(unit, "bytes") {
		return 0, 0, 0, false
	}
	span, size, ok1 := strings.Cut(rest, "/")
	from, to, ok2 := strings.Cut(span, "-")
	first, err1 := parsePosition(from)
	last, err2 := parsePosition(to)
	whole = -1
	var err3 error
	if size = strings.TrimSpace(size); size != "*" {
		whole, err3 = parsePosition(size)
	}
	if !ok1 || !ok2 || err1 != nil || err2 != nil || err3 != nil || last < first || (whole >= 0 && last >= whole) {
		return 0, 0, 0, false
	}
	return first, last, whole, true
}

func parsePosition(text string) (int64, error) {
	n, err := strconv.ParseUint(strings.TrimSpace(text), 10, 53)
	return int64(n), err // #nosec G115 -- 53 bits
}

// checkedBody counts what comes and watches for silence. The stall clock runs
// only while a Read waits, so that a slow consumer is not taken for a slow
// origin.
type checkedBody struct {
	asked  string // the URL, if there are others; empty: there are none
	source *Source
	body   io.ReadCloser
	ctx    context.Context
	stop   func(error)
	stall  *time.Timer // ends the transfer when it fires
	at     string
	kind   string
	expect int64 // bytes to come in all, −1 if not said
	most   int64
	from   int64 // byte of the segment that comes first

	closing    *originhttp.Closing
	untilClose bool // the end of the connection ends it

	got  int64
	err  error
	once sync.Once
}

func (b *checkedBody) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	if len(p) == 0 {
		return 0, nil
	}
	b.stall.Reset(b.source.cfg.StallTimeout)
	n, err := b.body.Read(p)
	b.stall.Stop()
	b.got += int64(n)
	switch {
	case b.got > b.most || (b.expect >= 0 && b.got > b.expect):
		n = 0
		err = fail(ReasonTooLarge, b.at, fmt.Errorf("more than %d bytes", b.most))
	case err == nil:
		return n, nil
	case errors.Is(err, io.EOF) && (b.expect < 0 && b.got > 0 || b.got == b.expect):
		if err = io.EOF; b.doubtful() {
			err = fail(ReasonNoLength, b.at, fmt.Errorf("the connection ended after %d bytes of unknown length: a second look decides", b.got))
		}
	case b.ctx.Err() == nil && (errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)):
		err = fail(ReasonTruncated, b.at, fmt.Errorf("%d of %d bytes", b.got, b.expect))
	default:
		err = b.source.transportError(b.ctx, b.at, err)
	}
	b.err = err
	return n, err
}

// doubtful tells whether the body may go on behind what came. Without a length,
// chunks and TLS an end of the connection is the end of the body, unless
// SecondLook is set. With TLS its end is proved by close_notify. Some servers
// never send that; of those a body is whole when a second one has the same size.
func (b *checkedBody) doubtful() bool {
	unproved := b.closing.CutOff() || (b.source.cfg.SecondLook && !strings.HasPrefix(b.at, "https:"))
	return b.untilClose && b.expect < 0 && unproved && !b.source.transport.SameAsBefore(withoutSecrets(b.at), b.from+b.got)
}

// Close ends the transfer; it never fails. Only the first call counts. Like
// Read it belongs to one goroutine; to end a transfer from another, cancel the
// context.
func (b *checkedBody) Close() error {
	b.once.Do(func() {
		result := resultOK
		switch reason := ReasonOf(b.err); {
		case reason != "":
			result = string(reason)
		case b.err == nil && b.got != b.expect:
			result = string(ReasonCanceled)
		}
		b.source.metrics.segments.WithLabelValues(result).Inc()
		b.source.metrics.bytes.WithLabelValues(b.kind).Add(float64(b.got))
		if _, down := serves(b.err); down && b.asked != "" {
			b.source.detours.avoid(b.asked, time.Now())
		}
		b.stop(errClosed)
		_ = b.body.Close() // nothing more is wanted from it
	})
	return nil
}
