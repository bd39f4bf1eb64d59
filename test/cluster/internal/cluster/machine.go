package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/p2pstream/p2pstream/test/cluster/internal/host"
)

// machineFile records the settings of the machine that all clusters change, as they were before the first one.
func machineFile() string { return filepath.Join(Root, "machine.json") }

// rememberMachine records the settings that the first cluster finds. The caller holds the lock on Root.
func rememberMachine() error {
	if _, err := os.Stat(machineFile()); err == nil {
		return nil
	}
	found, err := host.FindNetnsDir()
	if err != nil {
		return err
	}
	data, err := json.Marshal(found)
	if err != nil {
		return fmt.Errorf("writing machine state: %w", err)
	}
	return writeFile(machineFile(), data)
}

// restoreMachine restores these settings when the last cluster is removed.
func restoreMachine(ctx context.Context, out io.Writer) error {
	release, err := host.Lock(ctx, Root, func() { _, _ = fmt.Fprintln(out, "waiting until another cluster has chosen its addresses…") })
	if err != nil {
		return err
	}
	defer release()
	if names, err := Names(); err != nil || len(names) > 0 {
		return err
	}
	data, err := os.ReadFile(machineFile())
	if errors.Is(err, fs.ErrNotExist) {
		_ = os.Remove(Root) // nothing was ever made; another command may be using the folder by now
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading machine state: %w", err)
	}
	var found host.FoundNetnsDir
	if err := json.Unmarshal(data, &found); err != nil {
		return fmt.Errorf("reading machine state: %w", err)
	}
	if err := host.RestoreNetnsDir(found); err != nil {
		return err
	}
	if err := os.Remove(machineFile()); err != nil {
		return fmt.Errorf("removing machine state: %w", err)
	}
	_ = os.Remove(Root) // fails, rightly, if another cluster has begun meanwhile
	return nil
}
