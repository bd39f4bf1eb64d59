package viewerapi

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/integrity"
	"github.com/p2pstream/p2pstream/runtime/loader/identity"
)

const streamSwarm = "v2-event-main-UYnLxGhQilEV4D0HbCx+kRv0ZF0="

// batch is what a seeder says of segments first to last.
func batch(seeder string, g identity.Generation, first, last int64, salt string) string {
	b := integrity.Batch{Version: 1, Seeder: seeder, Swarms: []integrity.Swarm{{
		InfoHash: string(identity.InfoHashOf(g, streamSwarm)), Covers: &integrity.Span{From: first, To: integrity.MaxID},
	}}}
	for id := first; id <= last; id++ {
		b.Swarms[0].Segments = append(b.Swarms[0].Segments, integrity.Segment{ID: id, Hash: integrity.Of([]byte(fmt.Sprint(id, salt)))})
	}
	body, err := json.Marshal(b)
	if err != nil {
		panic(err) // it can be marshaled
	}
	return string(body)
}

func listsOf(after int64, swarms ...string) string {
	q := url.Values{}
	for _, s := range swarms {
		q.Add("swarm", s)
		q.Add("after", fmt.Sprint(after))
	}
	return HashesPath + "?" + q.Encode()
}

func (r *rig) key() []byte {
	r.t.Helper()
	k := get[hashKey](r, HashesPath+"?session="+r.session())
	key, err := base64.StdEncoding.DecodeString(k.Key)
	if err != nil || len(key) != 32 {
		r.t.Fatalf("%+v, %v", k, err)
	}
	return key
}

// lists gets and checks an answer.
func (r *rig) lists(path string) (integrity.Answer, *httptest.ResponseRecorder) {
	r.t.Helper()
	w := r.do("GET", path, "")
	a, err := integrity.DecodeAnswer(r.key(), w.Body.Bytes())
	if w.Code != http.StatusOK || err != nil {
		r.t.Fatalf("GET %s: %d, %v: %s", path, w.Code, err, w.Body)
	}
	return a, w
}

func TestHashesFromSeedersToViewers(t *testing.T) {
	r := newRig(t, Config{})
	for _, g := range identity.Generations() {
		if w := r.do("POST", HashesPath, batch("seeder-0", g, 100, 109, ""), "Authorization", "Bearer secret"); w.Code != http.StatusOK {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
	}
	a, w := r.lists(listsOf(107, streamSwarm, "v2-other-main-0"))
	if l := a.Lists[0]; len(l.Hashes) != 2 || l.Hashes[0] != integrity.Of([]byte("108")).String() || !l.Covers(110) || l.Covers(99) {
		t.Errorf("%+v", l)
	}
	if l := a.Lists[1]; len(l.Hashes) != 0 || l.Covers(108) {
		t.Errorf("of another swarm: %+v", l)
	}
	if got := w.Header().Get("Cache-Control"); got != awaitedList {
		t.Errorf("a list without the hash that is asked for: %s", got)
	}
	if _, w := r.lists(listsOf(107, streamSwarm)); w.Header().Get("Cache-Control") != growingList {
		t.Errorf("a list that grows: %s", w.Header().Get("Cache-Control"))
	}
	// Programs ask with the info hash.
	if a, _ := r.lists(listsOf(108, string(identity.InfoHashOf(identity.V23, streamSwarm)))); len(a.Lists[0].Hashes) != 1 {
		t.Errorf("%+v", a)
	}
	r.do("POST", HashesPath, batch("seeder-0", identity.V22, 110, 250, ""), "Authorization", "Bearer secret")
	if _, w := r.lists(listsOf(110, streamSwarm)); w.Header().Get("Cache-Control") != fullList {
		t.Errorf("a list that does not change: %s", w.Header().Get("Cache-Control"))
	}
	// The other generation has ten; those below 110 are what the playlist has left behind.
	if st := get[Stats](r, "/v1/stats"); st.Integrity == nil || st.Integrity.Hashes != 151 || st.Integrity.Differs {
		t.Errorf("%+v", st.Integrity)
	}
}

func TestRequestsForHashesAreChecked(t *testing.T) {
	r := newRig(t, Config{})
	good := batch("seeder-0", identity.V23, 1, 2, "")
	for name, tt := range map[string]struct {
		method, path, body, token string
		want                      int
	}{
		"no token":        {"POST", HashesPath, good, "", 401},
		"another token":   {"POST", HashesPath, good, "Bearer x", 401},
		"no batch":        {"POST", HashesPath, "{}", "Bearer secret", 400},
		"too large":       {"POST", HashesPath, strings.Repeat(" ", integrity.MaxBatchBytes+1), "Bearer secret", 413},
		"nothing asked":   {"GET", HashesPath, "", "", 400},
		"too many":        {"GET", listsOf(1, "a", "b", "c", "d", "e"), "", "", 400},
		"no after":        {"GET", HashesPath + "?swarm=a", "", "", 400},
		"after is text":   {"GET", HashesPath + "?swarm=a&after=x", "", "", 400},
		"after too low":   {"GET", listsOf(-2, "a"), "", "", 400},
		"after too high":  {"GET", listsOf(1<<60, "a"), "", "", 400},
		"no name":         {"GET", listsOf(1, ""), "", "", 400},
		"long name":       {"GET", listsOf(1, strings.Repeat("a", 1025)), "", "", 400},
		"line feeds":      {"GET", listsOf(1, "a\nb"), "", "", 400},
		"another session": {"GET", HashesPath + "?session=x", "", "", 401},
		"another method":  {"PUT", HashesPath, "", "", 405},
	} {
		if w := r.do(tt.method, tt.path, tt.body, "Authorization", tt.token); w.Code != tt.want || w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d, want %d: %s", name, w.Code, tt.want, w.Body)
		}
	}
	open := newRig(t, Config{})
	open.deps.SeederToken = func() string { return "" }
	if w := open.do("POST", HashesPath, good, "Authorization", "Bearer "); w.Code != 401 {
		t.Errorf("a tracker without a token took hashes: %d", w.Code)
	}
}

