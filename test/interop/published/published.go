// Package published runs third-party servers as they are published, for tests of our programs against them.
package published

import (
	"bufio"
	"bytes"
	"encoding/json"
	"net"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/test/lab"
)

const startLimit = 30 * time.Second

// Tracker is the published bittorrent-tracker server in a Node process.
type Tracker struct {
	URL string // ws://host:port

	stop func()
}

// Option changes how the tracker is started.
type Option func(*options)

type options struct{ host string }

// Listen is the address to listen on; 127.0.0.1 without it.
func Listen(host string) Option { return func(o *options) { o.host = host } }

// StartTracker starts one, which ends with the test.
func StartTracker(tb testing.TB, opts ...Option) *Tracker {
	tb.Helper()
	o := options{host: "127.0.0.1"}
	for _, opt := range opts {
		opt(&o)
	}
	node, err := exec.LookPath("node")
	if err != nil {
		tb.Fatalf("Node.js is missing; run: make deps (%v)", err)
	}
	dir := filepath.Join(lab.Must[string](tb)(lab.Root()), "test", "interop")
	cmd := exec.Command(node, "published-tracker.mjs", "0", o.host)
	cmd.Dir = dir
	var stderr bytes.Buffer // read only after Wait
	cmd.Stderr = &stderr
	// Closing its input is what ends the process, whatever becomes of the test.
	stdin, err := cmd.StdinPipe()
	if err != nil {
		tb.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		tb.Fatalf("starting the published tracker: %v", err)
	}
	stop := sync.OnceFunc(func() {
		_ = stdin.Close()
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // killed, so never a success
	})
	tb.Cleanup(stop)

	line := make(chan []byte, 1)
	go func() {
		text, _ := bufio.NewReader(stdout).ReadBytes('\n')
		line <- text
	}()
	var hello struct {
		Port int `json:"port"`
	}
	select {
	case text := <-line:
		if err := json.Unmarshal(text, &hello); err != nil {
			stop()
			tb.Fatalf("the published tracker did not start; are its packages installed? run: make web\n%s", &stderr)
		}
	case <-time.After(startLimit):
		stop()
		tb.Fatalf("the published tracker did not listen within %s\n%s", startLimit, &stderr)
	}
	return &Tracker{URL: "ws://" + net.JoinHostPort(o.host, strconv.Itoa(hello.Port)), stop: stop}
}

// Stop ends the tracker before the test does, as an outage would.
func (t *Tracker) Stop() { t.stop() }
