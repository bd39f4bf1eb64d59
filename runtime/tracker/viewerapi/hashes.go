package viewerapi

import (
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/p2pstream/p2pstream/runtime/integrity"
	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/telemetry"
	"github.com/p2pstream/p2pstream/runtime/tracker/stats"
)

// HashesPath is where seeders give the hashes of segments (POST) and viewers get them (GET).
const HashesPath = "/v1/hashes"

// hashes are what seeders say that the stream's bytes are.
type hashes struct {
	key     func() []byte // which may change
	limiter *limiter

	mu     sync.Mutex
	ledger *integrity.Ledger
}

// hashRequests is how many times more requests for hashes than others an address may send: every viewer of an office
// asks for those of each new segment, and they may share one address.
const hashRequests = 4

func newHashes(cfg Config, key func() []byte, reg prometheus.Registerer) (*hashes, error) {
	h := &hashes{
		key:     key,
		limiter: newLimiter(hashRequests*cfg.RequestsPerSecond, hashRequests*cfg.RequestBurst),
		ledger:  integrity.NewLedger(integrity.Limits{}),
	}
	if reg == nil {
		return h, nil
	}
	gauge := func(name, help string, of func(integrity.Counts) float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 { return of(h.counts()) })
	}
	count := func(name, help string, of func(integrity.Counts) int64) prometheus.Collector {
		return prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help}, func() float64 { return float64(of(h.counts())) })
	}
	for _, c := range []prometheus.Collector{
		gauge("p2pstream_viewerapi_hashes", "Hashes of segments known.", func(c integrity.Counts) float64 { return float64(c.Hashes) }),
		gauge("p2pstream_viewerapi_hashes_disputed", "Segments of which seeders say different things, and the origin has not decided.",
			func(c integrity.Counts) float64 { return float64(c.Disputed) }),
		count("p2pstream_viewerapi_hashes_dropped_total", "Hashes dropped because there were too many.", func(c integrity.Counts) int64 { return c.Dropped }),
		count("p2pstream_viewerapi_hash_conflicts_total", "Segments of which seeders said different things.", func(c integrity.Counts) int64 { return c.Conflicts }),
		count("p2pstream_viewerapi_hash_decisions_total", "Of those, segments that the origin decided when it was asked once more.",
			func(c integrity.Counts) int64 { return c.Decided }),
		count("p2pstream_viewerapi_hash_unstable_total", "Segments of which the origin itself gives different bytes.", func(c integrity.Counts) int64 { return c.Unstable }),
	} {
		if err := reg.Register(c); err != nil {
			return nil, fmt.Errorf("registering metrics: %w", err)
		}
	}
	return h, nil
}

// hashKey returns the key that signs hash lists. It follows the key of tickets, which all replicas share.
func (h *Handler) hashKey() []byte {
	return integrity.Key(h.deps.Keys().Signing(h.deps.Now()), h.cfg.Stream)
}

func (h *hashes) counts() integrity.Counts {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.ledger.Counts()
}

// stats is what /v1/stats says of the stream's bytes; nil while there is nothing to say.
func (h *hashes) stats(checks telemetry.Checks) *stats.Integrity {
	c := h.counts()
	if c.Hashes == 0 && c.Conflicts == 0 && checks == (telemetry.Checks{}) {
		return nil
	}
	return &stats.Integrity{Counts: c, Differs: c.Conflicts > 0, Checks: checks}
}

// takeHashes accepts what a seeder adds to its hashes.
func (h *Handler) takeHashes(w http.ResponseWriter, r *http.Request) {
	if !h.isSeeder(r) {
		h.fail(w, HashesPath, http.StatusUnauthorized, telemetry.Unauthorized, "hashes are accepted with the seeder token as Authorization: Bearer")
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, integrity.MaxBatchBytes))
	if err != nil {
		h.fail(w, HashesPath, http.StatusRequestEntityTooLarge, telemetry.TooLarge, fmt.Sprintf("send at most %d bytes", integrity.MaxBatchBytes))
		return
	}
	batch, err := integrity.DecodeBatch(body)
	if err != nil {
		h.fail(w, HashesPath, http.StatusBadRequest, telemetry.Malformed, err.Error())
		return
	}
	h.hashes.mu.Lock()
	before := h.hashes.ledger.Counts()
	again := h.hashes.ledger.Accept(batch, h.deps.Now())
	after := h.hashes.ledger.Counts()
	h.hashes.mu.Unlock()
	if h.deps.OnHashes != nil && (after.Swarms > before.Swarms || after.Conflicts > before.Conflicts || after.Unstable > before.Unstable) {
		h.deps.OnHashes()
	}
	if after.Conflicts > before.Conflicts || after.Unstable > before.Unstable {
		h.log.Warn("seeders were given different bytes under one number", "segment", after.Newest.ID, "infoHash", after.Newest.InfoHash,
			"seeder", batch.Seeder, "conflicts", after.Conflicts, "decidedByTheOrigin", after.Decided, "differentEachTime", after.Unstable)
	}
	h.reply(w, HashesPath, http.StatusOK, integrity.Reply{Version: integrity.Version, Boot: h.boot, Disputed: again})
}

