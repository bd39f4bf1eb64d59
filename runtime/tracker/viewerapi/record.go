package viewerapi

import (
	"time"

	"github.com/p2pstream/p2pstream/internal/dashboard"
	"github.com/p2pstream/p2pstream/internal/history"
)

// Past is the history that the dashboard shows.
func (h *Handler) Past() *dashboard.Past { return h.past }

// Record takes a sample for the dashboard, and returns what it is made of. It is to be called every history.FineStep.
func (h *Handler) Record() Stats {
	now := h.Stats()
	h.past.Add(now.Now, func(elapsed time.Duration) history.Sample { return dashboard.SampleOf(now, elapsed) })
	return now
}

// Recorded returns the time of the last sample; zero: there is none.
func (h *Handler) Recorded() time.Time { return h.past.Last() }
