package tracker

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

const (
	streamURL = "http://127.0.0.1:1/m.m3u8"
	someKey   = "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk"
)

// opens tells whether a WebSocket opens with a ticket.
func opens(t *testing.T, s *Server, ticket string) bool {
	t.Helper()
	ws, resp, err := websocket.DefaultDialer.Dial("ws://"+s.Addr().String()+"/announce?t="+ticket, nil)
	if resp != nil {
		_ = resp.Body.Close()
	}
	if err == nil {
		_ = ws.Close()
	}
	return err == nil
}

// TestTicketsOutliveTrackers: a restart and a rotated key refuse no page.
func TestTicketsOutliveTrackers(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	token, created := write("token", "first-token\n"), filepath.Join(dir, "created")
	for name, cfg := range map[string]Config{
		"seeder token": {SeederTokenFile: token}, "key": {SessionKey: someKey}, "key file": {SessionKeyFile: created},
	} {
		cfg.Stream = &StreamConfig{SourceURL: streamURL}
		first, second := running(t, cfg), running(t, cfg)
		if ticket := ticketOf(t, first); !opens(t, first, ticket) || !opens(t, second, ticket) {
			t.Errorf("%s: a ticket of one tracker is refused by another one", name)
		}
	}
	if info, err := os.Lstat(created); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the created file: %v %v", info, err)
	}
	cfg := Config{SeederTokenFile: token, Stream: &StreamConfig{SourceURL: streamURL}}
	s := running(t, cfg)
	old := ticketOf(t, s)
	write("token", "second-token\n")
	s.token.Check()
	if !opens(t, s, old) || !opens(t, s, ticketOf(t, s)) {
		t.Error("the running tracker refuses a ticket of the key before")
	}
	write("token", "second-token\nfirst-token\n")
	if restarted := running(t, cfg); !opens(t, restarted, old) || !opens(t, restarted, ticketOf(t, s)) {
		t.Error("with both keys in the file, a restarted tracker refuses a ticket")
	}
	write("token", "second-token\n")
	if restarted := running(t, cfg); opens(t, restarted, old) {
		t.Error("a key that is not in the file opens a restarted tracker")
	}
	if _, err := New(Config{SessionKeyFile: write("bad", "short\n"), Stream: cfg.Stream}, nil, nil); err == nil || !strings.Contains(err.Error(), "at least") {
		t.Errorf("a short key: %v", err)
	}
}

// TestSocketsOfATicket: one ticket opens a bounded number of sockets.
func TestSocketsOfATicket(t *testing.T) {
	s := running(t, Config{SessionKey: someKey, Limits: LimitsConfig{SocketsPerTicket: 2}, Stream: &StreamConfig{SourceURL: streamURL}})
	ticket := ticketOf(t, s)
	dial(t, s, nil, "?t="+ticket)
	second := dial(t, s, nil, "?t="+ticket)
	eventually(t, "both to be counted", func() bool { return !opens(t, s, ticket) })
	if !opens(t, s, ticketOf(t, s)) {
		t.Error("another ticket is refused")
	}
	_ = second.ws.Close()
	eventually(t, "room for another one", func() bool { return opens(t, s, ticket) })
}

// TestOptionalTickets: where the operator says so, sockets need none, but what is presented must be genuine.
func TestOptionalTickets(t *testing.T) {
	s := running(t, Config{SessionKey: someKey, Stream: &StreamConfig{SourceURL: streamURL, Tickets: TicketsConfig{Optional: true}}, AllowNoOrigin: true})
	if !opens(t, s, "") || !opens(t, s, ticketOf(t, s)) || opens(t, s, "x"+ticketOf(t, s)[1:]) {
		t.Error("optional tickets")
	}
}

// TestExpiredTickets are refused as such.
func TestExpiredTickets(t *testing.T) {
	s := running(t, Config{SessionKey: someKey, Stream: &StreamConfig{SourceURL: streamURL}})
	old, err := s.keys.current().Issue(s.streams.only.viewers.Stream(), "", time.Hour, time.Now().Add(-2*time.Hour), strings.NewReader(strings.Repeat("r", 100)))
	if err != nil {
		t.Fatal(err)
	}
	if opens(t, s, old) || counter(t, s, "p2pstream_tracker_sockets_refused_total", "limit", "expired_ticket") != 1 {
		t.Error("an expired ticket is not refused as such")
	}
}
