package tracker

import (
	"errors"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/p2pstream/p2pstream/runtime/descriptions"
	"github.com/p2pstream/p2pstream/runtime/signaling"
	"github.com/p2pstream/p2pstream/runtime/tracker/swarm"
)

// limit identifies a limit that a client reached.
type limit int

const (
	limitMessages limit = iota
	limitFlood
	limitOffers
	limitSwarms
	limitIDs
	limitIDsPerSwarm
	limitAllowed
	limitTicket
	limits
)

var limitNames = [limits]string{"messages_per_second", "flood", "offers_per_announce", "swarms_per_socket",
	"ids_per_socket", "ids_per_swarm", "info_hash_not_served", "sockets_per_ticket"}

type metrics struct {
	messages [4]prometheus.Counter
	invalid  prometheus.Counter
	limits   [limits]prometheus.Counter
	refused  map[descriptions.Error]prometheus.Counter
	dropped  prometheus.Counter
	handling prometheus.Histogram
}

func (m *metrics) limit(l limit) { m.limits[l].Inc() }

// description counts a session description that is not relayed; err is of descriptions.Clean.
func (m *metrics) description(err error) {
	var reason descriptions.Error
	if errors.As(err, &reason) {
		m.refused[reason].Inc()
	}
}

func (m *metrics) message(action signaling.Action, err error) {
	if err != nil {
		m.invalid.Inc()
		return
	}
	m.messages[action].Inc()
}

func newMetrics(h *hub, reg prometheus.Registerer) (*metrics, error) {
	m := &metrics{handling: prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "p2pstream_tracker_handling_seconds", Help: "Time from reading a message to queueing the messages that it causes.",
		Buckets: []float64{.0001, .0003, .001, .003, .01, .03, .1, .3, 1},
	})}
	messages := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "p2pstream_tracker_messages_total",
		Help: "Messages from clients, by kind."}, []string{"kind"})
	for action, name := range map[signaling.Action]string{signaling.ActionAnnounce: "announce",
		signaling.ActionAnswer: "answer", signaling.ActionScrape: "scrape"} {
		m.messages[action] = messages.WithLabelValues(name)
	}
	m.invalid = messages.WithLabelValues("invalid")
	hits := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "p2pstream_tracker_limit_hits_total",
		Help: "Messages ignored, refused or truncated because of a limit, by limit."}, []string{"limit"})
	for l := range limits {
		m.limits[l] = hits.WithLabelValues(limitNames[l])
	}
	refused := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "p2pstream_tracker_descriptions_refused_total",
		Help: "Session descriptions that were not relayed, by reason."}, []string{"reason"})
	m.refused = map[descriptions.Error]prometheus.Counter{}
	for _, err := range descriptions.Errors {
		m.refused[err] = refused.WithLabelValues(err.Label())
	}
	m.dropped = prometheus.NewCounter(prometheus.CounterOpts{Name: "p2pstream_tracker_candidates_dropped_total",
		Help: "Candidates left out of session descriptions because of their addresses."})
	for _, c := range append(coreCollectors(h), m.handling, messages, hits, refused, m.dropped) {
		if err := reg.Register(c); err != nil {
			return nil, fmt.Errorf("registering metrics: %w", err)
		}
	}
	return m, nil
}

