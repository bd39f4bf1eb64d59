package viewerapi

import (
	"context"
	"crypto/subtle"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/p2pstream/p2pstream/internal/redact"
	"github.com/p2pstream/p2pstream/runtime/telemetry"
)

// serveTelemetry handles one report. Browsers send it as text/plain, which needs no preflight and is what
// navigator.sendBeacon does with a string.
func (h *Handler) serveTelemetry(w http.ResponseWriter, r *http.Request) {
	const path = "/v1/telemetry"
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
	h.mu.Lock()
	result, err := h.aggregate.Accept(from, report, h.deps.Now())
	h.mu.Unlock()
	if err != nil {
		h.refused(w, err, false)
		return
	}
	h.metrics.accepted(from, result)
	if report.Seeder != nil && h.deps.OnSeeder != nil {
		h.deps.OnSeeder(from.Key, *report.Seeder)
	}
	if report.Seeder != nil {
		h.heardOf(r.Context(), from.Key, report.Seeder.SwarmID)
	}
	h.reply(w, path, http.StatusOK, telemetry.Acknowledgement{Acked: result.Acked, Receipts: result.Receipts, Boot: h.boot, SwarmID: h.swarmID(h.facts())})
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
	from := telemetry.Sender{Stream: h.cfg.Stream, Site: h.sites.of(addr), Role: report.Role}
	if report.Role == telemetry.RoleSeeder {
		token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		want := h.deps.SeederToken()
		if !ok || want == "" || subtle.ConstantTimeCompare([]byte(token), []byte(want)) != 1 {
			return from, &telemetry.RefusalError{Reason: telemetry.Unauthorized, Detail: "role seeder requires the seeder token as Authorization: Bearer"}
		}
		from.Key = report.Session
		if from.Key == "" {
			from.Key = addr.String()
		}
		return from, nil
	}
	session, err := h.signer.Verify(report.Session, h.cfg.Stream, h.deps.Now())
	from.Key, from.Began = session.Key, session.Began
	return from, err
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
	case telemetry.Replayed, telemetry.OutOfOrder, telemetry.Decreasing:
		status = http.StatusConflict
	case telemetry.TooOften:
		status = http.StatusTooManyRequests
		w.Header().Set("Retry-After", "1")
	}
	h.fail(w, "/v1/telemetry", status, refusal.Reason, refusal.Error())
}

func (h *Handler) refuse(reason telemetry.Reason) {
	h.mu.Lock()
	h.aggregate.Refuse(reason)
	h.mu.Unlock()
	h.metrics.reports.WithLabelValues(string(reason)).Inc()
}
