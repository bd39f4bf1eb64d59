package entrance

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// caddy is a running proxy.
type caddy struct {
	cmd    *exec.Cmd
	alive  io.Closer // its standard input: when that is closed, it ends
	folder string
	client *http.Client
	log    *bytes.Buffer // complete once it has ended
}

// startWithin is how long the proxy may take to open its admin socket: a machine that builds at the same time is slow.
const startWithin = time.Minute

// startCaddy starts a proxy in a network namespace, or in our own. Its admin socket is a file, which namespaces of networks do not hide.
func startCaddy(ctx context.Context, binary, netns string) (*caddy, error) {
	folder, err := os.MkdirTemp("", "entrance")
	if err != nil {
		return nil, fmt.Errorf("making folder of proxy: %w", err)
	}
	c := &caddy{folder: folder, log: &bytes.Buffer{}}
	words := []string{binary, c.socket()}
	if netns != "" {
		words = append([]string{"nsenter", "--net=/run/netns/" + netns, "--"}, words...)
	}
	c.cmd = exec.Command(words[0], words[1:]...) // it ends with its input, in its own time
	c.cmd.Stdout, c.cmd.Stderr = c.log, c.log
	c.cmd.Env = append(os.Environ(), "HOME="+folder, "XDG_DATA_HOME="+folder, "XDG_CONFIG_HOME="+folder)
	if c.alive, err = c.cmd.StdinPipe(); err != nil {
		return nil, fmt.Errorf("connecting to proxy: %w", err)
	}
	c.client = &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", c.socket())
		}}}
	if err := c.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting proxy: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, startWithin)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		if _, err := os.Stat(c.socket()); err == nil {
			return c, nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil, fmt.Errorf("starting proxy: %w", errors.Join(ctx.Err(), c.stop()))
		}
	}
}

func (c *caddy) socket() string { return filepath.Join(c.folder, "admin.sock") }

// load replaces the configuration. Connections that are open stay.
func (c *caddy) load(ctx context.Context, config []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://localhost/load", bytes.NewReader(config))
	if err != nil {
		return fmt.Errorf("asking proxy: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := c.client.Do(req)
	if err != nil {
		return fmt.Errorf("configuring proxy: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	said, err := io.ReadAll(io.LimitReader(resp.Body, 4096))
	if resp.StatusCode != http.StatusOK {
		return errors.Join(fmt.Errorf("configuring proxy: it answers %s: %s", resp.Status, said), err)
	}
	return nil
}

// stop ends the proxy, and returns what it wrote if it failed.
func (c *caddy) stop() error {
	_ = c.alive.Close()
	kill := time.AfterFunc(startWithin, func() { _ = c.cmd.Process.Kill() })
	defer kill.Stop()
	err := c.cmd.Wait()
	_ = os.RemoveAll(c.folder)
	if err != nil {
		return fmt.Errorf("ending proxy: %w; it wrote: %s", err, c.log)
	}
	return nil
}
