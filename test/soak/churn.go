package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/p2pstream/p2pstream/runtime/viewer"
	"github.com/p2pstream/p2pstream/test/soak/samples"
)

// renditions that viewers without a player choose among.
var renditions = []string{"240p", "360p", "480p"}

// Of those who leave, and of the restarts of a seeder, one in so many is killed.
const killed = 3

// churn lets viewers come and go, a seeder restart again and again and the
// tracker once, until ctx ends; then all who came have gone.
func (s *soak) churn(ctx context.Context) {
	var work sync.WaitGroup
	for i := range s.plan.Headless + s.plan.Proxies {
		work.Go(func() { s.comeAndGo(ctx, i) })
	}
	work.Go(func() { s.restartSeeder(ctx) })
	if s.plan.TrackerOnce > 0 {
		work.Go(func() { s.restartTracker(ctx) })
	}
	work.Wait()
}

// comeAndGo is one place in the audience: when its viewer leaves, another comes.
func (s *soak) comeAndGo(ctx context.Context, place int) {
	random := s.random(uint64(1000 + place))
	name := comerName + strconv.Itoa(place+1)
	what, play := s.viewer(name), func(context.Context) {}
	if place >= s.plan.Headless {
		what, play = s.proxy(name, uint64(2000+place))
	}
	for n := 1; pause(ctx, s.plan.Gap.draw(random)); n++ {
		one := what
		if place < s.plan.Headless {
			one.args = append(one.args[:len(one.args):len(one.args)], "--rendition", renditions[random.IntN(len(renditions))])
		}
		if err := s.visit(ctx, one, play, random); err != nil && ctx.Err() == nil {
			s.event(name, samples.Failure, err.Error())
		}
	}
}

// visit is a viewer's stay.
func (s *soak) visit(ctx context.Context, what spec, play func(context.Context), random *rand.Rand) error {
	s.event(what.name, samples.Join, "")
	p, err := s.ps.start(ctx, what)
	if err != nil {
		return err
	}
	playing, stop := context.WithCancel(ctx)
	var work sync.WaitGroup
	work.Go(func() { play(playing) })
	pause(ctx, s.plan.Life.draw(random))
	stop()
	work.Wait()
	if random.IntN(killed) == 0 {
		s.event(p.name, samples.Vanish, "")
		return p.stop(syscall.SIGKILL)
	}
	s.event(p.name, samples.Leave, "")
	if err := p.stop(syscall.SIGTERM); err != nil {
		return err
	}
	var r viewer.Report
	if err := json.Unmarshal(p.Output(), &r); err != nil {
		return fmt.Errorf("reading report of %s: %w", p.name, err)
	}
	for _, one := range r.Viewers {
		s.event(p.name, samples.Report, reportText(one))
	}
	return nil
}

// reportText and parseReport are two sides of an event's detail.
func reportText(one viewer.Result) string {
	return fmt.Sprintf("startup_ms=%d stalls=%d stall_ms=%d played_ms=%d http=%d seeder=%d viewer=%d", one.StartupMs, one.Stalls,
		one.StallMs, one.PlayedMs, one.Bytes.HTTP, one.Bytes.Seeder, one.Bytes.Viewer)
}

func parseReport(detail string) (one viewer.Result, err error) {
	if _, err = fmt.Sscanf(detail, "startup_ms=%d stalls=%d stall_ms=%d played_ms=%d http=%d seeder=%d viewer=%d", &one.StartupMs, &one.Stalls,
		&one.StallMs, &one.PlayedMs, &one.Bytes.HTTP, &one.Bytes.Seeder, &one.Bytes.Viewer); err != nil {
		return one, fmt.Errorf("reading report %q: %w", detail, err)
	}
	return one, nil
}

// restartSeeder ends the second seeder again and again, the first time by
// SIGTERM, the second by SIGKILL, then by chance.
func (s *soak) restartSeeder(ctx context.Context) {
	random := s.random(3000)
	for n := 0; pause(ctx, s.plan.SeederEach); n++ {
		sig := syscall.SIGTERM
		if n == 1 || n > 1 && random.IntN(killed) == 0 {
			sig = syscall.SIGKILL
		}
		next, err := s.restart(ctx, s.other, sig, s.plan.SeederDown)
		if err != nil {
			s.abort(err)
			return
		}
		s.other = next
	}
}

func (s *soak) restartTracker(ctx context.Context) {
	if !pause(ctx, s.plan.TrackerOnce) {
		return
	}
	for i, p := range s.kept {
		if p.name != trackerName {
			continue
		}
		next, err := s.restart(ctx, p, syscall.SIGTERM, 500*time.Millisecond)
		if err != nil {
			s.abort(err)
			return
		}
		s.kept[i] = next
	}
}
