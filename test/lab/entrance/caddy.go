package entrance

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"time"

	"github.com/p2pstream/p2pstream/test/lab"
)

// caddy is Caddy as test/caddy builds it.
type caddy struct {
	*process
	client *http.Client
}

// newCaddy makes the folder of a proxy, which starts with its first configuration.
func newCaddy(binary, netns string) (*caddy, error) {
	p, err := newProcess(binary, netns)
	if err != nil {
		return nil, err
	}
	c := &caddy{process: p}
	c.client = &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", c.socket())
		}}}
	return c, nil
}

// socket is a file, which namespaces of networks do not hide.
func (c *caddy) socket() string { return filepath.Join(c.folder, "admin.sock") }

// load replaces the configuration. Connections that are open stay.
func (c *caddy) load(ctx context.Context, t table) error {
	config, err := t.caddy(c.socket())
	if err != nil {
		return err
	}
	if c.cmd == nil {
		if err := c.start(c.socket()); err != nil {
			return err
		}
		if err := lab.Wait(ctx, loadWithin, "Caddy's admin socket", func() error { return c.dial(ctx) }); err != nil {
			return fmt.Errorf("starting proxy: %w", err)
		}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://localhost/load", bytes.NewReader(config))
	if err != nil {
		return fmt.Errorf("asking proxy: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := c.client.Do(req)
	if err != nil {
		return fmt.Errorf("loading configuration: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	said, err := io.ReadAll(io.LimitReader(resp.Body, 4096))
	if resp.StatusCode != http.StatusOK {
		return errors.Join(fmt.Errorf("loading configuration: proxy answers %s: %s", resp.Status, said), err)
	}
	return nil
}

// dial fails unless the admin socket takes connections.
func (c *caddy) dial(ctx context.Context) error {
	conn, err := (&net.Dialer{}).DialContext(ctx, "unix", c.socket())
	if err != nil {
		return fmt.Errorf("connecting to proxy: %w", err)
	}
	return conn.Close()
}
