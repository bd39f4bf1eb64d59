package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/p2pstream/p2pstream/test/soak/samples"
)

// Names of the files that a soak leaves.
const (
	samplesFile = "samples.csv"
	eventsFile  = "events.csv"
	machineFile = "machine.json"
)

// seederToken is what seeders present to the tracker, and what its statistics are read with.
const seederToken = "soak-token-of-no-secret"

// totalsText is what is noted of the tracker's totals at the end.
const totalsText = "http=%d seeder=%d viewer=%d stalls=%d"

// soak is one run.
type soak struct {
	plan   plan
	out    string
	log    io.Writer
	ps     *programs
	began  time.Time
	seed   uint64
	token  string // file
	kept   []*running
	other  *running // otherSeeder; of the goroutine that restarts it
	abort  context.CancelCauseFunc
	source string
	api    string // host:port of the tracker

	playing context.Context // of the players that are there throughout
	players sync.WaitGroup

	mu      sync.Mutex
	events  *samples.EventWriter
	rows    *samples.Writer
	sampled []samples.Row // all that was written
}

// run soaks. What it found is in the files; an error means that it could not go
// on, or that the soak ended before its time.
func run(ctx context.Context, p plan, binary, out string, seed uint64, log io.Writer) (err error) {
	ctx, abort := context.WithCancelCause(ctx)
	defer abort(nil)
	s := &soak{plan: p, out: out, log: log, began: time.Now(), seed: seed, abort: abort}
	s.ps = &programs{binary: binary, logs: filepath.Join(out, "logs"), lives: map[string]int{}, alive: map[string]*running{}, failed: s.died}
	files, err := s.open()
	defer func() { err = errors.Join(err, files()) }()
	if err != nil {
		return err
	}
	sampling, stopSampling := context.WithCancel(context.WithoutCancel(ctx))
	var stopPlaying context.CancelFunc
	s.playing, stopPlaying = context.WithCancel(context.WithoutCancel(ctx))
	var work sync.WaitGroup
	work.Go(func() { s.sample(sampling) })
	defer func() {
		stopSampling()
		work.Wait()
		stopPlaying()
		s.players.Wait()
		err = errors.Join(err, s.stopAll())
	}()
	if err := s.phases(ctx); err != nil {
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		return fmt.Errorf("soaking: %w", err)
	}
	return nil
}

func (s *soak) open() (closeAll func() error, err error) {
	var files []*os.File
	closeAll = func() error {
		var errs []error
		for _, f := range files {
			errs = append(errs, f.Close())
		}
		return errors.Join(errs...)
	}
	if err := os.MkdirAll(s.ps.logs, 0o755); err != nil {
		return closeAll, fmt.Errorf("making --out: %w", err)
	}
	for _, name := range []string{samplesFile, eventsFile} {
		f, err := os.Create(filepath.Join(s.out, name))
		if err != nil {
			return closeAll, fmt.Errorf("creating a file in --out: %w", err)
		}
		files = append(files, f)
	}
	if s.rows, err = samples.NewWriter(files[0]); err != nil {
		return closeAll, err
	}
	if s.events, err = samples.NewEventWriter(files[1]); err != nil {
		return closeAll, err
	}
	s.token = filepath.Join(s.ps.logs, "seeder.token")
	if err := os.WriteFile(s.token, []byte(seederToken+"\n"), 0o600); err != nil {
		return closeAll, fmt.Errorf("writing the seeders' token: %w", err)
	}
	return closeAll, s.describe()
}

// event writes down what happened, and returns when, in seconds.
func (s *soak) event(program, what, detail string) (at float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at = time.Since(s.began).Seconds()
	if err := s.events.Write(samples.Event{At: at, Program: program, What: what, Detail: detail}); err != nil {
		s.abort(err)
	}
	if what != samples.Switch && what != samples.Report {
		_, _ = fmt.Fprintf(s.log, "%7.1f s  %-10s %-8s %s\n", at, program, what, detail) // the terminal may be gone
	}
	return at
}

