package entrance

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/p2pstream/p2pstream/test/lab"
)

// haproxy is a running HAProxy: a master, and a worker for each configuration under which connections are open.
type haproxy struct {
	*process
	loads int
}

// newHAProxy makes the folder of a proxy, which starts with its first configuration.
func newHAProxy(binary, netns string) (*haproxy, error) {
	p, err := newProcess(binary, netns)
	if err != nil {
		return nil, err
	}
	return &haproxy{process: p}, nil
}

func (h *haproxy) file() string { return filepath.Join(h.folder, "haproxy.cfg") }

// socket is the one by which the worker of a load answers: each has its own, so that an answer tells who serves.
func (h *haproxy) socket() string {
	return filepath.Join(h.folder, fmt.Sprintf("worker-%d.sock", h.loads))
}

// load replaces the configuration. Connections that are open stay, with the worker that they began with.
func (h *haproxy) load(ctx context.Context, t table) error {
	h.loads++
	certificates := filepath.Join(h.folder, fmt.Sprintf("certificates-%d", h.loads))
	if err := os.Mkdir(certificates, 0o700); err != nil {
		return fmt.Errorf("making folder of certificates: %w", err)
	}
	for i, c := range t.Certificates {
		if err := os.WriteFile(filepath.Join(certificates, fmt.Sprintf("%d.pem", i)), []byte(c.Cert+"\n"+c.Key), 0o600); err != nil {
			return fmt.Errorf("writing certificate: %w", err)
		}
	}
	if err := os.WriteFile(h.file(), []byte(t.haproxy(h.folder, certificates, h.socket())), 0o600); err != nil {
		return fmt.Errorf("writing configuration: %w", err)
	}
	// A master that reads a wrong configuration goes on without a worker.
	if out, err := exec.CommandContext(ctx, h.binary, "-q", "-c", "-f", h.file()).CombinedOutput(); err != nil {
		return fmt.Errorf("checking configuration: %w: %s", err, out)
	}
	if h.cmd == nil {
		if err := h.start("-W", "-db", "-f", h.file()); err != nil {
			return err
		}
	} else if err := h.cmd.Process.Signal(syscall.SIGUSR2); err != nil {
		return fmt.Errorf("reloading proxy: %w", err)
	}
	return h.awaitWorker(ctx)
}

// awaitWorker waits until the worker of the newest configuration answers.
func (h *haproxy) awaitWorker(ctx context.Context) error {
	if err := lab.Wait(ctx, loadWithin, "the worker of a new configuration", func() error { return h.ask(ctx) }); err != nil {
		return fmt.Errorf("loading configuration: %w", err)
	}
	return nil
}

// ask fails unless the worker of the newest configuration answers.
func (h *haproxy) ask(ctx context.Context) error {
	c, err := (&net.Dialer{}).DialContext(ctx, "unix", h.socket())
	if err != nil {
		return fmt.Errorf("connecting to worker: %w", err)
	}
	defer func() { _ = c.Close() }()
	if err := c.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
		return fmt.Errorf("limiting time: %w", err)
	}
	if _, err := io.WriteString(c, "show info\n"); err != nil {
		return fmt.Errorf("asking worker: %w", err)
	}
	answer, err := io.ReadAll(io.LimitReader(c, 1<<16))
	if err != nil {
		return fmt.Errorf("reading answer of worker: %w", err)
	}
	if !bytes.Contains(answer, []byte("\nPid: ")) {
		return fmt.Errorf("worker answers %q", answer)
	}
	return nil
}
