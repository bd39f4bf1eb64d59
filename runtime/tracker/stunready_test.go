package tracker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/p2pstream/p2pstream/runtime/stun"
)

func TestSTUNWatchForgivesOneMiss(t *testing.T) {
	w := newSTUNWatch([]string{"s"}, "", slog.New(slog.DiscardHandler))
	miss := errors.New("no answer")
	for i, step := range []struct {
		err  error
		want bool
	}{{miss, false}, {nil, true}, {miss, true}, {miss, false}, {miss, false}, {nil, true}} {
		w.note(t.Context(), "s", step.err)
		if got := w.ready("s"); got != step.want {
			t.Errorf("step %d: ready = %v, want %v", i, got, step.want)
		}
	}
	if w.ready("never asked") {
		t.Error("a server that was never asked is ready")
	}
}

// TestAServerThatOnlyViewersReachIsGivenToThem after a while: the tracker asks from inside of the cluster. One that answers is
// preferred, and one that has stopped to answer is not given.
func TestAServerThatOnlyViewersReachIsGivenToThem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := &fakeSTUN{asked: map[string]int{}, answers: map[string]bool{}}
		w := newSTUNWatch([]string{"stun:lb:1", "stun:node:1"}, "", slog.New(slog.DiscardHandler))
		w.probe = fake.probe
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan struct{})
		go func() { defer close(done); w.run(ctx) }()
		given := func(after time.Duration) (all []string) {
			time.Sleep(after) // virtual
			synctest.Wait()
			for _, s := range w.servers() {
				if w.given(s) {
					all = append(all, s)
				}
				if w.given(s) != w.ready(s) && w.ready(s) {
					t.Errorf("%s answers, and is not given", s)
				}
			}
			return all
		}
		answer := func(yes bool) {
			fake.mu.Lock()
			defer fake.mu.Unlock()
			fake.answers["node:1"] = yes
		}
		if got := given(stunUnheard - 5*time.Second); len(got) != 0 {
			t.Errorf("soon: %v", got)
		}
		if got := given(10 * time.Second); !slices.Equal(got, w.servers()) || w.ready(got[0]) {
			t.Errorf("none has answered for a minute: %v", got)
		}
		answer(true)
		if got := given(10 * time.Second); !slices.Equal(got, []string{"stun:node:1"}) {
			t.Errorf("one answers: %v", got)
		}
		answer(false)
		if got := given(5 * time.Minute); !slices.Equal(got, []string{"stun:lb:1"}) {
			t.Errorf("one has stopped to answer: %v", got)
		}
		w.update([]string{"stun:new:1"})
		if got := given(5 * time.Second); len(got) != 0 {
			t.Errorf("a new list: %v", got)
		}
		cancel()
		<-done
	})
}

func TestSTUNWatchProbesARealServer(t *testing.T) {
	server, err := stun.New(stun.Config{Listen: "127.0.0.1:0"}, slog.New(slog.DiscardHandler), nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{}, 2)
	go func() { _ = server.Run(ctx); done <- struct{}{} }() // package stun tests its error
	<-server.Ready()
	name := "stun:" + server.Addr().String()
	w := newSTUNWatch([]string{name}, "", slog.New(slog.DiscardHandler))
	go func() { w.run(ctx); done <- struct{}{} }()
	deadline := time.After(10 * time.Second)
	for !w.ready(name) {
		select {
		case <-deadline:
			t.Fatal("not ready within 10 s")
		case <-time.After(10 * time.Millisecond):
		}
	}
	cancel()
	<-done
	<-done
}

// fakeSTUN answers probes for some addresses and counts the addresses probed.
type fakeSTUN struct {
	mu      sync.Mutex
	answers map[string]bool
	asked   map[string]int
}

func (f *fakeSTUN) probe(ctx context.Context, address string) error {
	f.mu.Lock()
	f.asked[address]++
	ok := f.answers[address]
	f.mu.Unlock()
	if ok {
		return nil
	}
	<-ctx.Done()
	return ctx.Err()
}

func (f *fakeSTUN) count(address string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.asked[address]
}

