package tracker

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/stun"
)

func TestSTUNWatchForgivesOneMiss(t *testing.T) {
	w := newSTUNWatch(slog.New(slog.DiscardHandler))
	miss := errors.New("no answer")
	for i, step := range []struct {
		err  error
		want bool
	}{{miss, false}, {nil, true}, {miss, true}, {miss, false}, {miss, false}, {nil, true}} {
		w.note("s", step.err)
		if got := w.ready("s"); got != step.want {
			t.Errorf("step %d: ready = %v, want %v", i, got, step.want)
		}
	}
	if w.ready("never asked") {
		t.Error("a server that was never asked is ready")
	}
}

func TestSTUNWatchProbesARealServer(t *testing.T) {
	server, err := stun.New(stun.Config{Listen: "127.0.0.1:0"}, slog.New(slog.DiscardHandler), nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{}, 2)
	go func() { _ = server.Run(ctx); done <- struct{}{} }() // its own tests look at its error
	<-server.Ready()
	name := "stun:" + server.Addr().String()
	w := newSTUNWatch(slog.New(slog.DiscardHandler))
	go func() { w.run(ctx, name); done <- struct{}{} }()
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
