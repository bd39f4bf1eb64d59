package viewerapi

import (
	"encoding/json"
	"errors"
	"net/netip"
	"time"

	"github.com/p2pstream/p2pstream/runtime/sites"
	"github.com/p2pstream/p2pstream/runtime/telemetry"
	"github.com/p2pstream/p2pstream/runtime/tracker/tickets"
)

// socketAnswer is the answer to a report over a WebSocket: an acknowledgement, or why the report was refused.
type socketAnswer struct {
	*telemetry.Acknowledgement
	*answer
	NextMs int64 `json:"nextMs"`
}

// Report takes a report that arrived over the WebSocket of a ticket's session, and returns the message to answer with.
// The socket says who reports: a ticket that expires while its socket is open is still good for reports.
func (h *Handler) Report(ticket tickets.Ticket, from netip.Addr, message []byte) []byte {
	ack, err := h.reportOf(ticket, from, message)
	out := socketAnswer{Acknowledgement: &ack, NextMs: h.nextReport().Milliseconds()}
	if err != nil {
		refusal := &telemetry.RefusalError{Reason: telemetry.Malformed}
		_ = errors.As(err, &refusal) // every error of telemetry is one
		out.Acknowledgement, out.answer = nil, &answer{Error: refusal.Error(), Reason: refusal.Reason}
	}
	b, err := json.Marshal(out)
	if err != nil { // cannot happen: the type can be marshaled
		h.log.Error("encoding answer", "error", err)
		b = []byte(`{"error":"internal"}`)
	}
	return telemetry.FrameAnswer(b)
}

func (h *Handler) reportOf(ticket tickets.Ticket, from netip.Addr, message []byte) (ack telemetry.Acknowledgement, err error) {
	report, err := telemetry.DecodeReport(message)
	switch {
	case err != nil:
	case ticket.Session == "":
		err = &telemetry.RefusalError{Reason: telemetry.Unsigned, Detail: "this socket has no ticket"}
	case report.Role != telemetry.RoleViewer:
		err = &telemetry.RefusalError{Reason: telemetry.Unauthorized, Detail: "seeders report over HTTP"}
	}
	if err != nil {
		var refusal *telemetry.RefusalError
		if errors.As(err, &refusal) {
			h.refuse(refusal.Reason)
		}
		return ack, err
	}
	site := h.site(from)
	ack, err = h.accept(telemetry.Sender{Key: ticket.Session, Stream: h.cfg.Stream, Site: site.Name, Alone: site.Peering == sites.Off,
		Role: telemetry.RoleViewer, Began: ticket.Issued}, report)
	var refusal *telemetry.RefusalError
	if errors.As(err, &refusal) { // the aggregate has counted it
		h.metrics.reports.WithLabelValues(string(refusal.Reason)).Inc()
	}
	return ack, err
}

// peak is how many times the stated rates of renditions a viewer may receive: segments have peaks, and a change of quality
// fetches some of them twice.
const peak = 2

// buffered is what a viewer may hold beyond the playlist's window.
const buffered = 30 * time.Second

// mediaOf returns what the stream can deliver to one viewer: the highest rates of both types together. HLS states none for
// audio tracks: those of variants include them.
func mediaOf(f Facts) telemetry.Media {
	highest := map[string]int64{}
	for _, r := range f.Renditions {
		if r.Bandwidth <= 0 && r.Type == "main" { // it could have any rate
			return telemetry.Media{}
		}
		highest[r.Type] = max(highest[r.Type], r.Bandwidth)
	}
	var bits int64
	for _, b := range highest {
		bits += peak * b
	}
	if highest["main"] == 0 {
		return telemetry.Media{}
	}
	return telemetry.Media{BitsPerSecond: bits, Ahead: int64(float64(bits) / 8 * (f.Playlist.Window + buffered).Seconds())}
}
