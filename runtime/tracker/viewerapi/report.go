package viewerapi

import (
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"sync"
	"time"

	"github.com/p2pstream/p2pstream/internal/redact"
	"github.com/p2pstream/p2pstream/runtime/sites"
	"github.com/p2pstream/p2pstream/runtime/telemetry"
	"github.com/p2pstream/p2pstream/runtime/tracker/tickets"
)

// serveTelemetry handles one report. Browsers send it as text/plain, which needs no preflight and is what
// navigator.sendBeacon does with a string.
func (h *Handler) serveTelemetry(w http.ResponseWriter, r *http.Request) {
	const path = telemetryPath
	if !h.isSeeder(r) && !h.allReports.AllowN(h.deps.Now(), 1) {
		w.Header().Set("Retry-After", "60")
		h.refuse(telemetry.TooOften)
		h.fail(w, path, http.StatusTooManyRequests, telemetry.TooOften, "too many reports; report over the WebSocket")
		return
	}
	if kind := r.Header.Get("Content-Type"); kind != "" {
		if media, _, err := mime.ParseMediaType(kind); err != nil || (media != "application/json" && media != "text/plain") {
			h.fail(w, path, http.StatusUnsupportedMediaType, "", "send application/json or text/plain")
			return
		}
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, telemetry.MaxReportSize))
	if err != nil {
		var large *http.MaxBytesError
		reason := telemetry.Malformed
		if errors.As(err, &large) {
			reason = telemetry.TooLarge
		}
		h.refused(w, &telemetry.RefusalError{Reason: reason, Detail: "reading body"}, true)
		return
	}
	report, err := telemetry.DecodeReport(body)
	if err != nil {
		h.refused(w, err, true)
		return
	}
	from, err := h.sender(r, report)
	if err != nil {
		h.refused(w, err, true)
		return
	}
	joined := h.joined(r).ID != ""
	if joined && report.Seeder != nil {
		// Whatever it says, it speaks for its own site only.
		report.Seeder.EdgeSite, report.Seeder.SwarmID = from.Site, ""
	}
	ack, err := h.accept(from, report)
	if err != nil {
		h.refused(w, err, false)
		return
	}
	if report.Seeder != nil && h.deps.OnSeeder != nil {
		h.deps.OnSeeder(from.Key, *report.Seeder)
	}
	if report.Seeder != nil && !joined {
		h.heardOf(r.Context(), from.Key, report.Seeder.SwarmID)
	}
	if report.Seeder != nil {
		ack.SwarmID = h.swarmID(h.facts())
	}
	h.reply(w, path, http.StatusOK, ack)
}

// accept counts a report and returns the answer to its sender.
func (h *Handler) accept(from telemetry.Sender, report telemetry.Report) (telemetry.Acknowledgement, error) {
	now, facts := h.deps.Now(), h.facts()
	if from.Role == telemetry.RoleViewer {
		from.Interval = h.nextReport()
	}
	h.mu.Lock()
	h.aggregate.SetMedia(mediaOf(facts))
	h.nameRenditions(facts)
	result, err := h.aggregate.Accept(from, report, now)
	h.mu.Unlock()
	if err != nil {
		return telemetry.Acknowledgement{}, err
	}
	h.metrics.accepted(from, result)
	if from.Role == telemetry.RoleViewer && h.deps.OnViewer != nil {
		h.deps.OnViewer(from.Key, result.Delta.Uploaded)
	}
	ack := telemetry.Acknowledgement{Acked: result.Acked, Receipts: result.Receipts, Boot: h.boot, SwarmID: h.swarmID(facts)}
	if from.Role == telemetry.RoleViewer {
		ack.NextMs = from.Interval.Milliseconds()
	}
	if from.Role == telemetry.RoleViewer && from.Vouched.IsZero() {
		ack.Voucher = h.deps.Keys().Vouch(from.Key, h.cfg.Stream, now)
	}
	return ack, nil
}

// nextReport is after what time viewers are told to report again.
func (h *Handler) nextReport() time.Duration {
	return telemetry.NextReport(h.deps.Swarms.Audience().ViewerSockets, h.cfg.Interval, h.cfg.ReportsPerSecond)
}

// heardOf takes the swarm that a seeder is in: it may know of an event that this run of the tracker did not see begin. A
// seeder also reports at once when it sees one begin, so the stream is looked at again.
func (h *Handler) heardOf(ctx context.Context, seeder, swarmID string) {
	if f, ok := h.deps.Facts.(Adopter); ok && swarmID != "" {
		f.Adopt(swarmID)
	}
	h.refresh(ctx)
	if ours := h.swarmID(h.facts()); swarmID != "" && swarmID != ours && h.elsewhere.allow(h.deps.Now()) {
		h.log.Warn("a seeder is in another swarm and is told to move: it reads the stream from another URL, or has not seen that an event began",
			"seeder", seeder, "its", redact.URL(swarmID), "ours", redact.URL(ours))
	}
}

