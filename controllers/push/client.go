package push

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/p2pstream/p2pstream/controllers/diagnose"
	"github.com/p2pstream/p2pstream/controllers/plan"
	"github.com/p2pstream/p2pstream/runtime/tracker/table"
)

const (
	// timeout bounds one request, answer included: a table of 2000 streams is built in less than a second.
	timeout = 10 * time.Second
	// maxAnswer bounds what is read: the states of 2000 streams.
	maxAnswer = 4 << 20
)

// Client talks to the admin listeners of trackers.
type Client struct {
	http *http.Client
	// Address of a tracker's admin listener, host and port. Tests have it elsewhere.
	Address func(Target) string
}

// NewClient returns a client.
func NewClient() *Client {
	return &Client{
		http: &http.Client{
			Timeout: timeout,
			Transport: &http.Transport{
				Proxy:                  nil, // pods are not behind the proxy that the world is behind
				DialContext:            (&net.Dialer{Timeout: 2 * time.Second}).DialContext,
				MaxIdleConnsPerHost:    1,
				MaxIdleConns:           MaxTargets,
				IdleConnTimeout:        30 * time.Second,
				MaxResponseHeaderBytes: 16 << 10,
			},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		Address: func(t Target) string { return net.JoinHostPort(t.IP, strconv.Itoa(int(plan.PortAdmin))) },
	}
}

// Close closes what is idle.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// refusedError is the answer of a tracker that does not take a table.
type refusedError struct{ text string }

func (e *refusedError) Error() string { return e.text }

// put sends a table.
func (c *Client) put(ctx context.Context, t Target, tbl *Table) error {
	status, body, err := c.do(ctx, http.MethodPut, t, tbl.Token, tbl.Body)
	switch {
	case err != nil:
		return err
	case status == http.StatusOK:
		return nil
	}
	var refused table.Refused
	if json.Unmarshal(body, &refused) != nil || refused.Error == "" {
		refused.Error = http.StatusText(status)
	}
	return &refusedError{fmt.Sprintf("tracker %s does not take the table of streams (status %d): %s", t.Pod, status, diagnose.Clean(refused.Error))}
}

// states asks what is served.
func (c *Client) states(ctx context.Context, t Target, token string) (table.States, error) {
	status, body, err := c.do(ctx, http.MethodGet, t, token, nil)
	if err != nil {
		return table.States{}, err
	}
	if status != http.StatusOK {
		return table.States{}, fmt.Errorf("asking tracker %s for its table: status %d", t.Pod, status)
	}
	var out table.States
	if err := json.Unmarshal(body, &out); err != nil {
		return table.States{}, fmt.Errorf("asking tracker %s for its table: %w", t.Pod, err)
	}
	return out, nil
}

func (c *Client) do(ctx context.Context, method string, t Target, token string, body []byte) (status int, answer []byte, err error) {
	req, err := http.NewRequestWithContext(ctx, method, "http://"+c.Address(t)+table.Path, bytes.NewReader(body))
	if err != nil {
		return 0, nil, fmt.Errorf("talking to tracker %s: %w", t.Pod, err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := c.http.Do(req)
	if err != nil {
		var failed *url.Error
		if errors.As(err, &failed) {
			err = failed.Err
		}
		return 0, nil, fmt.Errorf("talking to tracker %s at %s: %w", t.Pod, req.URL.Host, err)
	}
	defer resp.Body.Close() //nolint:errcheck // it was read
	answer, err = io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return 0, nil, fmt.Errorf("reading the answer of tracker %s: %w", t.Pod, err)
	}
	return resp.StatusCode, answer, nil
}
