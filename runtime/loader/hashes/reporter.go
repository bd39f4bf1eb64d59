package hashes

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/p2pstream/p2pstream/runtime/integrity"
	"github.com/p2pstream/p2pstream/runtime/loader/backoff"
)

// Pace of a Reporter.
const (
	leastPause     = 100 * time.Millisecond // between two batches: segments of several renditions arrive together
	firstRetry     = 250 * time.Millisecond
	longestRetry   = 5 * time.Second
	requestTimeout = 5 * time.Second
)

// ReporterConfig says where a Reporter sends to.
type ReporterConfig struct {
	Tracker string        // WebSocket URL of the tracker
	Seeder  string        // any stable id of the seeder's own, as in its reports
	Token   func() string // the seeder's token, sent as Bearer
	Client  *http.Client  // nil: http.DefaultClient
}

// Reporter tells one tracker what is in a journal, each record once, and all of them again when the tracker was
// restarted.
type Reporter struct {
	cfg     ReporterConfig
	url     string
	journal *Journal
	log     *slog.Logger

	place int64  // of the first record that was not sent
	boot  string // of the tracker that has those before
}

// NewReporter returns a reporter; nothing is sent before Run.
func NewReporter(cfg ReporterConfig, j *Journal, log *slog.Logger) (*Reporter, error) {
	u, err := url.Parse(cfg.Tracker)
	if err != nil || (u.Scheme != "ws" && u.Scheme != "wss") {
		return nil, fmt.Errorf("parsing tracker URL: %q is neither ws:// nor wss://", cfg.Tracker)
	}
	u.Scheme = strings.Replace(u.Scheme, "ws", "http", 1)
	u.Path, u.RawPath, u.RawQuery = path.Join("/", path.Dir(u.Path), "v1/hashes"), "", "" // beside the WebSocket, as in package report
	if cfg.Client == nil {
		cfg.Client = http.DefaultClient
	}
	return &Reporter{cfg: cfg, url: u.String(), journal: j, log: log}, nil
}

// Run reports until ctx ends. An older tracker that does not know hashes is asked again, seldom.
func (r *Reporter) Run(ctx context.Context) {
	wait := backoff.New(firstRetry, longestRetry)
	failing := false
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		batch, to, changed := r.journal.next(r.cfg.Seeder, r.place, time.Now())
		reply, err := r.send(ctx, batch)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			if !failing {
				r.log.Warn("giving hashes of segments to the tracker failed, trying again", "error", err)
			}
			failing = true
			if !wait.Sleep(ctx) {
				return
			}
			continue
		case failing:
			r.log.Info("giving hashes of segments to the tracker succeeded again")
		}
		failing, wait = false, backoff.New(firstRetry, longestRetry)
		if r.boot != "" && reply.Boot != r.boot {
			to = 0 // it has forgotten what was sent before
			changed = closed
		}
		r.place, r.boot = to, reply.Boot
		r.journal.dispute(reply.Disputed)
		if !r.pause(ctx, timer, changed) {
			return
		}
	}
}

// pause waits until there is more to say; false if ctx ends.
func (r *Reporter) pause(ctx context.Context, timer *time.Timer, changed <-chan struct{}) bool {
	timer.Reset(leastPause)
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
	}
	timer.Reset(integrity.LongestSilence - leastPause)
	select {
	case <-ctx.Done():
		return false
	case <-changed:
	case <-timer.C:
	}
	return true
}

func (r *Reporter) send(ctx context.Context, b integrity.Batch) (integrity.Reply, error) {
	body, err := json.Marshal(b)
	if err != nil {
		return integrity.Reply{}, fmt.Errorf("encoding hashes: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.url, bytes.NewReader(body))
	if err != nil {
		return integrity.Reply{}, fmt.Errorf("creating request for hashes: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	if r.cfg.Token != nil {
		if token := r.cfg.Token(); token != "" {
			req.Header.Set("Authorization", "Bearer "+token)
		}
	}
	answer, err := do(r.cfg.Client, req, integrity.MaxReplyBytes)
	if err != nil {
		return integrity.Reply{}, fmt.Errorf("sending hashes: %w", err)
	}
	return integrity.DecodeReply(answer)
}

// statusError is an answer other than 200.
type statusError struct {
	status int
	text   string
}

func (e *statusError) Error() string { return fmt.Sprintf("status %d: %s", e.status, e.text) }

func isStatus(err error, status int) bool {
	var e *statusError
	return errors.As(err, &e) && e.status == status
}

// do sends a request and returns the answer's body, of at most limit bytes and one more.
func do(client *http.Client, req *http.Request, limit int64) ([]byte, error) {
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }() // the answer is read or not needed
	body, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	if err != nil {
		return nil, fmt.Errorf("reading answer: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		return nil, &statusError{resp.StatusCode, string(bytes.TrimSpace(body[:min(len(body), 200)]))}
	}
	return body, nil
}
