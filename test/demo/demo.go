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
	"strings"
	"sync"
	"time"
)

const (
	overlayPath  = "config/default"
	rolloutTime  = 3 * time.Minute
	servingTime  = 3 * time.Minute
	teardownTime = 5 * time.Minute
)

// demo is one run.
type demo struct {
	opts       options
	kind       mode
	ui         *ui
	runID      string
	root       string // of the checkout
	scratch    string // folder for temporary files of this run
	logPath    string
	logFile    *os.File
	runner     *runner // its output goes to the log
	quiet      *runner // for commands that run every second: their output is not logged
	ledger     *ledger
	entry      *entry // this run's entry in the ledger; nil: not written yet
	place      place
	background sync.WaitGroup
}

func newDemo(opts options, kind mode, u *ui) *demo {
	d := &demo{opts: opts, kind: kind, ui: u, quiet: &runner{log: io.Discard}, runID: newRunID()}
	d.place = &ownCluster{demo: d}
	if kind == modeExistingCluster {
		d.place = &existingCluster{demo: d}
	}
	return d
}

func newRunID() string {
	var b [4]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// run is the whole demo. What it creates is removed at the end, after a failure too.
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
	d.ui.print("%s\n", opening(d.place.headline(), d.place.opening()))
	d.ui.number(d.place.steps() + leftSteps(left))
	defer func() { err = errors.Join(err, d.teardown(ctx)) }()
	return withNext(d.perform(ctx, left), "%s; then run the demo again, or without a cluster: scripts/demo.sh --in-process", d.seeLog())
}

// opening is the beginning of the output: what the demo does, the faster alternative, and what to know
// beforehand (pairs of a term and a text).
func opening(headline string, pairs []string) string {
	const indent = 13
	text := "p2pstream demo: " + headline + "\n"
	pairs = append([]string{"in a hurry?", "scripts/demo.sh --in-process plays one stream in one process, within a minute once it is compiled"}, pairs...)
	for i := 0; i+1 < len(pairs); i += 2 {
		text += "\n  " + pad(pairs[i], indent) + strings.Join(wrap(pairs[i+1], 80), "\n  "+strings.Repeat(" ", indent))
	}
	return text + "\n"
}

// leftSteps is the number of steps that remove what a killed run left.
func leftSteps(left *entry) int {
	if left != nil && left.Made {
		return 1
	}
	return 0
}

// perform sets up and shows the table; background work ends before it returns.
func (d *demo) perform(ctx context.Context, left *entry) error {
	inner, stop := context.WithCancel(ctx)
	defer d.background.Wait()
	defer stop()
	w, err := d.setUp(inner, left)
	if err != nil {
		if ctx.Err() != nil {
			return errors.New("stopped before the streams were up")
		}
		return err
	}
	return d.show(ctx, w)
}

// open opens the log and names the folder for temporary files.
func (d *demo) open() error {
	if err := os.MkdirAll(d.bin(""), 0o755); err != nil {
		return fmt.Errorf("making bin: %w", err)
	}
	d.logPath = d.bin("demo.log")
	if d.kind == modeExistingCluster {
		d.logPath = d.bin("demo-cluster.log") // a demo of each kind may run at a time
	}
	log, err := os.Create(d.logPath)
	if err != nil {
		return fmt.Errorf("opening the log: %w", err)
	}
	d.logFile, d.runner = log, &runner{log: log}
	d.scratch = filepath.Join(os.TempDir(), "p2pstream-demo-"+d.runID)
	return nil
}

// findRoot finds the checkout: scripts/demo.sh builds this program into its bin folder.
func findRoot() (string, error) {
	program, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("finding the checkout: %w", err)
	}
	root := filepath.Dir(filepath.Dir(program))
	for _, name := range []string{networkPath, overlayPath} {
		if _, err := os.Stat(filepath.Join(root, name)); err != nil {
			return "", withNext(fmt.Errorf("%s is not a checkout of p2pstream: %w", root, err), "run make demo, or scripts/demo.sh")
		}
	}
	return root, nil
}

// seeLog is the advice for failures whose message is too short to act on.
func (d *demo) seeLog() string { return "see the whole output in " + d.logPath }

// begin removes what a killed run left, and then writes this run into the ledger, before anything is
// created. Both kinds of place call it as soon as they are able to remove.
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
		return fmt.Errorf("making a folder for temporary files: %w", err)
	}
	return nil
}

// made notes in the ledger, before anything is created in a cluster, that there is something to remove.
func (d *demo) made() error {
	d.entry.Made = true
	return d.ledger.write(*d.entry)
}

// teardown removes what this run created, also when ctx has ended, which is how most runs end.
func (d *demo) teardown(ctx context.Context) error {
	if d.entry == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), teardownTime)
	defer cancel()
	d.ui.number(0)
	if d.entry.Made {
		err := d.ui.step(ctx, "removing the demo", func(ctx context.Context, _ *activity) error { return d.place.remove(ctx) })
		if err != nil {
			return fmt.Errorf("removing the demo: %w; the next run of the demo removes the rest", err)
		}
	}
	if err := os.RemoveAll(d.scratch); err != nil {
		return fmt.Errorf("removing temporary files: %w", err)
	}
	return d.ledger.clear()
}
