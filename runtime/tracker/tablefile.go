package tracker

import (
	"bufio"
	"compress/gzip"
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

// readTable reads a table, which may be in gzip. A file that does not exist is an empty table, and not found.
func readTable(file string, rules table.Rules) (t table.Table, found bool, err error) {
	f, err := os.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return table.Table{}, false, nil
	}
	if err != nil {
		return table.Table{}, false, err
	}
	defer f.Close() //nolint:errcheck // opened for reading only
	b, err := readPlain(f)
	if err != nil {
		return table.Table{}, false, fmt.Errorf("reading %s: %w", file, err)
	}
	if t, err = table.Parse(b, rules); err != nil {
		return table.Table{}, false, fmt.Errorf("reading %s: %w", file, err)
	}
	return t, true, nil
}

// readPlain reads a bounded number of bytes, unpacked if they are in gzip.
func readPlain(r io.Reader) ([]byte, error) {
	in := bufio.NewReader(r)
	head, err := in.Peek(2)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	var plain io.Reader = in
	if string(head) == "\x1f\x8b" {
		if plain, err = gzip.NewReader(in); err != nil {
			return nil, fmt.Errorf("unpacking: %w", err)
		}
	}
	return io.ReadAll(io.LimitReader(plain, 2*table.MaxBytes+1))
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
