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
	entry   *entry // what the ledger says of this run; nil before it says anything
	place   place
	beside  sync.WaitGroup // what runs in the background
}

func newDemo(opts options, kind mode, u *ui) *demo {
	d := &demo{opts: opts, kind: kind, ui: u, quiet: &runner{log: io.Discard}, runID: newRunID()}
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
	if d.root, err = findRoot(); err != nil {
		return err
	}
	path := ledgerPath(ledgerFolder(d.kind), os.Geteuid(), d.opts.cluster)
	l, left, err := openLedger(path)
	if err != nil {
		return err
	}
	d.ledger = l
	defer func() { err = errors.Join(err, d.ledger.close()) }()
	if err := d.open(); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.logFile.Close()) }()
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

// open opens the log, and names a folder for this run's scraps.
func (d *demo) open() error {
	if err := os.MkdirAll(d.bin(""), 0o755); err != nil {
		return fmt.Errorf("making bin: %w", err)
	}
	d.logPath = d.bin("demo.log")
	if d.kind == modeGivenCluster {
		d.logPath = d.bin("demo-cluster.log") // both kinds may run at once
	}
	log, err := os.Create(d.logPath)
	if err != nil {
		return fmt.Errorf("opening the log: %w", err)
	}
	d.logFile, d.runner = log, &runner{log: log}
	d.scratch = filepath.Join(os.TempDir(), "p2pstream-demo-"+d.runID)
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

// begin writes the ledger, before anything else is written, once what a killed run left is removed. Both
// kinds of places call it when they are able to remove.
func (d *demo) begin(ctx context.Context, left *entry, remove func(context.Context) error) error {
	if left != nil && left.Made {
		err := d.ui.step(ctx, "removing what a killed run left", func(ctx context.Context, _ *activity) error { return remove(ctx) })
		if err != nil {
			return err
		}
	}
	if left != nil && left.Scratch != "" {
		if err := os.RemoveAll(left.Scratch); err != nil {
			return fmt.Errorf("removing what a killed run left: %w", err)
		}
	}
	d.entry = &entry{Run: d.runID, Scratch: d.scratch}
	if err := d.ledger.write(*d.entry); err != nil {
		return err
	}
	if err := os.Mkdir(d.scratch, 0o700); err != nil {
		return fmt.Errorf("making a folder for scraps: %w", err)
	}
	return nil
}

// made notes, before anything is made in a cluster, that there will be something to remove.
func (d *demo) made() error {
	d.entry.Made = true
	return d.ledger.write(*d.entry)
}

// teardown removes what this run made, even when ctx has ended: that is how most runs end.
func (d *demo) teardown(ctx context.Context) error {
	if d.entry == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), teardownTime)
	defer cancel()
	if d.entry.Made {
		err := d.ui.step(ctx, "removing what this run made", func(ctx context.Context, _ *activity) error { return d.place.remove(ctx) })
		if err != nil {
			return fmt.Errorf("removing what this run made: %w; the next run of the demo tries again", err)
		}
	}
	if err := os.RemoveAll(d.scratch); err != nil {
		return fmt.Errorf("removing what this run made: %w", err)
	}
	return d.ledger.clear()
}
