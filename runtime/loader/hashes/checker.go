package hashes

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/p2pstream/p2pstream/runtime/integrity"
)

// Verdict is the result of a check.
type Verdict int

// The verdicts.
const (
	// Right: the bytes are the origin's.
	Right Verdict = iota
	// Wrong: they are not.
	Wrong
	// Unknown: no seeder vouches for the segment, or the tracker cannot be asked. It is taken as it is: checks must not
	// end peer-to-peer where no seeder is, or while a tracker restarts.
	Unknown
	// Unproven: a seeder vouches for the segment, but its hash did not come in time. The bytes are not taken, and the
	// peer is not blamed: it may be ahead of the seeder.
	Unproven
)

// Times of a check.
const (
	patience = time.Second            // how long a hash that is about to come is waited for, and one answer of the tracker
	askAgain = 200 * time.Millisecond // between two requests for what is not known
	gather   = 15 * time.Millisecond  // how long a request waits for what else is to be asked: audio comes with video
	believed = 2 * time.Second        // how long it is believed that no seeder is there, or that the tracker does not answer
)

// CheckerConfig says where a Checker asks.
type CheckerConfig struct {
	URL     string // of /v1/hashes
	Session string // from /v1/config
	// Token returns the credential of a seeder, which has no session; nil: it is a viewer that checks.
	Token func() string
	// Renew gets a new session when the tracker does not accept the old one any more; nil: keep the old one.
	Renew  func(context.Context) (session string, err error)
	Client *http.Client // nil: http.DefaultClient
}

// URLOf derives the URL of the hash lists from that of reports, which stands beside it; "" if it is none.
func URLOf(reports string) string {
	u, err := url.Parse(reports)
	if err != nil || u.Host == "" {
		return ""
	}
	return u.ResolveReference(&url.URL{Path: "hashes"}).String()
}

// Checker tells whether segments are the origin's. It asks the tracker while Run runs. It is safe for concurrent use.
type Checker struct {
	cfg  CheckerConfig
	log  *slog.Logger
	wake chan struct{} // a round has begun

	mu      sync.Mutex
	known   *integrity.Known
	asked   map[string]time.Time // when a list of a swarm came last
	wanted  map[want]struct{}
	round   *round // that gathers what is to be asked; nil if none does
	key     []byte
	session string
	failed  time.Time // when the tracker last did not answer; zero since it did
}

type want struct {
	swarm string
	id    int64
}

// round is one request to the tracker, for all that ask at about the same time.
type round struct {
	done chan struct{}
	err  error
}

// NewChecker returns a checker that has asked for nothing yet.
func NewChecker(cfg CheckerConfig, log *slog.Logger) *Checker {
	if cfg.Client == nil {
		cfg.Client = http.DefaultClient
	}
	return &Checker{
		cfg: cfg, log: log, session: cfg.Session, known: integrity.NewKnown(), asked: make(map[string]time.Time),
		wanted: make(map[want]struct{}), wake: make(chan struct{}, 1),
	}
}

// Check compares a segment with its hash, for which it waits a second at most. swarm is an info hash or a stream swarm id.
func (c *Checker) Check(ctx context.Context, swarm string, id int64, data []byte) Verdict {
	began := time.Now()
	got := integrity.Of(data)
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if verdict, ok := c.look(swarm, id, got, false); ok {
		return verdict
	}
	for {
		err := c.ask(ctx, want{swarm, id})
		if verdict, ok := c.look(swarm, id, got, err == nil); ok {
			return verdict
		}
		if err != nil && ctx.Err() == nil {
			return Unknown
		}
		select {
		case <-ctx.Done():
			return c.late(swarm, id, began)
		case <-time.After(askAgain):
		}
	}
}

// look tells what is known; false if that is not enough. asked says that the tracker has just been asked.
func (c *Checker) look(swarm string, id int64, got integrity.Hash, asked bool) (Verdict, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if want, ok := c.known.Hash(swarm, id); ok {
		if want == got {
			return Right, true
		}
		return Wrong, true
	}
	silent := time.Since(c.failed) < believed
	nothing := time.Since(c.asked[swarm]) < believed && c.known.Nothing(swarm)
	return Unknown, silent || nothing || (asked && !c.known.Covered(swarm, id))
}

// late is the verdict when the hash of a check did not come in time. Peers are left for what is refused, so it is refused only
// if the tracker has said since the check began that it knows no hash: one that hangs has said nothing.
func (c *Checker) late(swarm string, id int64, began time.Time) Verdict {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.asked[swarm].After(began) && c.known.Covered(swarm, id) {
		return Unproven
	}
	return Unknown
}

// ask asks the tracker for a segment's hash, together with all that is asked for at about the same time.
func (c *Checker) ask(ctx context.Context, w want) error {
	c.mu.Lock()
	c.wanted[w] = struct{}{}
	r := c.round
	if r == nil {
		r = &round{done: make(chan struct{})}
		c.round = r
		select {
		case c.wake <- struct{}{}:
		default:
		}
	}
	c.mu.Unlock()
	select {
	case <-r.done:
		return r.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Run asks the tracker for what checks want, until ctx ends. One request runs at a time: what is wanted meanwhile is in the
// next. The requests are not those of the checks, whose end says nothing about the tracker.
func (c *Checker) Run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.wake:
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(gather):
		}
		c.run(ctx)
	}
}