// TestSTUNServersComeAndGo swaps the list under a running watch, as a ConfigMap volume does.
func TestSTUNServersComeAndGo(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "stun.json")
	replace := func(text string) {
		t.Helper()
		write(t, file+".new", []byte(text))
		if err := os.Rename(file+".new", file); err != nil {
			t.Fatal(err)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		var logged buffer
		fake := &fakeSTUN{asked: map[string]int{}, answers: map[string]bool{"fixed:1": true, "a:1": true, "b:3478": true, "[2001:db8::1]:3478": true}}
		w := newSTUNWatch([]string{"stun:fixed:1"}, file, slog.New(slog.NewTextHandler(&logged, nil)))
		w.probe = fake.probe
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan struct{})
		go func() {
			defer close(done)
			w.run(ctx)
		}()
		// What is in force within two seconds and a probe of a change.
		settle := func() (ready []string) {
			time.Sleep(2*time.Second + stunProbeTimeout) // virtual
			synctest.Wait()
			for _, s := range w.servers() {
				if w.ready(s) {
					ready = append(ready, s)
				}
			}
			return ready
		}
		for _, step := range []struct {
			name, text string
			want       []string
		}{
			{"no file", "", []string{"stun:fixed:1"}},
			{"two, of which one is silent", `["stun:a:1","stun:silent:1"]`, []string{"stun:fixed:1", "stun:a:1"}},
			{"bad JSON", `["stun:c:1"`, []string{"stun:fixed:1", "stun:a:1"}},
			{"no list", `{"stun":[]}`, []string{"stun:fixed:1", "stun:a:1"}},
			{"a bad entry", `["stun:c:1","turn:d:1"]`, []string{"stun:fixed:1", "stun:a:1"}},
			{"too many", "[" + strings.TrimSuffix(strings.Repeat(`"stun:c:1",`, maxSTUNServers+1), ",") + "]", []string{"stun:fixed:1", "stun:a:1"}},
			{"others, one twice", `["stun:b","stun:fixed:1","stun:[2001:db8::1]"]`, []string{"stun:fixed:1", "stun:b", "stun:[2001:db8::1]"}},
			{"none", `[]`, []string{"stun:fixed:1"}},
		} {
			if step.text != "" {
				replace(step.text)
			}
			if got := settle(); !slices.Equal(got, step.want) {
				t.Errorf("%s: %v, want %v", step.name, got, step.want)
			}
		}
		if n := fake.count("c:1"); n != 0 {
			t.Errorf("a server of a list that was refused was asked %d times", n)
		}
		before := fake.count("a:1")
		time.Sleep(time.Minute) // virtual
		if after := fake.count("a:1"); after != before {
			t.Errorf("a server that is gone was asked %d times more", after-before)
		}
		log := logged.String()
		if n := strings.Count(log, "cannot be used"); n != 5 { // no file at the start, and four changes
			t.Errorf("%d lines for bad lists:\n%s", n, log)
		}
		// A server that is listed again is probed before viewers get it.
		fake.mu.Lock()
		delete(fake.answers, "a:1")
		fake.mu.Unlock()
		replace(`["stun:a:1"]`)
		if got := settle(); !slices.Equal(got, []string{"stun:fixed:1"}) {
			t.Errorf("a silent server that is listed again: %v", got)
		}
		cancel()
		<-done
	})
}

func TestProbeAddress(t *testing.T) {
	for server, want := range map[string]string{
		"stun:h": "h:3478", "stun:h:1": "h:1", "stun:192.0.2.1": "192.0.2.1:3478",
		"stun:[2001:db8::1]": "[2001:db8::1]:3478", "stun:[2001:db8::1]:1": "[2001:db8::1]:1",
	} {
		if got := probeAddress(server); got != want {
			t.Errorf("%s: %s, want %s", server, got, want)
		}
	}
}

// TestSTUNFileReachesTheConfig tests the whole path: a file, a real server, /v1/config and /v1/stats.
func TestSTUNFileReachesTheConfig(t *testing.T) {
	server, err := stun.New(stun.Config{Listen: "127.0.0.1:0"}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- server.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	<-server.Ready()
	file := filepath.Join(t.TempDir(), "stun.json")
	write(t, file, []byte(`[]`))
	s := running(t, Config{AdminListen: "127.0.0.1:0", Stream: &StreamConfig{SourceURL: "http://127.0.0.1:1/m.m3u8", STUNFile: file}})
	uri := "stun:" + server.Addr().String()
	write(t, file, fmt.Appendf(nil, "[%q]", uri))
	eventually(t, "the server to be handed out", func() bool {
		_, body := get(t, "http://"+s.Addr().String()+"/v1/config")
		return strings.Contains(body, uri)
	})
	if _, body := get(t, "http://"+s.AdminAddr().String()+"/v1/stats"); !strings.Contains(body, `"stun":[{"server":"`+uri+`","ready":true}]`) {
		t.Errorf("stats: %s", body)
	}
}
