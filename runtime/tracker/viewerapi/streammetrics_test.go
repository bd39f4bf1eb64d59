package viewerapi

import (
	"maps"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// streamMetrics are the values of the collector, without the beginning of their names.
func streamMetrics(t *testing.T, r *rig) map[string]float64 {
	t.Helper()
	reg := prometheus.NewPedanticRegistry()
	reg.MustRegister(newStreamCollector(r.Handler))
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]float64{}
	for _, f := range families {
		values[f.GetName()[len("p2pstream_viewerapi_"):]] = f.GetMetric()[0].GetGauge().GetValue()
	}
	return values
}

func TestMetricsOfTheStream(t *testing.T) {
	t.Parallel()
	r := newRig(t, Config{})
	r.facts.facts.Followed = "720p"
	check := func(when string, want map[string]float64) {
		t.Helper()
		if got := streamMetrics(t, r); !maps.Equal(got, want) {
			t.Errorf("%s: %v, want %v", when, got, want)
		}
	}
	check("without seeders", map[string]float64{"stream_peerable": 1, "stream_problem": 0, "reporting_seeders": 0, "seeders_holding": 0, "seeders_behind": 0})
	r.seed()
	check("with a seeder", map[string]float64{"stream_peerable": 1, "stream_problem": 0, "reporting_seeders": 1, "seeders_holding": 1, "seeders_behind": 0})
	no := false
	r.facts.facts.Problem, r.facts.facts.Peerable = "the origin answers 503", &no
	r.facts.facts.Playlist.Edge += 20
	r.facts.facts.At = r.now
	r.now = r.now.Add(time.Second)
	check("behind", map[string]float64{"stream_peerable": 0, "stream_problem": 1, "reporting_seeders": 1, "seeders_holding": 0, "seeders_behind": 1})
	r.facts.facts.Peerable = nil
	r.now = r.now.Add(time.Minute)
	check("gone", map[string]float64{"stream_problem": 1, "reporting_seeders": 0, "seeders_holding": 0, "seeders_behind": 0})
}
