package origins

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/internal/duration"
	"github.com/p2pstream/p2pstream/runtime/loader/rendition"
	"github.com/p2pstream/p2pstream/runtime/origin"
	"github.com/p2pstream/p2pstream/runtime/seeder"
	"github.com/p2pstream/p2pstream/runtime/viewer"
	"github.com/p2pstream/p2pstream/test/lab"
	"github.com/p2pstream/p2pstream/test/lab/inprocess"
	"github.com/p2pstream/p2pstream/test/lab/seats"
)

// atOnce is how many kinds run beside each other: they mostly wait.
const atOnce = 18

// starts lets few kinds start at a time: a start takes both processors for a moment, and viewers that have to wait for them
// take from the origin what peers hold.
var starts = seats.New(1)

func TestMain(m *testing.M) {
	lab.Parallel(atOnce)
	os.Exit(lab.Main(m))
}

// TestOrigins ends each kind in right bytes from peers, or in a clear reason with P2P off.
func TestOrigins(t *testing.T) {
	t.Parallel()
	o, _ := inprocess.StartOrigin(t, lab.LoopbackAddress())
	t.Run("kinds", func(t *testing.T) { // the origin ends after all of them
		for _, r := range rows {
			t.Run(r.name, func(t *testing.T) {
				t.Parallel()
				var kind *run
				starts.Start(func() { kind = newRun(t, o, r) })
				kind.check(t)
			})
		}
	})
}

// run is one kind of origin with the programs around it.
type run struct {
	row
	began  time.Time
	start  int64 // the stream's begin, a Unix second
	stream *inprocess.Stream
	seeder *seeder.Server
	path   string
}

// paths are those of all kinds so far.
var paths taken

// taken are paths at the origin, which counts requests by their path: no two kinds may have the same.
type taken struct {
	mu    sync.Mutex
	paths map[string]bool
}

// take returns a path of its own for a kind that begins now, and the Unix second at which its stream begins: r.age ago, or
// a second or more before that while another kind has the path.
func (p *taken) take(r row, now time.Time) (path string, start int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.paths == nil {
		p.paths = map[string]bool{}
	}
	for start = now.Unix() - r.age; ; start-- {
		path = strings.NewReplacer("START", strconv.FormatInt(start, 10), "BUSY", busy(now)).Replace(r.path)
		if !p.paths[path] || !strings.Contains(r.path, "START") {
			p.paths[path] = true
			return path, start
		}
	}
}

