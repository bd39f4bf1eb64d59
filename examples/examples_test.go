package examples_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
	"github.com/p2pstream/p2pstream/test/lab"
	"github.com/p2pstream/p2pstream/test/lab/inprocess"
)

func TestMain(m *testing.M) { os.Exit(lab.Main(m)) }

// TestExamples runs the three programs on one stream: the seeder holds it, the viewer gets its bytes from the seeder, and a
// player gets a segment through the proxy that is the origin's.
func TestExamples(t *testing.T) {
	t.Parallel()
	programs := t.TempDir()
	build := exec.CommandContext(t.Context(), "go", "build", "-o", programs+"/", "./seeder", "./viewer", "./proxy")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building the examples: %v: %s", err, out)
	}
	s := inprocess.NewStream(t, "/live/seg_1/window_10/ren_1/master.m3u8")
	token := filepath.Join(t.TempDir(), "seeder.token")
	if err := os.WriteFile(token, []byte(lab.Token), 0o600); err != nil {
		t.Fatal(err)
	}
	start(t, filepath.Join(programs, "seeder"), "-loopback", "-source", s.Source, "-tracker", s.WebSocket(), "-token-file", token)
	s.AwaitSeeded(t)

	viewer := start(t, filepath.Join(programs, "viewer"), "-loopback", "-config-url", s.HTTP("/v1/config"))
	lab.Eventually(t, 30*time.Second, "the viewer to get bytes from the seeder", func() error {
		var origin, seeders, viewers int64
		line, _ := viewer.Load().(string)
		if _, err := fmt.Sscanf(line, "origin %d, seeders %d, viewers %d bytes", &origin, &seeders, &viewers); err != nil || seeders == 0 {
			return fmt.Errorf("it printed %q", line)
		}
		return nil
	})

	proxy := start(t, filepath.Join(programs, "proxy"), "-loopback", "-config-url", s.HTTP("/v1/config"), "-listen", "127.0.0.1:0")
	var url string
	lab.Eventually(t, 30*time.Second, "the proxy to tell its URL", func() bool {
		url, _ = proxy.Load().(string)
		return url != ""
	})
	compareSegment(t, url, s.Source)
}

// start runs a program until the test ends, and returns the last line that it printed. It has to end well.
func start(t *testing.T, program string, args ...string) *atomic.Value {
	t.Helper()
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), program, args...)
	cmd.Stderr = t.Output()
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	last := &atomic.Value{}
	read := make(chan struct{})
	go func() {
		defer close(read)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			last.Store(lines.Text())
		}
	}()
	t.Cleanup(func() {
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Error(err)
		}
		<-read
		if err := cmd.Wait(); err != nil {
			t.Errorf("%s: %v", filepath.Base(program), err)
		}
	})
	return last
}

// compareSegment fetches the newest segment through the proxy and finds its bytes among those of the origin.
func compareSegment(t *testing.T, proxied, source string) {
	t.Helper()
	var got []byte
	lab.Eventually(t, 30*time.Second, "a segment through the proxy", func() error {
		all, err := segments(t, proxied, 1)
		if err == nil {
			got = all[0]
		}
		return err
	})
	all, err := segments(t, source, 10)
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range all {
		if bytes.Equal(one, got) {
			return
		}
	}
	t.Errorf("none of the newest %d segments of the origin has the %d bytes that came through the proxy", len(all), len(got))
}

// segments are the newest ones of the first rendition of a stream, at most so many.
func segments(t *testing.T, url string, most int) (all [][]byte, err error) {
	t.Helper()
	source, err := manifest.NewSource(manifest.SourceConfig{URL: url})
	if err != nil {
		return nil, err
	}
	defer source.Close()
	p, err := source.Load(t.Context())
	if err != nil {
		return nil, err
	}
	playlist, err := source.LoadPlaylist(t.Context(), p.Renditions[0])
	if err != nil {
		return nil, err
	}
	for _, segment := range playlist.Segments[max(len(playlist.Segments)-most, 0):] {
		body, _, err := source.FetchSegment(t.Context(), segment, 0)
		if err != nil {
			return nil, err
		}
		one, err := io.ReadAll(body)
		if err = errors.Join(err, body.Close()); err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, nil
}
