package stun

import (
	"context"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/internal/duration"
)

// TestEndsAtOnce with clients connected and probes kept alive, if no drain is configured.
func TestEndsAtOnce(t *testing.T) {
	s, err := New(Config{Listen: "127.0.0.1:0", AdminListen: "127.0.0.1:0"}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	<-s.Ready()
	conn, err := net.Dial("tcp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := ProbeTCP(testContext(t), s.Addr().String()); err != nil {
		t.Fatal(err)
	}
	probes := &http.Client{Transport: &http.Transport{}}
	defer probes.CloseIdleConnections()
	resp, err := probes.Get("http://" + s.AdminAddr().String() + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("readyz: %d", resp.StatusCode)
	}
	began := time.Now()
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > time.Second {
		t.Errorf("took %v", took)
	}
}

// TestDrainAnswersOn: the server stays ready while it drains, because its viewers know no other one yet.
func TestDrainAnswersOn(t *testing.T) {
	const drain = 2 * time.Second
	s, err := New(Config{Listen: "127.0.0.1:0", AdminListen: "127.0.0.1:0", Drain: duration.Duration(drain)}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	<-s.Ready()
	probes := &http.Client{Transport: &http.Transport{}}
	defer probes.CloseIdleConnections()
	began := time.Now()
	cancel()
	for time.Since(began) < drain/2 {
		if _, err := Probe(testContext(t), s.Addr().String()); err != nil {
			t.Errorf("%v after its end was asked for: %v", time.Since(began), err)
		}
		resp, err := probes.Get("http://" + s.AdminAddr().String() + "/readyz")
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Errorf("readyz while it drains: %d", resp.StatusCode)
		}
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took < drain || took > drain+5*time.Second {
		t.Errorf("took %v", took)
	}
}
