package tracker

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/p2pstream/p2pstream/internal/history"
	"github.com/p2pstream/p2pstream/runtime/tracker/config"
)

// oneHistory is the history of one of many streams.
type oneHistory struct {
	*history.Ring
	mu sync.Mutex
}

func (h *oneHistory) Held() (int64, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.Bytes(), h.Idle()
}

// TestHistoriesKeepToOneBound: those of many streams take no more than limits.historyBytes, and the metrics say so.
func TestHistoriesKeepToOneBound(t *testing.T) {
	reg := prometheus.NewRegistry()
	s, err := New(Config{Limits: LimitsConfig{HistoryBytes: config.LeastHistoryBytes}}, nil, reg)
	if err != nil {
		t.Fatal(err)
	}
	var all []history.Shared
	at := time.Date(2026, 1, 2, 8, 0, 0, 0, time.UTC)
	for range 50 {
		all = append(all, &oneHistory{Ring: history.New()})
	}
	most := int64(0)
	for i := range 400 {
		for _, one := range all {
			sample := history.Sample{At: at, Viewers: 5, Counters: history.Counters{HTTP: int64(1000 * i)}}
			for site := range 10 {
				sample.Sites = append(sample.Sites, history.Part{Name: fmt.Sprint("site-", site), Line: 10})
			}
			one.(*oneHistory).Add(sample)
		}
		at = at.Add(history.FineStep)
		s.histories.fit(all)
		most = max(most, s.histories.bytes.Load())
	}
	if most > config.LeastHistoryBytes || most < config.LeastHistoryBytes/2 {
		t.Errorf("%d bytes at most, of %d", most, config.LeastHistoryBytes)
	}
	var told dto.Metric
	if err := s.histories.thinned.Write(&told); err != nil || told.GetCounter().GetValue() < 50 {
		t.Errorf("made coarser %v times, %v", told.GetCounter().GetValue(), err)
	}
}

// TestHistoryLimit: the memory there is bounds what histories take, unless it is configured.
func TestHistoryLimit(t *testing.T) {
	for name, tt := range map[string]struct {
		configured int
		memory     int64
		want       int
	}{
		"nothing is known":  {0, 0, 64 << 20},
		"an eighth of it":   {0, 128 << 20, 16 << 20},
		"more than needed":  {0, 1 << 40, 64 << 20},
		"hardly any":        {0, 1 << 10, config.LeastHistoryBytes},
		"it was configured": {1 << 30, 1 << 20, 1 << 30},
	} {
		if got := historyLimit(Config{Limits: LimitsConfig{HistoryBytes: tt.configured}}, tt.memory); got != tt.want {
			t.Errorf("%s: %d, want %d", name, got, tt.want)
		}
	}
}
