package main

import (
	"context"
	"strconv"
	"time"

	"github.com/p2pstream/p2pstream/internal/freeport"
	"github.com/p2pstream/p2pstream/runtime/tracker/viewerapi"
	"github.com/p2pstream/p2pstream/test/lab"
	"github.com/p2pstream/p2pstream/test/soak/samples"
)

const swarmID = "soak"

// holdWithin is how long seeders may take to hold the stream, and viewers to begin to play.
const holdWithin = 60 * time.Second

// startServers starts all that serves, and waits until seeders hold the stream.
func (s *soak) startServers(ctx context.Context) error {
	origin, stun, tracker := s.address(), s.address(), s.address()
	s.source, s.api = "http://"+origin+s.plan.Stream, tracker
	// The origin has no listener apart for metrics.
	if err := s.keep(ctx, spec{name: originName, admin: origin, args: []string{"origin", "--listen", origin}}); err != nil {
		return err
	}
	admin := s.address()
	if err := s.keep(ctx, spec{name: stunName, admin: admin, args: []string{"stun", "--listen", stun, "--admin-listen", admin}}); err != nil {
		return err
	}
	admin = s.address()
	if err := s.keep(ctx, spec{name: trackerName, admin: admin, args: []string{"tracker", "--listen", tracker, "--admin-listen", admin,
		"--stream-source", s.source, "--swarm-id", swarmID, "--stun", "stun:" + stun, "--seeder-token-file", s.token}}); err != nil {
		return err
	}
	if err := s.keep(ctx, s.seeder(keptSeeder)); err != nil {
		return err
	}
	var err error
	if s.other, err = s.ps.start(ctx, s.seeder(otherSeeder)); err != nil {
		return err
	}
	return lab.Wait(ctx, holdWithin, "seeders to hold the stream", func() bool { return s.seedersHold(ctx) })
}

// keep starts a program that is there throughout.
func (s *soak) keep(ctx context.Context, what spec) error {
	p, err := s.ps.start(ctx, what)
	if err != nil {
		return err
	}
	s.kept = append(s.kept, p)
	return nil
}

// address is one that a program can listen on; without one the soak ends.
func (s *soak) address() string {
	address, err := freeport.On("127.0.0.1")
	if err != nil {
		s.abort(err)
	}
	return address
}

func (s *soak) seeder(name string) spec {
	admin := s.address()
	return spec{name: name, admin: admin, args: []string{"seeder", "--source", s.source, "--swarm-id", swarmID,
		"--tracker", "ws://" + s.api + "/announce", "--token-file", s.token, "--loopback", "--ice-listen", s.address(),
		"--admin-listen", admin}}
}

func (s *soak) seedersHold(ctx context.Context) bool {
	stats, err := s.stats(ctx)
	return err == nil && stats.SeedersHold
}

// stats asks the tracker about the stream.
func (s *soak) stats(ctx context.Context) (viewerapi.Stats, error) {
	return lab.FetchJSONAs[viewerapi.Stats](ctx, "http://"+s.api+"/v1/stats", seederToken)
}

// viewer is a viewer's command line: one or many that play by themselves.
func (s *soak) viewer(name string, more ...string) spec {
	admin := s.address()
	return spec{name: name, admin: admin, args: append([]string{"viewer", "--headless", "--json", "--loopback",
		"--config-url", "http://" + s.api + "/v1/config", "--admin-listen", admin}, more...)}
}

// proxy is a viewer with a player at its side, which run plays with.
func (s *soak) proxy(name string, random uint64) (what spec, run func(context.Context)) {
	admin, listen := s.address(), s.address()
	p := newPlayer(listen, s.plan.Switch, s.random(random), func(what, detail string) { s.event(name, what, detail) })
	return spec{
		name: name, admin: admin,
		args: []string{"viewer", "--json", "--loopback", "--config-url", "http://" + s.api + "/v1/config",
			"--listen", listen, "--admin-listen", admin},
		extra: func(row *samples.Row) {
			row.Values[samples.Stalls] = float64(p.stalls.Load())
			row.Values[samples.Segments] = float64(p.segments.Load())
			row.Values[samples.Errors] = float64(p.errors.Load())
		},
	}, p.run
}

// startAudience starts the viewers that are there throughout and waits until all
// receive something.
func (s *soak) startAudience(ctx context.Context) error {
	if err := s.keep(ctx, s.viewer(crowdName, "--count", strconv.Itoa(s.plan.Crowd))); err != nil {
		return err
	}
	for i := range s.plan.Players {
		what, play := s.proxy(playerName+strconv.Itoa(i+1), uint64(1+i))
		if err := s.keep(ctx, what); err != nil {
			return err
		}
		s.players.Go(func() { play(s.playing) })
	}
	return lab.Wait(ctx, holdWithin, "viewers to play", func() bool { return s.allReceive(ctx) })
}

// allReceive asks every viewer whether it has received anything.
func (s *soak) allReceive(ctx context.Context) bool {
	for _, p := range s.kept {
		if !isViewer(p.name) {
			continue
		}
		row := samples.NewRow(0, p.name, p.life)
		if scrape(ctx, p.admin, &row) != nil || row.Values[samples.HTTP]+row.Values[samples.Seeder]+row.Values[samples.Viewer] <= 0 {
			return false
		}
	}
	return true
}
