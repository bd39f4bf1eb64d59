package watch

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// text loads a file that must not be empty.
func text(path string) func() (string, error) {
	return func() (string, error) {
		b, err := os.ReadFile(path)
		if err == nil && len(b) == 0 {
			err = errors.New("empty")
		}
		return string(b), err
	}
}

// volume is a directory as the kubelet keeps one: the entries are links through one link that is swapped.
type volume struct {
	t   *testing.T
	dir string
	n   int
}

func (v *volume) set(files map[string]string) {
	v.t.Helper()
	v.n++
	data := "..data_" + strings.Repeat("x", v.n)
	if err := os.Mkdir(filepath.Join(v.dir, data), 0o700); err != nil {
		v.t.Fatal(err)
	}
	for name, content := range files {
		write(v.t, filepath.Join(v.dir, data, name), content)
		link := filepath.Join(v.dir, name)
		if err := os.Symlink(filepath.Join("..data", name), link); err != nil && !errors.Is(err, os.ErrExist) {
			v.t.Fatal(err)
		}
	}
	swap := filepath.Join(v.dir, "..data_tmp")
	if err := os.Symlink(data, swap); err != nil {
		v.t.Fatal(err)
	}
	if err := os.Rename(swap, filepath.Join(v.dir, "..data")); err != nil {
		v.t.Fatal(err)
	}
}

func TestAChangeIsLoadedOnce(t *testing.T) {
	var logged bytes.Buffer
	file := filepath.Join(t.TempDir(), "file")
	write(t, file, "one")
	loads := 0
	v := New("thing", slog.New(slog.NewTextHandler(&logged, nil)), func() (string, error) {
		loads++
		return text(file)()
	}, file)
	for _, step := range []struct {
		content, want string
		loads         int
		logged        string
	}{
		{"one", "one", 1, ""},
		{"two", "two", 2, "changed file loaded"},
		{"", "two", 3, "keeping the version before it"},
		{"", "two", 3, ""},
		{"three", "three", 4, "changed file loaded"},
	} {
		logged.Reset()
		write(t, file, step.content)
		v.Check()
		v.Check()
		got, err := v.Get()
		if err != nil || got != step.want || loads != step.loads {
			t.Errorf("after %q: %q, %v, %d loads", step.content, got, err, loads)
		}
		if lines := strings.Count(logged.String(), "\n"); !strings.Contains(logged.String(), step.logged) || lines > 1 {
			t.Errorf("after %q the log says %q", step.content, &logged)
		}
	}
}

func TestNoVersionYetIsAnError(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	v := New("thing", slog.New(slog.DiscardHandler), text(file), file)
	if _, err := v.Get(); err == nil || !strings.Contains(err.Error(), "loading thing") {
		t.Errorf("without a file: %v", err)
	}
	write(t, file, "")
	v.Check()
	if _, err := v.Get(); err == nil || !strings.Contains(err.Error(), "empty") {
		t.Errorf("the error is an old one: %v", err)
	}
	write(t, file, "one")
	v.Check()
	if got, err := v.Get(); err != nil || got != "one" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestSwappedVolumeIsLoaded(t *testing.T) {
	vol := &volume{t: t, dir: t.TempDir()}
	vol.set(map[string]string{"A": "1", "B": "2"})
	if err := os.Mkdir(filepath.Join(vol.dir, "sub"), 0o700); err != nil {
		t.Fatal(err)
	}
	v := New("directory", slog.New(slog.DiscardHandler), func() ([]string, error) {
		names, err := Files(vol.dir)
		for i, n := range names {
			b, err := os.ReadFile(filepath.Join(vol.dir, n))
			if err != nil {
				return nil, err
			}
			names[i] += "=" + string(b)
		}
		return names, err
	}, vol.dir)
	for _, step := range []struct {
		files map[string]string
		want  []string
	}{
		{nil, []string{"A=1", "B=2"}},
		{map[string]string{"A": "3", "B": "2"}, []string{"A=3", "B=2"}},
		{map[string]string{"A": "3", "B": "2", "C": ""}, []string{"A=3", "B=2", "C="}},
		{map[string]string{"B": "2"}, []string{"B=2"}}, // the links of the others lead nowhere
	} {
		if step.files != nil {
			vol.set(step.files)
		}
		v.Check()
		if got, err := v.Get(); err != nil || !slices.Equal(got, step.want) {
			t.Errorf("%v: %v, %v", step.files, got, err)
		}
	}
	if _, err := Files(filepath.Join(vol.dir, "nowhere")); err == nil {
		t.Error("a directory that is not there")
	}
}

// TestRenamedFilesAreLoaded: equal contents under other names are a change.
func TestRenamedFilesAreLoaded(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "A"), "1")
	v := New("directory", slog.New(slog.DiscardHandler), func() ([]string, error) { return Files(dir) }, dir)
	if err := os.Rename(filepath.Join(dir, "A"), filepath.Join(dir, "B")); err != nil {
		t.Fatal(err)
	}
	v.Check()
	if got, _ := v.Get(); !slices.Equal(got, []string{"B"}) {
		t.Errorf("%v", got)
	}
}

func TestRunAndRecent(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	write(t, file, "one")
	synctest.Test(t, func(t *testing.T) {
		v := New("thing", slog.New(slog.DiscardHandler), text(file), file)
		write(t, file, "two")
		if got, _ := v.Recent(time.Second); got != "one" {
			t.Errorf("looked too early: %q", got)
		}
		time.Sleep(time.Second)
		var readers sync.WaitGroup
		for range 8 {
			readers.Go(func() { _, _ = v.Recent(time.Second) })
		}
		readers.Wait()
		if got, _ := v.Recent(time.Second); got != "two" {
			t.Errorf("did not look: %q", got)
		}
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan struct{})
		go func() {
			defer close(done)
			v.Run(ctx, time.Second)
		}()
		write(t, file, "three")
		time.Sleep(1100 * time.Millisecond)
		synctest.Wait()
		if got, _ := v.Get(); got != "three" {
			t.Errorf("Run did not look: %q", got)
		}
		cancel()
		<-done
	})
}
