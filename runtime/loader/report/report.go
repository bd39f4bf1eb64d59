// Package report sends a peer's reports to its tracker: cumulative counters at
// an interval, until the peer leaves. An unreachable tracker loses
// nothing: the next report contains what it has not acknowledged.
package report

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"path"
	"slices"
	"sync/atomic"
	"time"

	"github.com/p2pstream/p2pstream/runtime/telemetry"
)

// Defaults and bounds of a Reporter.
const (
	DefaultInterval = 5 * time.Second
	requestTimeout  = 5 * time.Second
	maxPause        = 30 * time.Second // between attempts while the tracker is unreachable
	maxAnswer       = 4 << 10          // bytes
	socketTimeout   = 2 * time.Second  // until a report is sent over HTTP instead
	maxInterval     = 10 * time.Minute // that a tracker may ask for
)

// Config says where a Reporter sends to.
type Config struct {
	URL      string        // of /v1/telemetry
	Interval time.Duration // between reports
	Session  string        // signed id from /v1/config; a seeder may use any id of its own
	Token    func() string // a seeder's token, sent as Bearer; nil or empty: none
	Client   *http.Client  // nil: http.DefaultClient
	// Renew gets a new session when the tracker does not accept the old one any
	// more (nil: keep trying with the old one).
	Renew func(context.Context) (session string, err error)
	// Socket sends a report over a WebSocket to the tracker and returns the answer; nil, or if it returns false: the report
	// is sent to URL.
	Socket func(ctx context.Context, report []byte) (answer []byte, ok bool)
	// Answered is called with the swarm id in each answer, empty if it has none; nil: it is not used.
	Answered func(swarmID string)
}

// Reporter sends one peer's reports.
type Reporter struct {
	cfg    Config
	sample func() telemetry.Report
	log    *slog.Logger

	sequence  int64
	offset    telemetry.Counters  // counted under earlier sessions
	earlier   []telemetry.Played  // played under earlier sessions
	played    []telemetry.Played  // what the last accepted report told, since the peer began
	acked     *telemetry.Counters // under this session; nil: nothing
	receipts  []telemetry.Receipt
	voucher   string
	next      time.Duration // until the next report, as the tracker asked for
	failing   bool
	requested chan struct{}
	accepted  atomic.Bool
}

// Accepted tells whether a report has ever been accepted.
func (r *Reporter) Accepted() bool { return r.accepted.Load() }

// New returns a reporter. sample returns counts that are cumulative since the peer
// started; the reporter sets version, session, sequence, base and receipts.
func New(cfg Config, sample func() telemetry.Report, log *slog.Logger) *Reporter {
	if cfg.Interval <= 0 {
		cfg.Interval = DefaultInterval
	}
	if cfg.Client == nil {
		cfg.Client = http.DefaultClient
	}
	return &Reporter{cfg: cfg, sample: sample, log: log, next: cfg.Interval, requested: make(chan struct{}, 1)}
}

// ReportNow asks for a report before the interval is over, after a change that the
// tracker waits for.
func (r *Reporter) ReportNow() {
	select {
	case r.requested <- struct{}{}:
	default:
	}
}

// URLOf derives the report URL of a tracker from its WebSocket URL: both are in the same place on the tracker, which is
// /NAMESPACE/NAME/ if it serves several streams.
func URLOf(tracker string) (string, error) {
	u, err := url.Parse(tracker)
	if err != nil {
		return "", fmt.Errorf("parsing tracker URL: %w", err)
	}
	switch u.Scheme {
	case "ws":
		u.Scheme = "http"
	case "wss":
		u.Scheme = "https"
	default:
		return "", fmt.Errorf("parsing tracker URL: %q is neither ws:// nor wss://", tracker)
	}
	u.Path, u.RawPath, u.RawQuery = path.Join("/", path.Dir(u.Path), "v1/telemetry"), "", ""
	return u.String(), nil
}

// Run reports until ctx ends, and once more then.
func (r *Reporter) Run(ctx context.Context) {
	// Peers that started together must not report together.
	timer := time.NewTimer(rand.N(r.cfg.Interval))
	defer timer.Stop()
	pause := r.cfg.Interval
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
			r.try(last)
			cancel()
			return
		case <-r.requested:
		case <-timer.C:
		}
		if r.try(ctx) {
			pause = r.next
		} else {
			pause = min(2*pause, max(maxPause, r.next))
		}
		timer.Reset(pause*9/10 + rand.N(pause/5+1))
	}
}

// try sends one report and tells whether the tracker accepted it.
func (r *Reporter) try(ctx context.Context) bool {
	err := r.send(ctx)
	var refused *refusal
	if errors.As(err, &refused) && refused.session() && r.cfg.Renew != nil {
		err = r.renew(ctx)
	}
	switch {
	case err == nil && r.failing:
		r.log.Info("reporting succeeded again")
	case err != nil && !r.failing && ctx.Err() == nil:
		r.log.Warn("reporting failed, trying again", "error", err)
	}
	r.failing = err != nil
	return err == nil
}