// run is one round.
func (c *Checker) run(ctx context.Context) {
	c.mu.Lock()
	r := c.round
	c.round = nil
	lists := afters(c.wanted)
	clear(c.wanted)
	c.mu.Unlock()
	defer close(r.done)
	for len(lists) > 0 && r.err == nil {
		n := min(len(lists), integrity.MaxLists)
		r.err = c.fetch(ctx, lists[:n])
		lists = lists[n:]
	}
	c.note(r.err)
}

// note remembers whether the tracker answers.
func (c *Checker) note(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	failing := !c.failed.IsZero()
	switch {
	case err == nil:
		c.failed = time.Time{}
		if failing {
			c.log.Info("getting hashes of segments succeeded again")
		}
	case !errors.Is(err, context.Canceled):
		c.failed = time.Now()
		if !failing {
			c.log.Warn("getting hashes of segments failed; segments from peers are taken without a check until it succeeds", "error", err)
		}
	}
}

// afters are the lists that hold what is wanted: for each swarm one that begins before the lowest id, and more if the
// others lie beyond it.
func afters(wanted map[want]struct{}) []want {
	bySwarm := make(map[string][]int64)
	for w := range wanted {
		bySwarm[w.swarm] = append(bySwarm[w.swarm], w.id)
	}
	var out []want
	for swarm, ids := range bySwarm {
		slices.Sort(ids)
		behind := int64(math.MinInt64) // the last id that the lists so far have
		for _, id := range ids {
			if id > behind {
				out = append(out, want{swarm, id - 1})
				behind = id - 1 + integrity.MaxHashes
			}
		}
	}
	return out
}

func (c *Checker) fetch(ctx context.Context, lists []want) error {
	key, err := c.keyFor(ctx)
	if err != nil {
		return err
	}
	query := url.Values{}
	for _, l := range lists {
		query.Add("swarm", l.swarm)
		query.Add("after", strconv.FormatInt(l.id, 10))
	}
	body, err := c.get(ctx, query)
	if err != nil {
		return err
	}
	answer, err := integrity.DecodeAnswer(key, body)
	if err != nil {
		if errors.Is(err, integrity.ErrSignature) {
			c.mu.Lock()
			c.key = nil // the tracker may have another one by now
			c.mu.Unlock()
		}
		return err
	}
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.asked) > maxAsked {
		clear(c.asked)
	}
	for i, l := range answer.Lists {
		// A signed list that was not asked for is an old answer that something kept.
		if i < len(lists) && l.Swarm == lists[i].swarm && l.After == lists[i].id {
			c.known.Learn(l, now)
			c.asked[l.Swarm] = now
		}
	}
	return nil
}

// maxAsked bounds how many swarms are remembered.
const maxAsked = 256

func (c *Checker) get(ctx context.Context, query url.Values) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.cfg.URL+"?"+query.Encode(), nil)
	if err != nil {
		return nil, fmt.Errorf("creating request for hashes: %w", err)
	}
	// A tracker for listed origins, or for viewers with tokens, gives lists to sessions only.
	credential := c.cfg.Session
	if c.cfg.Token != nil {
		credential = c.cfg.Token()
	}
	req.Header.Set("Authorization", "Bearer "+credential)
	body, err := do(c.cfg.Client, req, integrity.MaxAnswerBytes)
	if err != nil {
		return nil, fmt.Errorf("fetching hashes: %w", err)
	}
	return body, nil
}

var errNoKey = errors.New("the key that signs them is not known")

func (c *Checker) renew(ctx context.Context) (err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	c.session, err = c.cfg.Renew(ctx)
	return err
}

// keyFor is the key that lists are signed with. Only run calls it, one at a time.
func (c *Checker) keyFor(ctx context.Context) ([]byte, error) {
	c.mu.Lock()
	key := c.key
	c.mu.Unlock()
	if key != nil {
		return key, nil
	}
	body, err := c.get(ctx, url.Values{"session": {c.session}})
	if isStatus(err, http.StatusUnauthorized) && c.cfg.Renew != nil {
		if err = c.renew(ctx); err != nil {
			return nil, fmt.Errorf("renewing session: %w", err)
		}
		body, err = c.get(ctx, url.Values{"session": {c.session}})
	}
	if err != nil {
		return nil, err
	}
	var answer struct {
		Key string `json:"key"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return nil, fmt.Errorf("decoding key of hashes: %w", err)
	}
	if key, err = base64.StdEncoding.DecodeString(answer.Key); err != nil || len(key) == 0 {
		return nil, fmt.Errorf("decoding key of hashes: %w", errNoKey)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.key = key
	return key, nil
}