// coreCollectors exports the counters of the shards' cores.
func coreCollectors(h *hub) []prometheus.Collector {
	counter := func(name, help string, labels prometheus.Labels, of func(*swarm.Stats) uint64) prometheus.Collector {
		return prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "p2pstream_tracker_" + name, Help: help, ConstLabels: labels},
			func() float64 {
				var sum uint64
				for _, s := range h.shards {
					sum += of(&s.core.Stats)
				}
				return float64(sum)
			})
	}
	gauge := func(name, help string, labels prometheus.Labels, v func() int) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "p2pstream_tracker_" + name, Help: help, ConstLabels: labels},
			func() float64 { return float64(v()) })
	}
	type of = func(*swarm.Stats) uint64
	var all []prometheus.Collector
	byLabel := func(name, help, label string, values map[string]of) {
		for value, f := range values {
			all = append(all, counter(name, help, prometheus.Labels{label: value}, f))
		}
	}
	byLabel("offers_total", "Offers in announces, by result: relayed to a seeder, relayed to a viewer, or unused.", "result", map[string]of{
		"to_seeder": func(s *swarm.Stats) uint64 { return s.OffersToSeeders.Load() },
		"to_viewer": func(s *swarm.Stats) uint64 {
			return s.OffersRelayed.Load() - min(s.OffersToSeeders.Load(), s.OffersRelayed.Load())
		},
		"unused": func(s *swarm.Stats) uint64 { return s.OffersUnused.Load() },
	})
	byLabel("answers_total", "Answers, by result: relayed; dropped because the offerer has left, the offer is unknown, or the sender has not announced the peer id.", "result", map[string]of{
		"relayed":  func(s *swarm.Stats) uint64 { return s.AnswersRelayed.Load() },
		"departed": func(s *swarm.Stats) uint64 { return s.AnswersDeparted.Load() },
		"unknown":  func(s *swarm.Stats) uint64 { return s.AnswersUnknown.Load() },
		"foreign":  func(s *swarm.Stats) uint64 { return s.AnswersForeign.Load() },
	})
	byLabel("peer_changes_total", "Peers that joined, left, expired, or, of seeders, moved to a new socket.", "change", map[string]of{
		"joined":  func(s *swarm.Stats) uint64 { return s.Joins.Load() },
		"left":    func(s *swarm.Stats) uint64 { return s.Departures.Load() },
		"expired": func(s *swarm.Stats) uint64 { return s.Expiries.Load() },
		"moved":   func(s *swarm.Stats) uint64 { return s.Moves.Load() },
	})
	byLabel("announces_refused_total", "Announces whose peer was not admitted to the swarm, by reason.", "reason", map[string]of{
		"reserved_id": func(s *swarm.Stats) uint64 { return s.Reserved.Load() },
		"swarm_full":  func(s *swarm.Stats) uint64 { return s.SwarmFull.Load() },
		"swarms_full": func(s *swarm.Stats) uint64 { return s.SwarmsFull.Load() },
	})
	byLabel("offers_held_back_total", "Offers not relayed to a peer, by limit: too many offers had been sent to it, "+
		"one of the two has too many peers of the other's source, or too many offers wait for answers.", "limit", map[string]of{
		"peers_per_source": func(s *swarm.Stats) uint64 { return s.SourceHits.Load() },
		"offers_per_peer":  func(s *swarm.Stats) uint64 { return s.OffersHeldBack.Load() },
		"pending_offers":   func(s *swarm.Stats) uint64 { return s.OffersAbovePending.Load() },
	})
	byLabel("gateways_replaced_total", "Viewers that became gateways of their site, by what had happened: another gateway left, was silent, did not connect "+
		"to a seeder, or delivered nothing; or the map of sites allows more; or the site had no viewers before and has its first ones now (grown).", "cause", map[string]of{
		"left":        func(s *swarm.Stats) uint64 { return s.Successors[swarm.CauseLeft].Load() },
		"silent":      func(s *swarm.Stats) uint64 { return s.Successors[swarm.CauseSilent].Load() },
		"unconnected": func(s *swarm.Stats) uint64 { return s.Successors[swarm.CauseUnconnected].Load() },
		"idle":        func(s *swarm.Stats) uint64 { return s.Successors[swarm.CauseIdle].Load() },
		"map":         func(s *swarm.Stats) uint64 { return s.Successors[swarm.CauseMap].Load() },
		"grown":       func(s *swarm.Stats) uint64 { return s.Successors[swarm.CauseGrown].Load() },
	})
	sum := func(of func(*swarm.Stats) int64) func() int {
		return func() (n int) {
			for _, s := range h.shards {
				n += int(of(&s.core.Stats))
			}
			return n
		}
	}
	viewers := func() int { _, v, _ := h.registry.totals(); return v }
	seeders := func() int { _, _, s := h.registry.totals(); return s }
	return append(all,
		counter("shared_ids_total", "Peers that joined with a peer id of another live socket.", nil,
			func(s *swarm.Stats) uint64 { return s.SharedIDs.Load() }),
		counter("offers_repeated_total", "Offers relayed to a viewer that had answered one of the same peer.", nil,
			func(s *swarm.Stats) uint64 { return s.OffersRepeated.Load() }),
		counter("failed_links_total", "Repeated offers that were answered: the earlier answer led to no connection.", nil,
			func(s *swarm.Stats) uint64 { return s.FailedLinks.Load() }),
		counter("lost_links_total", "Connections that seeders reported as lost while the viewer was still there.", nil,
			func(s *swarm.Stats) uint64 { return s.LostLinks.Load() }),
		gauge("offers_pending", "Offers relayed within the last minute, which may still be answered.", nil,
			sum(func(s *swarm.Stats) int64 { return s.Pending.Load() })),
		counter("offers_requested_total", "Offers that seeders were asked for, for viewers that had no seeder.", nil,
			func(s *swarm.Stats) uint64 { return s.OffersRequested.Load() }),
		counter("early_announces_total", "Viewers asked to announce early, because they need other peers.", nil,
			func(s *swarm.Stats) uint64 { return s.Nudges.Load() }),
		counter("places_told_total", "Messages that told seeders that a viewer became a gateway of its site, is none any more, or is somewhere else.", nil,
			func(s *swarm.Stats) uint64 { return s.PlacesTold.Load() }),
		counter("cells_merged_total", "Cells of sites that became part of another one.", nil,
			func(s *swarm.Stats) uint64 { return s.CellsMerged.Load() }),
		gauge("gateways", "Viewers that are led to peers outside of their site.", nil,
			sum(func(s *swarm.Stats) int64 { return s.Gateways.Load() })),
		gauge("cells", "Cells of sites, over all renditions.", nil, sum(func(s *swarm.Stats) int64 { return s.Cells.Load() })),
		gauge("swarms", "Swarms with members.", nil, func() int { n, _, _ := h.registry.totals(); return n }),
		gauge("peers", "Memberships in swarms.", prometheus.Labels{"role": "viewer"}, viewers),
		gauge("peers", "Memberships in swarms.", prometheus.Labels{"role": "seeder"}, seeders))
}