// logEvery bounds the lines about seeders in other swarms.
const logEvery = 30 * time.Second

// seldom lets one of many pass.
type seldom struct {
	mu   sync.Mutex
	last time.Time
}

func (s *seldom) allow(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.last.IsZero() && now.Sub(s.last) < logEvery {
		return false
	}
	s.last = now
	return true
}

// sender authenticates the sender of a report: a seeder by its token, a viewer by its session.
func (h *Handler) sender(r *http.Request, report telemetry.Report) (telemetry.Sender, error) {
	addr := h.client(r)
	site := h.site(addr)
	from := telemetry.Sender{Stream: h.cfg.Stream, Site: site.Name, Alone: site.Peering == sites.Off, Role: report.Role}
	if report.Role == telemetry.RoleSeeder {
		if c := h.joined(r); c.ID != "" {
			from.Key, from.Site = c.Name(), c.Site
			return from, nil
		}
		if !h.isSeeder(r) {
			return from, &telemetry.RefusalError{Reason: telemetry.Unauthorized, Detail: "role seeder requires the seeder token as Authorization: Bearer"}
		}
		// What an edge seeder fetches is traffic of its own site, wherever its address is.
		if site := edgeSite(report); site != "" && h.knowsSite(site) {
			from.Site = site
		}
		from.Key = report.Session
		if from.Key == "" {
			from.Key = addr.String()
		}
		return from, nil
	}
	now := h.deps.Now()
	ticket, err := h.verify(report.Session, now)
	if err != nil {
		return from, err
	}
	from.Key, from.Began = ticket.Session, ticket.Issued
	if h.deps.HasSocket == nil || h.deps.HasSocket(from.Key) {
		return from, nil
	}
	age := voucherIntervals * h.nextReport()
	if at, ok := h.deps.Keys().Vouched(report.Voucher, from.Key, h.cfg.Stream, age, now); ok {
		from.Vouched = at
		return from, nil
	}
	return from, &telemetry.RefusalError{Reason: telemetry.NoSocket, Detail: "connect to the announce URL of /v1/config first"}
}

// voucherIntervals is how many intervals a voucher is good for: as long as a session counts as live.
const voucherIntervals = 3

// verify checks a session's ticket. The error is a *telemetry.RefusalError (Unsigned or Expired).
func (h *Handler) verify(text string, now time.Time) (tickets.Ticket, error) {
	ticket, err := h.deps.Keys().Verify(text, h.cfg.Stream, now)
	switch {
	case errors.Is(err, tickets.ErrExpired):
		return ticket, &telemetry.RefusalError{Reason: telemetry.Expired, Detail: "fetch /v1/config again"}
	case err != nil:
		return ticket, &telemetry.RefusalError{Reason: telemetry.Unsigned, Detail: "not a session from /v1/config"}
	}
	return ticket, nil
}

// refused replies to a report that is refused; count says that the aggregate has not counted the refusal yet.
func (h *Handler) refused(w http.ResponseWriter, err error, count bool) {
	refusal := &telemetry.RefusalError{Reason: telemetry.Malformed}
	_ = errors.As(err, &refusal) // every error of telemetry is one
	if count {
		h.refuse(refusal.Reason)
	} else {
		h.metrics.reports.WithLabelValues(string(refusal.Reason)).Inc()
	}
	status := http.StatusUnprocessableEntity
	switch refusal.Reason {
	case telemetry.Malformed, telemetry.WrongVersion:
		status = http.StatusBadRequest
	case telemetry.TooLarge:
		status = http.StatusRequestEntityTooLarge
	case telemetry.Unsigned, telemetry.Expired, telemetry.Unauthorized:
		status = http.StatusUnauthorized
	case telemetry.Replayed, telemetry.OutOfOrder, telemetry.Decreasing, telemetry.NoSocket:
		status = http.StatusConflict
	case telemetry.TooOften:
		status = http.StatusTooManyRequests
		w.Header().Set("Retry-After", "1")
	}
	h.fail(w, telemetryPath, status, refusal.Reason, refusal.Error())
}

func (h *Handler) refuse(reason telemetry.Reason) {
	h.mu.Lock()
	h.aggregate.Refuse(reason)
	h.mu.Unlock()
	h.metrics.reports.WithLabelValues(string(reason)).Inc()
}
