package poll

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/p2pstream/p2pstream/controllers/plan"
	"github.com/p2pstream/p2pstream/runtime/telemetry"
	"github.com/p2pstream/p2pstream/runtime/tracker/stats"
)

// Timeout bounds one question, answer included.
const Timeout = 2 * time.Second

// maxBytes of an answer are read. A stream of 64 renditions and 64 seeders answers with a quarter of it.
const maxBytes = 1 << 20

// Tracker is a pod to be asked.
type Tracker struct {
	// Pod is its name, for messages, and UID tells it from others of that name.
	Pod string
	UID types.UID
	// IP of the pod.
	IP string
	// Token that the tracker may ask for; empty: the operator has none.
	Token Token
	// Prefix of the stream's paths, on a tracker of several streams.
	Prefix string
	// Accumulate says that what it has counted will be kept, and Kept what is; see package totals.
	Accumulate bool
	Kept       telemetry.Kept
}

// Token is not for logs.
type Token string

// String keeps it out of them.
func (Token) String() string { return "…" }

// GoString keeps it out of them.
func (Token) GoString() string { return "…" }

// Answer of one tracker: its stats, or why there are none.
type Answer struct {
	Tracker
	At    time.Time
	Stats stats.Stats
	Err   error
	// Failures in a row, with this one; 0 without an error, and for a tracker that was not asked.
	Failures int
}

// Client asks trackers.
type Client struct {
	http *http.Client
	// waiting is for requests that a tracker answers when something happens.
	waiting *http.Client
	// Address of a tracker's admin listener, host and port. Tests have it elsewhere.
	Address func(Tracker) string
	// Now is the clock of the answers.
	Now func() time.Time
}

// New returns a client.
func New() *Client {
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Client{
		http:    &http.Client{Transport: transport(Timeout), Timeout: Timeout, CheckRedirect: stay},
		waiting: &http.Client{Transport: transport(listenTimeout), Timeout: listenTimeout, CheckRedirect: stay},
		Address: func(t Tracker) string { return net.JoinHostPort(t.IP, strconv.Itoa(int(plan.PortAdmin))) },
		Now:     time.Now,
	}
}

// transport of requests whose answers begin within a time.
func transport(timeout time.Duration) *http.Transport {
	return &http.Transport{
		Proxy:                  nil, // pods are not behind the proxy that the world is behind
		DialContext:            (&net.Dialer{Timeout: Timeout}).DialContext,
		MaxIdleConnsPerHost:    1,
		MaxIdleConns:           1024,
		IdleConnTimeout:        30 * time.Second,
		ResponseHeaderTimeout:  timeout,
		MaxResponseHeaderBytes: 16 << 10,
	}
}

// Close closes what is idle.
func (c *Client) Close() {
	c.http.CloseIdleConnections()
	c.waiting.CloseIdleConnections()
}

// Ask asks all trackers at once and waits for the last one, at most for Timeout. Answers are in the order of
// the trackers.
func (c *Client) Ask(ctx context.Context, trackers []Tracker) []Answer {
	answers := make([]Answer, len(trackers))
	var wg sync.WaitGroup
	for i, t := range trackers {
		wg.Go(func() {
			s, err := c.ask(ctx, t)
			answers[i] = Answer{Tracker: t, At: c.Now(), Stats: s, Err: err}
		})
	}
	wg.Wait()
	return answers
}

func (c *Client) ask(ctx context.Context, t Tracker) (stats.Stats, error) {
	path := stats.Path
	if t.Accumulate {
		path = stats.AccumulatePath(t.Kept)
	}
	return get(ctx, c.http, "asking", t, c.Address(t)+t.Prefix+path, func(body io.Reader) (stats.Stats, error) { return stats.Decode(io.LimitReader(body, maxBytes)) })
}

// get decodes what a tracker answers to a GET of host and path. Doing names it for messages, such as "asking".
func get[T any](ctx context.Context, by *http.Client, doing string, t Tracker, at string, decode func(io.Reader) (T, error)) (T, error) {
	var none T
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+at, nil)
	if err != nil {
		return none, fmt.Errorf("%s tracker %s: %w", doing, t.Pod, err)
	}
	if t.Token != "" {
		req.Header.Set("Authorization", "Bearer "+string(t.Token))
	}
	resp, err := by.Do(req)
	if err != nil {
		// The URL says nothing that the message does not, and changes with every pod.
		var failed *url.Error
		if errors.As(err, &failed) {
			err = failed.Err
		}
		return none, fmt.Errorf("%s tracker %s at %s: %w", doing, t.Pod, req.URL.Host, err)
	}
	defer func() {
		_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 4<<10)) // so that the connection can be used again
		_ = resp.Body.Close()
	}()
	if resp.StatusCode == http.StatusUnauthorized {
		return none, fmt.Errorf("%s tracker %s: status 401: it does not know the operator's token, which changes with the operator's key and reaches its pod within two minutes", doing, t.Pod)
	}
	if resp.StatusCode != http.StatusOK {
		return none, fmt.Errorf("%s tracker %s: status %d", doing, t.Pod, resp.StatusCode)
	}
	out, err := decode(resp.Body)
	if err != nil {
		return none, fmt.Errorf("%s tracker %s: %w", doing, t.Pod, err)
	}
	return out, nil
}
