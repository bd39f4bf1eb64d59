package main

import (
	"context"
	"fmt"
	"io"
	"os"
)

// runInProcess builds p2pstream and replaces this process by `p2pstream demo`; it returns only on failure.
func runInProcess(ctx context.Context, opts options) error {
	root, err := findRoot()
	if err != nil {
		return err
	}
	d := &demo{opts: opts, root: root, ui: newUI(os.Stdout, nil), runner: &runner{log: io.Discard}}
	if err := d.build(ctx, d.programs(d.version(ctx))[0]); err != nil {
		return err
	}
	if err := become(d.bin(staticBinary), inProcessArgs(opts)); err != nil {
		return fmt.Errorf("running p2pstream demo: %w", err)
	}
	return nil
}