// SeederLeft drops what the seeder with this session vouches for: viewers would wait for hashes that do not come, and take
// segments from the origin instead.
func (h *Handler) SeederLeft(session string) {
	h.hashes.mu.Lock()
	defer h.hashes.mu.Unlock()
	h.hashes.ledger.Forget(session)
}

// SegmentHashes returns what seeders say that the segment with this id is, in the form that the probe takes: the zero
// value says that the origin gives them different bytes.
func (h *Handler) SegmentHashes(infoHash string, id int64) []integrity.Hash {
	h.hashes.mu.Lock()
	defer h.hashes.mu.Unlock()
	said, known, different := h.hashes.ledger.Said(infoHash, id, h.deps.Now())
	switch {
	case different:
		return []integrity.Hash{{}}
	case known:
		return []integrity.Hash{said}
	}
	return nil
}

// hashKey is the answer to GET /v1/hashes?session=.
type hashKey struct {
	Version int    `json:"v"`
	Key     string `json:"key"` // base64 (RFC 4648 §4)
}

// How long caches may keep an answer. A list that does not have the first hash yet is asked for again within a fraction of
// a second. One that can grow is kept for the viewers of a shared cache; a browser asks for the same list again only if it
// needs more.
const (
	awaitedList = "no-store"
	growingList = "public, max-age=0, s-maxage=1"
	fullList    = "public, max-age=60"
)

// cachingOf is how long caches may keep lists.
func cachingOf(lists []integrity.List) string {
	caching := fullList
	for _, l := range lists {
		switch {
		case len(l.Hashes) == 0 || l.Hashes[0] == "":
			return awaitedList
		case !l.Full():
			caching = growingList
		}
	}
	return caching
}

// serveHashes answers ?swarm=…&after=… with the hashes of the segments behind that one, for up to integrity.MaxLists pairs,
// and ?session=… with the key that answers are signed with. Lists are the same for all viewers, so that a cache between
// them and the tracker may hand them out; the key is what keeps it honest.
func (h *Handler) serveHashes(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	if query.Has("session") {
		// An edge seeder checks what it fills from others. It has a credential of its own, and no session.
		if _, err := h.verify(query.Get("session"), h.deps.Now()); err != nil && !h.isSeeder(r) && h.joined(r).ID == "" {
			h.fail(w, HashesPath, http.StatusUnauthorized, telemetry.Unsigned, "get a session from /v1/config")
			return
		}
		h.reply(w, HashesPath, http.StatusOK, hashKey{Version: integrity.Version, Key: base64.StdEncoding.EncodeToString(h.hashes.key())})
		return
	}
	lists, err := h.lists(query)
	if err != nil {
		h.fail(w, HashesPath, http.StatusBadRequest, telemetry.Malformed, err.Error())
		return
	}
	w.Header().Set("Cache-Control", cachingOf(lists))
	h.reply(w, HashesPath, http.StatusOK, integrity.Sign(h.hashes.key(), lists))
}

// lists looks up what a query asks for.
func (h *Handler) lists(query url.Values) ([]integrity.List, error) {
	swarms, afters := query["swarm"], query["after"]
	if len(swarms) == 0 || len(swarms) > integrity.MaxLists || len(afters) != len(swarms) {
		return nil, fmt.Errorf("give 1 to %d swarms, and after for each: ?swarm=v2-…&after=41", integrity.MaxLists)
	}
	now := h.deps.Now()
	lists := make([]integrity.List, len(swarms))
	h.hashes.mu.Lock()
	defer h.hashes.mu.Unlock()
	for i, name := range swarms {
		if err := integrity.CheckName(name); err != nil {
			return nil, err
		}
		after, err := strconv.ParseInt(afters[i], 10, 64)
		if err != nil || after < -1 || after > integrity.MaxID {
			return nil, fmt.Errorf("after is %.30q; it is the id of a segment, or -1", afters[i])
		}
		lists[i] = h.hashes.ledger.List(name, infoHashes(name), after, now)
	}
	return lists, nil
}

// infoHashes are those of a stream swarm id in every generation: its text does not say which one it is. Programs that
// know the info hash give that.
func infoHashes(streamSwarmID string) []string {
	all := []string{streamSwarmID}
	for _, g := range identity.Generations() {
		if hash := string(identity.InfoHashOf(g, streamSwarmID)); !slices.Contains(all, hash) {
			all = append(all, hash)
		}
	}
	return all
}