// renew continues under a new session, which counts from what was acknowledged
// under the old one.
func (r *Reporter) renew(ctx context.Context) error {
	session, err := r.cfg.Renew(ctx)
	if err != nil {
		return fmt.Errorf("renewing session: %w", err)
	}
	r.cfg.Session = session
	if r.acked != nil {
		r.offset = r.offset.Add(*r.acked)
		for i := range r.receipts {
			r.receipts[i].Counters = r.receipts[i].Counters.Sub(*r.acked)
		}
	}
	r.acked, r.sequence, r.earlier = nil, 0, r.played
	return r.send(ctx)
}

func (r *Reporter) send(ctx context.Context) error {
	report := r.sample()
	r.sequence++
	report.Version, report.Session, report.Sequence = telemetry.ReportVersion, r.cfg.Session, r.sequence
	report.Counters = report.Counters.Sub(r.offset)
	report.Base = r.acked
	told := slices.Clone(report.Played)
	report.Played = since(report.Played, r.earlier)
	if report.Role == telemetry.RoleViewer { // only what viewers receive is kept over restarts
		report.Receipts, report.Voucher = r.receipts, r.voucher
	}
	body, err := json.Marshal(report)
	if err != nil {
		return fmt.Errorf("encoding report: %w", err)
	}
	if len(body) > telemetry.MaxReportSize && len(report.Played) > 0 { // after several trackers: receipts come first
		report.Played, told = nil, r.played
		if body, err = json.Marshal(report); err != nil {
			return fmt.Errorf("encoding report: %w", err)
		}
	}
	if r.cfg.Socket != nil {
		sending, cancel := context.WithTimeout(ctx, socketTimeout)
		answer, ok := r.cfg.Socket(sending, body)
		cancel()
		if ok {
			return r.accept(told, r.answered(answer))
		}
	}
	return r.accept(told, r.post(ctx, body))
}

// accept notes what a report told of renditions, if it was accepted.
func (r *Reporter) accept(played []telemetry.Played, err error) error {
	if err == nil {
		r.played = played
	}
	return err
}

// post sends a report over HTTP.
func (r *Reporter) post(ctx context.Context, body []byte) error {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.cfg.URL, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("creating report request: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	if r.cfg.Token != nil && r.cfg.Token() != "" {
		req.Header.Set("Authorization", "Bearer "+r.cfg.Token())
	}
	resp, err := r.cfg.Client.Do(req)
	if err != nil {
		return fmt.Errorf("sending report: %w", err)
	}
	defer func() { _ = resp.Body.Close() }() // the answer is read or not needed
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("reading acknowledgement: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		return &refusal{status: resp.StatusCode, text: string(bytes.TrimSpace(answer[:min(len(answer), 200)]))}
	}
	return r.answered(answer)
}

// answered takes the tracker's answer, which over a WebSocket may also be a refusal.
func (r *Reporter) answered(answer []byte) error {
	var ack struct {
		telemetry.Acknowledgement
		Error  string           `json:"error"`
		Reason telemetry.Reason `json:"reason"`
	}
	if len(answer) > maxAnswer {
		return fmt.Errorf("decoding acknowledgement: more than %d bytes", maxAnswer)
	}
	if err := json.Unmarshal(answer, &ack); err != nil {
		return fmt.Errorf("decoding acknowledgement: %w", err)
	}
	if ack.NextMs > 0 {
		r.next = min(max(time.Duration(min(ack.NextMs, maxInterval.Milliseconds()))*time.Millisecond, r.cfg.Interval), max(maxInterval, r.cfg.Interval))
	}
	if ack.Error != "" {
		status := http.StatusConflict
		if ack.Reason == telemetry.Unsigned || ack.Reason == telemetry.Expired {
			status = http.StatusUnauthorized
		}
		return &refusal{status: status, text: ack.Error[:min(len(ack.Error), 200)]}
	}
	r.acked, r.receipts, r.voucher = &ack.Acked, ack.Receipts, ack.Voucher
	r.accepted.Store(true)
	if r.cfg.Answered != nil {
		r.cfg.Answered(ack.SwarmID)
	}
	return nil
}

// refusal is an answer other than 200.
type refusal struct {
	status int
	text   string
}

func (r *refusal) Error() string {
	return fmt.Sprintf("sending report: status %d: %s", r.status, r.text)
}

// session tells whether the tracker rejected the session.
func (r *refusal) session() bool {
	return r.status == http.StatusUnauthorized || r.status == http.StatusForbidden
}