func newRun(t *testing.T, o *origin.Server, r row) *run {
	t.Helper()
	now := time.Now()
	out := &run{row: r, began: now}
	out.path, out.start = paths.take(r, now)
	out.stream = inprocess.NewStreamOf(t, o, out.path+cmp.Or(r.manifest, "master.m3u8"), r.tracker)
	out.seeder, _ = out.stream.StartSeeder(t, func(c *seeder.Config) {
		if r.seeder != nil {
			r.seeder(c)
		}
		for name, value := range r.headers {
			c.HeadersDir = t.TempDir()
			if err := os.WriteFile(filepath.Join(c.HeadersDir, name), []byte(value), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	})
	return out
}

func (r *run) check(t *testing.T) {
	t.Helper()
	if r.reason != "" {
		r.checkRefused(t)
		return
	}
	if r.part {
		lab.Eventually(t, 30*time.Second, "the seeder to hold a part", func() bool {
			return slices.ContainsFunc(r.seeder.Engine().Status().Renditions, func(s rendition.Status) bool { return s.Held > 2 })
		})
	} else {
		r.stream.AwaitSeeded(t)
	}
	if r.join > 0 {
		lab.Eventually(t, time.Minute, "the time at which viewers join", func() bool { return time.Now().Unix() >= r.start+r.join })
	}
	v, stop := r.startViewers(t)
	report := awaitPlayed(t, max(r.play, least), cmp.Or(r.offload, leastOffload), v)
	answered := r.stream.Origin.Stats() // before viewers that stop break off what they are reading
	stop()
	r.checkBytes(t, report)
	for _, each := range report.Viewers {
		if each.Verified == 0 {
			t.Errorf("viewer %d has compared nothing", each.ID)
		}
	}
	if st := r.stream.Stats(t); st.Peerable == nil || !*st.Peerable {
		t.Errorf("not peerable: %s %s", st.Reason, st.Message)
	}
	r.checkOrigin(t, answered)
}

// patience is how much longer than it plays a viewer may take: a kind that fails must not hold up the suite.
const patience = 20 * time.Second

// awaitPlayed waits until every viewer has played that much media, and that share of all bytes came from peers. The share
// counts from the start on, when viewers take from the origin what no peer gives them in time: on a busy machine it takes
// them longer to make up for that.
func awaitPlayed(t *testing.T, media time.Duration, offload float64, v *viewer.Server) (r viewer.Report) {
	t.Helper()
	lab.Eventually(t, media+patience, "viewers to play "+media.String(), func() error {
		if r = v.Snapshot(); len(r.Viewers) < viewers {
			return fmt.Errorf("%d viewers have begun", len(r.Viewers))
		}
		for _, each := range r.Viewers {
			if each.PlayedMs < media.Milliseconds() {
				return fmt.Errorf("viewer %d has played %d ms, %d segments are wrong", each.ID, each.PlayedMs, r.Total.DigestErrors)
			}
		}
		if r.Total.Offload < offload {
			return fmt.Errorf("offload %.2f, want at least %.2f", r.Total.Offload, offload)
		}
		return nil
	})
	return r
}

// viewers is how many there are, and startsWithin is how long the next kind waits for their start at most.
const (
	viewers      = 3
	startsWithin = 2 * time.Second
)

// startViewers starts three viewers, and waits a while for each to begin.
func (r *run) startViewers(t *testing.T) (v *viewer.Server, stop func()) {
	t.Helper()
	starts.Start(func() {
		v, stop = r.stream.StartViewers(t, func(c *viewer.Config) {
			c.Count = viewers
			c.StartupWait = duration.Duration(5 * time.Second) // these tests ask whose bytes they are, not how soon they come
			if r.viewer != nil {
				r.viewer(c)
			}
		})
		// Some kinds cannot be played: that they begin is no condition here.
		_ = lab.Wait(t.Context(), startsWithin, "each viewer to begin", func() bool {
			all := v.Snapshot().Viewers
			return len(all) == viewers && !slices.ContainsFunc(all, func(each viewer.Result) bool { return each.PlayedMs == 0 })
		})
	})
	return v, stop
}

// checkRefused requires the reason, P2P off, and right bytes of viewers that join then.
func (r *run) checkRefused(t *testing.T) {
	t.Helper()
	lab.Eventually(t, 30*time.Second, "the reason "+r.reason, func() error {
		if st := r.stream.Stats(t); st.Peerable == nil || *st.Peerable || st.Reason != r.reason || st.Message == "" {
			return fmt.Errorf("peerable %v, reason %q, message %q, problem %q", deref(st.Peerable), st.Reason, st.Message, st.SourceProblem)
		}
		return nil
	})
	type core struct {
		Disabled bool `json:"isP2PDisabled"`
	}
	type config struct {
		Settings struct {
			Core struct {
				core
				Main      core `json:"mainStream"`
				Secondary core `json:"secondaryStream"`
			} `json:"core"`
		} `json:"settings"`
	}
	c := lab.Must[config](t)(lab.FetchJSON[config](context.Background(), r.stream.HTTP("/v1/config"))).Settings.Core
	off := c.Disabled || (r.track == "mainStream" && c.Main.Disabled) || (r.track == "secondaryStream" && c.Secondary.Disabled)
	if off == r.alone {
		t.Errorf("P2P is off: %v, in the settings %+v", off, c)
	}
	v, stop := r.startViewers(t)
	// What cannot be shared may still be played, from the origin. What our viewers cannot play is no wrong byte.
	err := lab.Wait(context.Background(), least+2*time.Second, "viewers to play", func() bool {
		all := v.Snapshot().Viewers
		return len(all) == viewers && all[0].PlayedMs > least.Milliseconds()
	})
	if err != nil && !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	stop()
	r.checkBytes(t, v.Snapshot())
}

func deref(b *bool) string {
	if b == nil {
		return "unknown"
	}
	return strconv.FormatBool(*b)
}

func (r *run) checkBytes(t *testing.T, report viewer.Report) {
	t.Helper()
	if report.Total.DigestErrors != 0 {
		t.Errorf("%d segments differ from the origin's", report.Total.DigestErrors)
	}
	for _, each := range report.Viewers {
		t.Logf("viewer %d: played %.1f s, %d verified, %d wrong, http %d, seeder %d, viewers %d, %d stalls", each.ID, float64(each.PlayedMs)/1000,
			each.Verified, each.DigestErrors, each.Bytes.HTTP, each.Bytes.Seeder, each.Bytes.Viewer, each.Stalls)
	}
}

// nameOnly is the name of a playlist or of a segment, and no further knobs of another kind's path.
var nameOnly = regexp.MustCompile(`^((\d+p|audio)[^/]*/)?[^/]+$`)

// checkOrigin requires that the origin was asked as often as it has to be, and no more.
func (r *run) checkOrigin(t *testing.T, answered origin.Stats) {
	t.Helper()
	seconds := int64(time.Since(r.began).Seconds())
	fetched := r.seeder.Engine().Counters().OriginRequests
	t.Logf("the seeder fetched %d segments in %d s", fetched, seconds)
	if r.fetches != nil && fetched > r.fetches(seconds) {
		t.Errorf("the seeder fetched %d segments, want at most %d", fetched, r.fetches(seconds))
	}
	var refused int64
	for path, c := range answered.Paths {
		if rest, ok := strings.CutPrefix(path, r.path); ok && nameOnly.MatchString(rest) {
			refused += c.Refused
			if c.Refused > 0 {
				t.Logf("%s was refused %d times", path, c.Refused)
			}
		}
	}
	t.Logf("the origin refused %d requests", refused)
	if r.refused >= 0 && refused > r.refused {
		t.Errorf("the origin refused %d requests, want at most %d", refused, r.refused)
	}
}
