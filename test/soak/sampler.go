package main

import (
	"context"
	"time"

	"github.com/p2pstream/p2pstream/test/lab/program"
	"github.com/p2pstream/p2pstream/test/soak/samples"
)

// sample writes down what every program is like, until ctx ends.
func (s *soak) sample(ctx context.Context) {
	tick := time.NewTicker(s.plan.Every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		var rows []samples.Row
		for _, p := range s.ps.all() {
			row := samples.NewRow(time.Since(s.began).Seconds(), p.name, p.life)
			u, err := program.ReadUsage(p.PID())
			if err != nil {
				continue // it ended a moment ago
			}
			row.Values[samples.RSS], row.Values[samples.CPU], row.Values[samples.Descriptors] = float64(u.RSS), u.CPU.Seconds(), float64(u.Descriptors)
			if err := scrape(ctx, p.admin, &row); err != nil && isKept(p.name) && ctx.Err() == nil && !p.Wanted() {
				s.event(p.name, samples.Missed, err.Error())
			}
			if p.extra != nil {
				p.extra(&row)
			}
			rows = append(rows, row)
		}
		s.mu.Lock()
		s.sampled = append(s.sampled, rows...)
		err := s.rows.Write(rows...)
		s.mu.Unlock()
		if err != nil {
			s.abort(err)
			return
		}
	}
}
