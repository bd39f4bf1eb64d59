package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"
)

const (
	samplePath   = "config/samples/p2pstream_live.yaml"
	overlayPath  = "config/default"
	rolloutTime  = 3 * time.Minute
	servingTime  = 3 * time.Minute
	teardownTime = 5 * time.Minute
)

// demo is one run.
type demo struct {
	opts    options
	kind    mode
	ui      *ui
	runID   string
	root    string // of the checkout
	scratch string // a folder for this run's scraps
	logPath string
	logFile *os.File
	runner  *runner // its output goes to the log
	quiet   *runner // for what is asked every second
	ledger  *ledger
	hasMade bool // there is something to remove
	place   place
	beside  sync.WaitGroup // what runs in the background
}

func newDemo(opts options, kind mode, out *os.File) *demo {
	d := &demo{opts: opts, kind: kind, ui: newUI(out), quiet: &runner{log: io.Discard}, runID: newRunID()}
	d.place = &ownCluster{demo: d}
	if kind == modeGivenCluster {
		d.place = &givenCluster{demo: d}
	}
	return d
}

func newRunID() string {
	var b [4]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// run is the whole demo: what it makes is removed whether it ends well or not.
func (d *demo) run(ctx context.Context) (err error) {
	if err := d.open(); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.close()) }()
	left, err := d.takeLedger()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.ledger.close()) }()
	d.ui.print("p2pstream demo: %s\n\n", d.place.headline())
	defer func() { err = errors.Join(err, d.teardown(ctx)) }()
	return d.perform(ctx, left)
}

// perform sets up and shows; what runs beside ends before it returns.
func (d *demo) perform(ctx context.Context, left *entry) error {
	inner, stop := context.WithCancel(ctx)
	defer d.beside.Wait()
	defer stop()
	w, err := d.setUp(inner, left)
	if err != nil {
		if ctx.Err() != nil {
			return errors.New("stopped before the stream was up")
		}
		return err
	}
	return d.show(ctx, w)
}

// open finds the checkout and opens the log and a folder for this run's scraps.
func (d *demo) open() error {
	var err error
	if d.root, err = findRoot(); err != nil {
		return err
	}
	if err := os.MkdirAll(d.bin(""), 0o755); err != nil {
		return fmt.Errorf("making bin: %w", err)
	}
	d.logPath = d.bin("demo.log")
	log, err := os.Create(d.logPath)
	if err != nil {
		return fmt.Errorf("opening the log: %w", err)
	}
	d.logFile, d.runner = log, &runner{log: log}
	if d.scratch, err = os.MkdirTemp("", "p2pstream-demo-"); err != nil {
		return fmt.Errorf("making a folder for scraps: %w", err)
	}
	return nil
}

// findRoot finds the checkout: scripts/demo.sh builds this program into its folder bin.
func findRoot() (string, error) {
	program, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("finding the checkout: %w", err)
	}
	root := filepath.Dir(filepath.Dir(program))
	for _, name := range []string{samplePath, overlayPath} {
		if _, err := os.Stat(filepath.Join(root, name)); err != nil {
			return "", withNext(fmt.Errorf("%s is not a checkout of p2pstream: %w", root, err), "run make demo, or scripts/demo.sh")
		}
	}
	return root, nil
}

// seeLog is advice for failures that say too little.
func (d *demo) seeLog() string { return "the whole output is in " + d.logPath }

func (d *demo) close() error {
	return errors.Join(os.RemoveAll(d.scratch), d.logFile.Close())
}

func (d *demo) takeLedger() (*entry, error) {
	path := ledgerPath(ledgerFolder(d.kind), os.Geteuid(), d.opts.cluster)
	l, left, err := openLedger(path)
	d.ledger = l
	return left, err
}

// made notes, before anything is made, that there will be something to remove.
func (d *demo) made() error {
	if err := d.ledger.write(entry{PID: os.Getpid(), Run: d.runID, Made: true}); err != nil {
		return err
	}
	d.hasMade = true
	return nil
}

// forget removes what a killed run left, and its entry.
func (d *demo) forget(ctx context.Context, left *entry, remove func(context.Context) error) error {
	if left == nil {
		return nil
	}
	if left.Made {
		err := d.ui.step(ctx, "removing what a killed run left", func(ctx context.Context, _ *activity) error { return remove(ctx) })
		if err != nil {
			return err
		}
	}
	return d.ledger.clear()
}

// teardown removes what this run made, even when ctx has ended: that is how most runs end.
func (d *demo) teardown(ctx context.Context) error {
	if !d.hasMade {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), teardownTime)
	defer cancel()
	err := d.ui.step(ctx, "removing what this run made", func(ctx context.Context, _ *activity) error { return d.place.remove(ctx) })
	if err != nil {
		return fmt.Errorf("removing what this run made: %w; the next run of the demo tries again", err)
	}
	return d.ledger.clear()
}