// died is called for programs that ended by themselves. One that should run throughout ends the soak.
func (s *soak) died(program, why string) {
	s.event(program, samples.Failure, why)
	if !isComer(program) {
		s.abort(fmt.Errorf("%s %s", program, why))
	}
}

// phases: everything up, a while of peace, the coming and going, and peace again.
func (s *soak) phases(ctx context.Context) error {
	if err := s.startServers(ctx); err != nil {
		return err
	}
	if err := s.startAudience(ctx); err != nil {
		return err
	}
	if !pause(ctx, s.plan.Settle) {
		return context.Cause(ctx)
	}
	from := s.event("", samples.Churn, "")
	churning, stop := context.WithTimeout(ctx, s.plan.Total)
	defer stop()
	s.churn(churning)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	to := s.event("", samples.Quiet, "")
	// What is left behind is looked for as long as it may take to go; the judge tells from the files whether it went.
	quiet, stop := context.WithTimeout(ctx, s.plan.Quiet)
	defer stop()
	for !s.cameBack(from, to) && pause(quiet, s.plan.Every) {
	}
	// A few samples more, so that the judge is sure to have some of every program.
	pause(ctx, 3*s.plan.Every)
	stats, err := s.stats(ctx)
	if err != nil {
		return err
	}
	t := stats.Offload.Totals
	s.event(trackerName, samples.Totals, fmt.Sprintf(totalsText, t.HTTP, t.Seeder, t.Viewer, stats.Offload.Stalls))
	s.event("", samples.End, "")
	return context.Cause(ctx)
}

// cameBack tells whether all counts are what they were before the churn.
func (s *soak) cameBack(from, to float64) bool {
	s.mu.Lock()
	rows := slices.Clone(s.sampled)
	s.mu.Unlock()
	cs := costsOf(rows)
	for _, p := range s.kept {
		for _, c := range comeback(rows, cs, p.name, from-s.plan.Settle.Seconds(), from, to) {
			if !c.OK {
				return false
			}
		}
	}
	return true
}

// restart ends a program and runs it again a moment later.
func (s *soak) restart(ctx context.Context, p *running, sig syscall.Signal, away time.Duration) (*running, error) {
	what := samples.Term
	if sig == syscall.SIGKILL {
		what = samples.Kill
	}
	s.event(p.name, what, "")
	if err := p.stop(sig); err != nil {
		s.event(p.name, samples.Failure, err.Error())
	}
	pause(ctx, away)
	// It comes back even if the churn has ended meanwhile.
	next, err := s.ps.start(context.WithoutCancel(ctx), p.spec)
	if err != nil {
		return nil, err
	}
	s.event(p.name, samples.Back, "")
	return next, nil
}

// stopAll ends everything in the order in which an operator would.
func (s *soak) stopAll() error {
	var errs []error
	for _, first := range []func(string) bool{
		func(name string) bool { return isComer(name) || isViewer(name) },
		func(name string) bool { return name == keptSeeder || name == otherSeeder },
		func(string) bool { return true },
	} {
		var work sync.WaitGroup
		var mu sync.Mutex
		for _, p := range s.ps.all() {
			if first(p.name) {
				work.Go(func() {
					if err := p.stop(syscall.SIGTERM); err != nil {
						mu.Lock()
						defer mu.Unlock()
						errs = append(errs, err)
						s.event(p.name, samples.Failure, err.Error())
					}
				})
			}
		}
		work.Wait()
	}
	return errors.Join(errs...)
}

func (s *soak) random(of uint64) *rand.Rand { return rand.New(rand.NewPCG(s.seed, of)) }

// describe writes down what it is that soaks, and on what.
func (s *soak) describe() error {
	text, err := json.MarshalIndent(machine(s.plan, versionOf(s.ps.binary), s.seed, s.began), "", "  ")
	if err != nil {
		return fmt.Errorf("describing the machine: %w", err)
	}
	if err := os.WriteFile(filepath.Join(s.out, machineFile), append(text, '\n'), 0o644); err != nil {
		return fmt.Errorf("describing the machine: %w", err)
	}
	return nil
}