// TestStreamIsFlaggedWhenSeedersDiffer: what the origin gave them differs, too, when they ask once more.
func TestStreamIsFlaggedWhenSeedersDiffer(t *testing.T) {
	r := newRig(t, Config{})
	post := func(seeder, salt string, again bool) integrity.Reply {
		body := batch(seeder, identity.V23, 7, 7, salt)
		if again {
			body = strings.Replace(body, `"id":7`, `"again":true,"id":7`, 1)
		}
		w := r.do("POST", HashesPath, body, "Authorization", "Bearer secret")
		reply, err := integrity.DecodeReply(w.Body.Bytes())
		if err != nil || w.Code != http.StatusOK || reply.Boot != r.Boot() {
			t.Fatalf("%d %s, %v", w.Code, w.Body, err)
		}
		return reply
	}
	post("one", "a", false)
	if reply := post("two", "b", false); len(reply.Disputed) != 1 || reply.Disputed[0].ID != 7 {
		t.Fatalf("%+v", reply)
	}
	if st := get[Stats](r, "/v1/stats"); st.Integrity == nil || !st.Integrity.Differs || st.Integrity.Disputed != 1 {
		t.Errorf("%+v", st.Integrity)
	}
	if a, _ := r.lists(listsOf(6, streamSwarm)); a.Lists[0].Hashes[0] != "" {
		t.Errorf("%+v", a)
	}
	post("one", "a", true)
	post("two", "a", true)
	r.now = r.now.Add(time.Second)
	if st := get[Stats](r, "/v1/stats"); !st.Integrity.Differs || st.Integrity.Decided != 1 || st.Integrity.Disputed != 0 || st.Integrity.Unstable != 0 {
		t.Errorf("%+v", st.Integrity)
	}
}

// TestHashesCostLittle: a page asks once for each segment of two seconds, of video and audio together.
func TestHashesCostLittle(t *testing.T) {
	r := newRig(t, Config{})
	r.do("POST", HashesPath, batch("seeder-0", identity.V23, 1, 5, ""), "Authorization", "Bearer secret")
	server := httptest.NewServer(r)
	defer server.Close()
	resp, err := http.Get(server.URL + listsOf(4, streamSwarm, "v2-event-secondary-UYnLxGhQilEV4D0HbCx+kRv0ZF0="))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var b strings.Builder
	if err := resp.Write(&b); err != nil {
		t.Fatal(err)
	}
	const perSecond, segmentSeconds = 1000, 2
	t.Logf("%d bytes with headers, %d B/s", b.Len(), b.Len()/segmentSeconds)
	if b.Len() > perSecond*segmentSeconds/2 {
		t.Errorf("an answer has %d bytes: %s", b.Len(), b.String())
	}
}

// TestWrongSegmentsAreReported: what pages count is in the sums and in the metrics.
func TestWrongSegmentsAreReported(t *testing.T) {
	r := newRig(t, Config{})
	session := r.session()
	for i, checks := range []string{`{"right":5,"wrong":1,"unknown":2}`, `{"right":9,"wrong":2,"unknown":2,"unproven":1}`} {
		body := strings.Replace(report(session, int64(i+1), 1000, 1000), `"peers"`, `"checks":`+checks+`,"peers"`, 1)
		if w := r.do("POST", "/v1/telemetry", body); w.Code != http.StatusOK {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		r.now = r.now.Add(5 * time.Second)
	}
	st := get[Stats](r, "/v1/stats")
	if st.Integrity == nil || st.Integrity.Checks.Right != 9 || st.Integrity.Checks.Wrong != 2 || st.Integrity.Checks.Unproven != 1 || st.Integrity.Differs {
		t.Errorf("%+v", st.Integrity)
	}
	if len(st.Groups) != 1 || st.Groups[0].Checks.Wrong != 2 {
		t.Errorf("%+v", st.Groups)
	}
	for _, bad := range []string{`{"right":-1}`, `{"wrong":99999999999}`} {
		body := strings.Replace(report(session, 9, 1000, 1000), `"peers"`, `"checks":`+bad+`,"peers"`, 1)
		if w := r.do("POST", "/v1/telemetry", body); w.Code != http.StatusBadRequest {
			t.Errorf("%s: %d", bad, w.Code)
		}
	}
}
