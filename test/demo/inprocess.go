package main

import (
	"context"
	"fmt"
	"io"
	"os"
)

// runInProcess builds p2pstream and becomes `p2pstream demo`; it returns only if that fails.
func runInProcess(ctx context.Context, opts options) error {
	root, err := findRoot()
	if err != nil {
		return err
	}
	d := &demo{opts: opts, root: root, ui: newUI(os.Stdout, nil), runner: &runner{log: io.Discard}}
	program := d.programs(d.version(ctx))[0]
	err = d.ui.step(ctx, program.title, func(ctx context.Context, a *activity) error {
		err := d.runner.run(ctx, program.command(), a)
		return withNext(err, "mend what the compiler names")
	})
	if err != nil {
		return err
	}
	if err := become(d.bin(staticBinary), inProcessArgs(opts)); err != nil {
		return fmt.Errorf("running p2pstream demo: %w", err)
	}
	return nil
}
