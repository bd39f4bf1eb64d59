package tracker

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"

	"github.com/p2pstream/p2pstream/runtime/tracker/table"
)

// damagedSuffix is added to the name of a file that cannot be used.
const damagedSuffix = ".damaged"

// readTable reads a table that was kept; a file that does not exist is an empty one.
func readTable(file string, rules table.Rules) (table.Table, error) {
	f, err := os.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return table.Table{}, nil
	}
	if err != nil {
		return table.Table{}, err
	}
	defer f.Close() //nolint:errcheck // opened for reading only
	b, err := io.ReadAll(io.LimitReader(f, 2*table.MaxBytes+1))
	if err != nil {
		return table.Table{}, fmt.Errorf("reading %s: %w", file, err)
	}
	t, err := table.Parse(b, rules)
	if err != nil {
		return table.Table{}, fmt.Errorf("reading %s: %w", file, err)
	}
	return t, nil
}

// writeTable replaces the file, so that a crash leaves the table before or the new one.
func writeTable(file string, t table.Table) (err error) {
	b, err := json.Marshal(t)
	if err != nil {
		return fmt.Errorf("encoding the table: %w", err)
	}
	f, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".*.new")
	if err != nil {
		return fmt.Errorf("writing the table: %w", err)
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("writing the table: %w", err)
	}
	if err = os.Rename(f.Name(), file); err != nil {
		return fmt.Errorf("writing the table: %w", err)
	}
	return nil
}

// sameEntry reports whether two entries say the same.
func sameEntry(a, b table.Entry) bool { return reflect.DeepEqual(normal(a), normal(b)) }

// normal returns an entry as it is after it was written and read.
func normal(e table.Entry) (out table.Entry) {
	b, err := json.Marshal(e)
	if err == nil {
		err = json.Unmarshal(b, &out)
	}
	if err != nil { // cannot happen: entries come from JSON
		return e
	}
	return out
}
