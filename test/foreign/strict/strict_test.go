package strict

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = 20 * time.Second

type client struct {
	t  *testing.T
	ws *websocket.Conn
}

func dial(t *testing.T, s *Server) *client {
	t.Helper()
	ws, resp, err := websocket.DefaultDialer.DialContext(t.Context(), s.URL(), nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close() // the dialer has read what it keeps
	t.Cleanup(func() { _ = ws.Close() })
	return &client{t, ws}
}

func (c *client) send(text string) {
	c.t.Helper()
	if err := c.ws.WriteMessage(websocket.TextMessage, []byte(text)); err != nil {
		c.t.Fatal(err)
	}
}

// next returns the next message, or nil when the server has closed the socket.
func (c *client) next() map[string]any {
	c.t.Helper()
	_ = c.ws.SetReadDeadline(time.Now().Add(patience)) // reading says so if this fails
	_, b, err := c.ws.ReadMessage()
	if err != nil {
		var timeout net.Error
		if errors.As(err, &timeout) && timeout.Timeout() {
			c.t.Fatal("the server neither says anything nor closes the socket")
		}
		return nil
	}
	return decode(c.t, string(b))
}

const syncHash = "are you there"

// rest returns all that the server has sent, and whether the socket is open.
func (c *client) rest() (messages []map[string]any, open bool) {
	c.t.Helper()
	_ = c.ws.WriteMessage(websocket.TextMessage, []byte(`{"action":"scrape","info_hash":"`+syncHash+`"}`)) // reading tells
	return c.all()
}

// all returns what the server sends until it closes the socket or answers rest's scrape.
func (c *client) all() (messages []map[string]any, open bool) {
	c.t.Helper()
	for {
		m := c.next()
		if m == nil {
			return messages, false
		}
		if files, ok := m["files"].(map[string]any); ok && files[syncHash] != nil {
			return messages, true
		}
		messages = append(messages, m)
	}
}

func decode(t *testing.T, text string) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		t.Fatalf("%v in %q", err, text)
	}
	return m
}

type said struct{ Socket, Raw string }

type recorded struct {
	ID, Note, Tracker string
	In                said
	Out               []said
	SocketStillOpen   bool
}

