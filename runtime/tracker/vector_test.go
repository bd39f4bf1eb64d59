package tracker

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/p2pstream/p2pstream/runtime/tracker/sockets"
)

type vectorCase struct {
	ID, Kind, Note, Tracker string
	In                      struct{ Socket, Raw string }
	Out                     []struct{ Socket, Raw string }
	SocketStillOpen         *bool
}

// fakeConn is a socket that keeps what it is sent.
type fakeConn struct {
	name   string
	mu     sync.Mutex
	sent   []string
	closed bool
}

func (c *fakeConn) Send(b []byte) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sent = append(c.sent, string(b))
	return true
}
func (c *fakeConn) Probe() {}
func (c *fakeConn) Close(sockets.Reason) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
}

// take empties the inbox.
func (c *fakeConn) take() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	sent := c.sent
	c.sent = nil
	return sent
}

// TestVectorTracker replays every message that was sent to the recorded trackers and compares what ours sends
// because of it. Each discrepancy must be explained by a row of the table of differences.
func TestVectorTracker(t *testing.T) {
	dir, own := os.Getenv("P2PSTREAM_VECTORS"), false
	if dir == "" {
		dir, own = "testdata", true
	}
	b, err := os.ReadFile(filepath.Join(dir, "tracker.json"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Cases []vectorCase }
	if err := json.Unmarshal(b, &file); err != nil {
		t.Fatal(err)
	}
	used := map[string]int{}
	replays := map[string]*replay{}
	for _, c := range file.Cases {
		if c.Kind != "raw" {
			continue // transcripts of clients are package signaling's
		}
		t.Run(c.ID, func(t *testing.T) {
			r := replays[c.Tracker]
			if r == nil {
				r = newReplay(t)
				replays[c.Tracker] = r
			}
			for _, d := range r.play(t, c) {
				i := slices.IndexFunc(differences, func(row difference) bool { return slices.Contains(row.kinds, d.kind) && row.where(d) })
				if i < 0 {
					t.Errorf("not in the table of differences: %+v", d)
					continue
				}
				used[differences[i].name]++
			}
		})
	}
	for _, r := range replays {
		r.stop()
	}
	for _, row := range differences {
		if own && used[row.name] == 0 {
			t.Errorf("nothing differs any more by %q", row.name)
		}
	}
}

// replay is our tracker, without network, playing one recorded tracker's part.
type replay struct {
	hub      *hub
	stop     func()
	conns    map[string]*fakeConn
	sessions map[string]sockets.Session
	last     string // the socket of the case before

	users  map[string]map[string]bool   // swarm and peer id → live sockets that announced it
	met    map[string]bool              // swarm and two peer ids
	gone   map[string]bool              // sockets that have closed
	swarms map[string]map[string]bool   // socket → swarms it announced
	ids    map[string]map[string]string // swarm → socket → last peer id
	differ map[string]bool              // swarms whose members are not the recorded ones
}

func newReplay(t *testing.T) *replay {
	t.Helper()
	cfg := Config{Shards: 2}.WithDefaults(1)
	h, err := newHub(cfg, prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	return &replay{hub: h, stop: h.start(), conns: map[string]*fakeConn{}, sessions: map[string]sockets.Session{},
		users: map[string]map[string]bool{}, met: map[string]bool{}, gone: map[string]bool{}, swarms: map[string]map[string]bool{},
		ids: map[string]map[string]string{}, differ: map[string]bool{}}
}

// message is one message in generic form.
type message map[string]any

func decode(t *testing.T, raw string) message {
	t.Helper()
	var m message
	if json.Unmarshal([]byte(raw), &m) != nil {
		return message{}
	}
	return m
}

func (m message) text(key string) string { s, _ := m[key].(string); return s }

func (m message) kind() string {
	for _, k := range []string{"failure reason", "offer", "answer", "files"} {
		if m[k] != nil {
			return k
		}
	}
	return "reply"
}

func goodID(s string) bool {
	return len([]rune(s)) == 20 && !strings.ContainsFunc(s, func(r rune) bool { return r > 255 })
}

func (r *replay) play(t *testing.T, c vectorCase) []discrepancy {
	t.Helper()
	if strings.Contains(c.Note, "after that socket closed") {
		r.close(r.last)
	}
	r.last = c.In.Socket
	in := decode(t, c.In.Raw)
	hash, id := in.text("info_hash"), in.text("peer_id")
	n, isNumber := in["numwant"].(float64)
	d := discrepancy{tracker: c.Tracker, closes: c.SocketStillOpen != nil && !*c.SocketStillOpen, stopped: in.text("event") == "stopped",
		badID:  !goodID(hash) || in.text("action") == "announce" && !goodID(id),
		noWish: !isNumber || n != float64(int(n)), scrapeAll: in.text("action") == "scrape" && in["info_hash"] == nil}
	if in.text("action") == "scrape" {
		d.badID = false
	}
	key := hash + id
	if id != "" {
		if r.users[key] == nil {
			r.users[key] = map[string]bool{}
		}
		r.users[key][c.In.Socket] = true
		if len(r.users[key]) > 1 {
			d.conflict = true
			r.differ[hash] = true
		}
		if r.swarms[c.In.Socket] == nil {
			r.swarms[c.In.Socket] = map[string]bool{}
		}
		r.swarms[c.In.Socket][hash] = true
		if r.ids[hash] == nil {
			r.ids[hash] = map[string]string{}
		}
		r.ids[hash][c.In.Socket] = id
	}
	ours := r.send(t, c.In.Socket, c.In.Raw)
	theirs := map[string][]message{}
	for _, o := range c.Out {
		theirs[o.Socket] = append(theirs[o.Socket], decode(t, o.Raw))
	}
	found := r.compare(t, c, d, in, ours, theirs)
	if d.closes {
		if r.conns[c.In.Socket].closed {
			t.Error("our tracker closed the socket")
		}
		found = append(found, with(d, kindSocket))
		for swarm := range r.swarms[c.In.Socket] {
			r.differ[swarm] = true
		}
	}
	if d.badID {
		r.differ[hash] = true
	}
	return found
}

func with(d discrepancy, kind string) discrepancy { d.kind = kind; return d }

// send hands a message to our tracker and returns what came of it, by socket.
func (r *replay) send(t *testing.T, socket, raw string) map[string][]message {
	t.Helper()
	if r.sessions[socket] == nil {
		r.conns[socket] = &fakeConn{name: socket}
		r.sessions[socket] = r.hub.Open(r.conns[socket], sockets.Client{})
	}
	r.sessions[socket].Message(&sockets.Message{Bytes: []byte(raw)})
	r.hub.barrier()
	out := map[string][]message{}
	for name, conn := range r.conns {
		for _, raw := range conn.take() {
			if !json.Valid([]byte(raw)) {
				t.Fatalf("not JSON: %s", raw)
			}
			out[name] = append(out[name], decode(t, raw))
		}
	}
	return out
}

func (r *replay) close(socket string) {
	r.sessions[socket].Closed()
	r.hub.barrier()
	delete(r.sessions, socket)
	r.gone[socket] = true
	for swarm := range r.swarms[socket] {
		r.differ[swarm] = true
	}
	for _, sockets := range r.users {
		delete(sockets, socket)
	}
}

// compare finds all discrepancies of one case.
func (r *replay) compare(t *testing.T, c vectorCase, d discrepancy, in message, ours, theirs map[string][]message) (found []discrepancy) {
	t.Helper()
	hash := in.text("info_hash")
	first := func(all []message, kind string) message {
		if i := slices.IndexFunc(all, func(m message) bool { return m.kind() == kind }); i >= 0 {
			return all[i]
		}
		return nil
	}
	mine, recorded := ours[c.In.Socket], theirs[c.In.Socket]
	d.membersDiffer = r.differ[hash]
	switch a, b := first(mine, "reply"), first(recorded, "reply"); {
	case a == nil && b != nil:
		found = append(found, with(d, kindReplyMissing))
	case a != nil && b == nil:
		found = append(found, with(d, kindReplyExtra))
	case a != nil:
		if a["interval"] != b["interval"] {
			found = append(found, with(d, kindInterval))
		}
		if a["complete"] != b["complete"] || a["incomplete"] != b["incomplete"] {
			found = append(found, with(d, kindCounts))
		}
		if a["info_hash"] != b["info_hash"] || a["action"] != b["action"] {
			t.Errorf("replies %v and %v", a, b)
		}
	}
	switch a, b := first(mine, "failure reason"), first(recorded, "failure reason"); {
	case a != nil && a["action"] == nil:
		t.Errorf("failure without action: %v", a)
	case a == nil && b != nil:
		t.Errorf("no failure, recorded %v", b)
	case a != nil && b == nil:
		d.reason = a.text("failure reason")
		found = append(found, with(d, kindFailureExtra))
	case a != nil:
		d.reason = b.text("failure reason")
		d.theirsLackActionHash = b["action"] == nil || b["info_hash"] == nil
		if a["action"] != b["action"] || a["info_hash"] != b["info_hash"] {
			found = append(found, with(d, kindFailureFields))
		}
		if a.text("failure reason") != d.reason {
			found = append(found, with(d, kindFailureText))
		}
	}
	if a, b := first(mine, "files"), first(recorded, "files"); a != nil || b != nil {
		files, want := a["files"].(map[string]any), b["files"].(map[string]any)
		for swarm := range want {
			d.membersDiffer = r.differ[swarm]
			if !cmp.Equal(files[swarm], want[swarm]) {
				found = append(found, with(d, kindFiles))
			}
		}
		if len(files) != len(want) {
			t.Errorf("scrape tells of %v, recorded %v", files, want)
		}
	}
	found = append(found, r.compareOffers(t, c, d, in, ours, theirs)...)
	return append(found, r.compareAnswers(t, d, ours, theirs)...)
}

// compareOffers compares who got offers. Which of the offers goes to whom is the tracker's choice.
func (r *replay) compareOffers(t *testing.T, c vectorCase, d discrepancy, in message, ours, theirs map[string][]message) (found []discrepancy) {
	t.Helper()
	sent := map[string]any{}
	items, _ := in["offers"].([]any)
	for _, item := range items {
		if m, ok := item.(map[string]any); ok {
			sent[message(m).text("offer_id")] = m["offer"]
		}
	}
	offers := func(all []message) (n int) {
		for _, m := range all {
			if m.kind() == "offer" {
				n++
			}
		}
		return n
	}
	hash := in.text("info_hash")
	pair := func(socket string) string {
		ids := []string{in.text("peer_id"), r.ids[hash][socket]}
		slices.Sort(ids)
		return hash + strings.Join(ids, "")
	}
	sockets := map[string]bool{}
	for name := range ours {
		sockets[name] = true
	}
	for name := range theirs {
		sockets[name] = true
	}
	var metNow []string
	for name := range sockets {
		d := d
		d.met, d.recipientGone = r.met[pair(name)], r.gone[name]
		d.conflict = d.conflict || len(r.users[hash+r.ids[hash][name]]) > 1
		for range max(0, offers(theirs[name])-offers(ours[name])) {
			found = append(found, with(d, kindOfferMissing))
		}
		for range max(0, offers(ours[name])-offers(theirs[name])) {
			found = append(found, with(d, kindOfferExtra))
		}
		for _, m := range ours[name] {
			if m.kind() != "offer" {
				continue
			}
			metNow = append(metNow, pair(name))
			original, _ := sent[m.text("offer_id")].(map[string]any)
			delete(sent, m.text("offer_id"))
			want := message{"action": "announce", "info_hash": in["info_hash"], "peer_id": in["peer_id"], "offer_id": m["offer_id"],
				"offer": map[string]any{"type": "offer", "sdp": original["sdp"]}}
			if diff := cmp.Diff(want, m); diff != "" || name == c.In.Socket || original == nil {
				t.Errorf("offer to %s: %s", name, diff)
			}
		}
	}
	for _, p := range metNow {
		r.met[p] = true
	}
	return found
}

func (r *replay) compareAnswers(t *testing.T, d discrepancy, ours, theirs map[string][]message) (found []discrepancy) {
	t.Helper()
	for name, all := range theirs {
		for _, want := range all {
			if want.kind() != "answer" {
				continue
			}
			i := slices.IndexFunc(ours[name], func(m message) bool { return m.kind() == "answer" && m["offer_id"] == want["offer_id"] })
			if i < 0 {
				found = append(found, with(d, kindAnswerMissing))
				continue
			}
			got := ours[name][i]
			if cmp.Equal(got, want) {
				continue
			}
			answer, _ := want["answer"].(map[string]any)
			d.theirsHaveExtras = len(want) > len(got) || len(answer) > 2
			found = append(found, with(d, kindAnswerFields))
			for key := range got {
				if key != "answer" && got[key] != want[key] {
					t.Errorf("answer: %s is %v, recorded %v", key, got[key], want[key])
				}
			}
		}
	}
	for name, all := range ours {
		for _, m := range all {
			if m.kind() == "answer" && !slices.ContainsFunc(theirs[name], func(w message) bool { return w["offer_id"] == m["offer_id"] }) {
				t.Errorf("answer to %s that was not recorded", name)
			}
		}
	}
	return found
}