// TestVectorAsRecorded sends what was once sent to wt-tracker and expects what came of it.
func TestVectorAsRecorded(t *testing.T) {
	b, err := os.ReadFile("../../../runtime/tracker/testdata/tracker.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Cases []recorded }
	if err := json.Unmarshal(b, &file); err != nil {
		t.Fatal(err)
	}
	s := Start(t, Config{})
	sockets := map[string]*client{}
	cases := 0
	for _, one := range file.Cases {
		if one.Tracker != "wt-tracker" {
			continue
		}
		cases++
		if sockets[one.In.Socket] == nil {
			sockets[one.In.Socket] = dial(t, s)
		}
		sockets[one.In.Socket].send(one.In.Raw)
		check(t, one, sockets)
	}
	if cases < 20 {
		t.Errorf("%d recordings found", cases)
	}
}

// check compares what all sockets together got: who is offered something is left to chance, here as there.
func check(t *testing.T, one recorded, sockets map[string]*client) {
	t.Helper()
	var got, want []string
	for _, out := range one.Out {
		want = append(want, text(t, decode(t, out.Raw)))
	}
	// The sender first: once it has the reply, all others have been told.
	order := []string{one.In.Socket}
	for name := range sockets {
		if name != one.In.Socket {
			order = append(order, name)
		}
	}
	for _, name := range order {
		// What a closed socket is sent may take with it what it was to receive.
		read, wantOpen := sockets[name].rest, true
		if name == one.In.Socket && !one.SocketStillOpen {
			read, wantOpen = sockets[name].all, false
		}
		messages, open := read()
		for _, m := range messages {
			got = append(got, text(t, m))
		}
		if open != wantOpen {
			t.Errorf("%s (%s): socket %s is open: %v, want %v", one.ID, one.Note, name, open, wantOpen)
		}
		if !open {
			delete(sockets, name)
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("%s (%s): got %v, want %v", one.ID, one.Note, got, want)
	}
}

func text(t *testing.T, m map[string]any) string {
	t.Helper()
	b, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func announce(hash, id string, offers int, more string) string {
	items := make([]string, offers)
	for i := range items {
		items[i] = fmt.Sprintf(`{"offer":{"type":"offer","sdp":"v=0"},"offer_id":"%s-%d"}`, id, i)
	}
	return fmt.Sprintf(`{"action":"announce","info_hash":%q,"peer_id":%q,"numwant":%d,"offers":[%s]%s}`,
		hash, id, offers, strings.Join(items, ","), more)
}

func answer(hash, from, to string) string {
	return fmt.Sprintf(`{"action":"announce","info_hash":%q,"peer_id":%q,"to_peer_id":%q,"offer_id":"%s-0","answer":{"type":"answer","sdp":"v=0"}}`,
		hash, from, to, to)
}

// TestClosesForCause sends what the real one does not forgive, one message on one socket each.
func TestClosesForCause(t *testing.T) {
	for name, c := range map[string]struct {
		send string
		want Cause
	}{
		"bad JSON":               {`{`, BadJSON},
		"null":                   {`null`, BadJSON},
		"paused":                 {announce("h", "a", 0, `,"event":"paused"`), BadEvent},
		"empty":                  {announce("h", "a", 0, `,"event":""`), BadEvent},
		"null for an event":      {announce("h", "a", 0, `,"event":null`), BadEvent},
		"offers are null":        {`{"action":"announce","info_hash":"h","peer_id":"a","numwant":1,"offers":null}`, BadOffers},
		"an offer that is null":  {`{"action":"announce","info_hash":"h","peer_id":"a","numwant":1,"offers":[null]}`, BadOffers},
		"no action":              {`{}`, BadAction},
		"answer to a stranger":   {answer("h", "a", "z"), Departed},
		"answer in another hash": {answer("g", "a", "other"), Departed},
		"64 KiB and a byte":      {strings.Repeat(" ", 64<<10-1) + "{}", TooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			s := Start(t, Config{})
			other, me := dial(t, s), dial(t, s)
			other.send(announce("h", "other", 0, ""))
			other.rest()
			me.send(c.send)
			me.all()
			if _, open := other.rest(); !open {
				t.Error("another socket was closed")
			}
			waitFor(t, "the cause "+string(c.want), func() bool { return s.Stats().Closed[c.want] == 1 })
			if st := s.Stats(); st.ForCause() != 1 || st.Sockets != 1 {
				t.Errorf("%+v", st)
			}
		})
	}
}

// TestDepartedTakeTheAnswerersSocket is the trap itself: a client that answers an offer of a peer that has gone loses its
// socket, and with it all that was announced there.
func TestDepartedTakeTheAnswerersSocket(t *testing.T) {
	for name, leave := range map[string]func(*client){
		"closed":  func(c *client) { _ = c.ws.Close() },
		"stopped": func(c *client) { c.send(announce("h", "gone", 0, `,"event":"stopped"`)); c.rest() },
	} {
		t.Run(name, func(t *testing.T) {
			s := Start(t, Config{})
			me, gone := dial(t, s), dial(t, s)
			for _, hash := range []string{"h", "audio"} {
				me.send(announce(hash, "me-in-"+hash, 0, ""))
			}
			me.rest()
			gone.send(announce("h", "gone", 1, ""))
			if m := me.next(); m["peer_id"] != "gone" {
				t.Fatalf("relayed %v", m)
			}
			leave(gone)
			waitFor(t, "the leaver to be gone", func() bool { return s.Swarms()["h"] == 1 })
			me.send(answer("h", "me-in-h", "gone"))
			if m := me.next(); m != nil {
				t.Fatalf("answered with %v", m)
			}
			waitFor(t, "both swarms to be empty", func() bool { return len(s.Swarms()) == 0 })
			st := s.Stats()
			if st.Closed[Departed] != 1 || len(st.Late) != 1 || st.Late[0].Age <= 0 || st.Late[0].Lost != 2 {
				t.Errorf("%+v", st)
			}
		})
	}
}

// TestSilentPeersExpire waits for two intervals without an announce.
func TestSilentPeersExpire(t *testing.T) {
	s := Start(t, Config{Interval: 50 * time.Millisecond})
	c := dial(t, s)
	c.send(announce("h", "a", 0, ""))
	c.rest()
	waitFor(t, "the silent peer to expire", func() bool { return len(s.Swarms()) == 0 })
	if _, open := c.rest(); !open {
		t.Error("its socket was closed")
	}
}

// TestDownAndUp cuts all clients off, counts those that come back, and lets them in again.
func TestDownAndUp(t *testing.T) {
	s := Start(t, Config{})
	c := dial(t, s)
	s.Down()
	if c.next() != nil {
		t.Error("the socket lives on")
	}
	if _, resp, err := websocket.DefaultDialer.DialContext(t.Context(), s.URL(), nil); err == nil {
		_ = resp.Body.Close() // unwanted
		t.Error("dialing succeeded")
	}
	s.Up()
	dial(t, s).send(`{"action":"scrape"}`)
	if n := len(s.Dials()); n != 2 {
		t.Errorf("%d dials counted, want 2", n)
	}
	if st := s.Stats(); st.ForCause() != 0 {
		t.Errorf("an outage counts as cause: %v", st.Closed)
	}
}

func waitFor(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-deadline.C:
			t.Fatalf("waited in vain for %s", what)
		case <-tick.C:
		}
	}
}
