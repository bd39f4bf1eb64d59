package shares

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"

	"github.com/gorilla/websocket"

	"github.com/p2pstream/p2pstream/runtime/signaling"
	"github.com/p2pstream/p2pstream/runtime/telemetry"
	"github.com/p2pstream/p2pstream/test/lab/peer"
)

// kinds are what attackers do, each until it is thrown out or the flood ends. They are dealt out in turn.
var kinds = []func(*flood, *attacker) error{
	(*flood).announces, (*flood).comesAndGoes, (*flood).asksForeignSwarms, (*flood).reports, (*flood).sendsGarbage,
	(*flood).endsNoMessage, (*flood).readsNothing, (*flood).requests, (*flood).opensHalf, (*flood).saysNothing,
}

// announces sends ten offers with each announce.
func (f *flood) announces(a *attacker) error {
	return f.sends(a, false, announce(f.Own[0], peer.NewID(), 10, signaling.EventNone))
}

// comesAndGoes offers to all members anew, under a new name each time.
func (f *flood) comesAndGoes(a *attacker) error {
	var all [][]byte
	for i := range 20 {
		id := peer.NewID()
		hash := f.Own[i%len(f.Own)]
		all = append(all, announce(hash, id, 10, signaling.EventNone), announce(hash, id, 0, signaling.EventStopped))
	}
	return f.sends(a, false, all...)
}

// asksForeignSwarms announces in the swarms of the calm stream, and in swarms that no stream has.
func (f *flood) asksForeignSwarms(a *attacker) error {
	id := peer.NewID()
	return f.sends(a, false, announce(f.Foreign[a.number%len(f.Foreign)], id, 10, signaling.EventNone), announce(peer.NewID(), id, 10, signaling.EventNone),
		signaling.AppendScrape(nil, f.Foreign...))
}

// reports claims to have received much, in reports of its own session and of none.
func (f *flood) reports(a *attacker) error {
	ticket, err := f.ticket(a)
	if err != nil {
		return err
	}
	var all [][]byte
	for i := range 10 {
		all = append(all, telemetry.FrameReport(report(ticket, i)))
	}
	return f.sends(a, false, append(all, telemetry.FrameReport([]byte(`{"v":1,"session":"x"}`)))...)
}

func report(ticket string, sequence int) []byte {
	return fmt.Appendf(nil, `{"v":1,"session":%q,"sequence":%d,"role":"viewer","counters":{"http":%d,"seeder":0,"viewer":0,"discarded":0,"uploaded":0},`+
		`"peers":0,"stalls":9,"stallMs":9000,"startupMs":1}`, ticket, sequence+1, (sequence+1)*1000)
}

// sendsGarbage sends what is no message, and then what is no frame.
func (f *flood) sendsGarbage(a *attacker) error {
	ws, err := f.open(a, false)
	if err != nil {
		return err
	}
	defer func() { _ = ws.Close() }()
	f.ready()
	for _, text := range []string{"", "null", `{"action":`, `{"action":"announce","info_hash":7}`, "\xff\xfe", strings.Repeat("[", 2000)} {
		if err := ws.WriteMessage(websocket.TextMessage, []byte(text)); err != nil {
			return err
		}
		f.wait(a)
	}
	_, err = ws.NetConn().Write([]byte("no frame at all, but long enough to be read as one"))
	return err
}

// endsNoMessage holds memory of the tracker with a message that never ends.
func (f *flood) endsNoMessage(a *attacker) error {
	ws, err := f.open(a, true)
	if err != nil {
		return err
	}
	defer func() { _ = ws.Close() }()
	f.ready()
	w, err := ws.NextWriter(websocket.TextMessage)
	if err != nil {
		return err
	}
	for range 60 {
		if _, err := w.Write(make([]byte, 1000)); err != nil {
			return err
		}
	}
	_, _ = io.Copy(io.Discard, ws.NetConn()) // until it is closed
	return nil
}

// readsNothing asks for answers that it leaves in the tracker's queues.
func (f *flood) readsNothing(a *attacker) error {
	return f.sends(a, true, signaling.AppendScrape(nil, f.Own...), announce(f.Own[0], peer.NewID(), 0, signaling.EventNone))
}

// requests asks for settings and sends reports, without a socket.
func (f *flood) requests(a *attacker) error {
	ticket, err := f.ticket(a)
	if err != nil {
		return err
	}
	client := f.client(a)
	defer client.CloseIdleConnections()
	f.ready()
	for f.wait(a) {
		for _, do := range []func() (*http.Response, error){
			func() (*http.Response, error) { return client.Get(f.url("/v1/config")) },
			func() (*http.Response, error) { return client.Get(f.url("/v1/hashes")) },
			func() (*http.Response, error) {
				return client.Post(f.url("/v1/telemetry"), "application/json", strings.NewReader(string(report(ticket, 1))))
			},
		} {
			resp, err := do()
			if err != nil {
				return err
			}
			_, _ = io.Copy(io.Discard, resp.Body) // so that the connection is used again
			_ = resp.Body.Close()
		}
	}
	return nil
}

// opensHalf begins a request that it never ends.
func (f *flood) opensHalf(a *attacker) error {
	c, err := f.dial(a)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	_, err = io.WriteString(c, "GET "+flooded+"/announce HTTP/1.1\r\nHost: "+f.Listen+"\r\nUpgrade: webs")
	_, _ = io.Copy(io.Discard, c) // until it is closed
	return err
}

// saysNothing opens a socket, and that is all.
func (f *flood) saysNothing(a *attacker) error {
	ws, err := f.open(a, true)
	if err != nil {
		return err
	}
	defer func() { _ = ws.Close() }()
	f.ready()
	_, _ = io.Copy(io.Discard, ws.NetConn()) // until it is closed
	return nil
}

func announce(hash, id signaling.ID, offers int, event signaling.Event) []byte {
	return signaling.AppendAnnounce(nil, signaling.Announce{InfoHash: hash, PeerID: id, NumWant: offers, Offers: peer.Offers(offers), Event: event})
}

// sends has an attacker send messages over and over, on a socket of its own.
func (f *flood) sends(a *attacker, deaf bool, messages ...[]byte) error {
	ws, err := f.open(a, deaf)
	if err != nil {
		return err
	}
	defer func() { _ = ws.Close() }()
	f.ready()
	for sent := 0; f.wait(a); {
		var all []byte
		for range burst {
			all = append(all, frame(messages[sent%len(messages)])...)
			sent++
		}
		if _, err := ws.NetConn().Write(all); err != nil {
			return err
		}
	}
	return nil
}

// frame is a text message in a frame of RFC 6455, with a mask of zeros.
func frame(payload []byte) []byte {
	const finText, masked, long = 0x81, 0x80, 126
	b := []byte{finText, masked | byte(len(payload))}
	if len(payload) >= long {
		b = binary.BigEndian.AppendUint16([]byte{finText, masked | long}, uint16(len(payload))) // below 64 KiB
	}
	return append(append(b, 0, 0, 0, 0), payload...)
}

// dial connects from the attacker's address until the flood is over.
func (f *flood) dial(a *attacker) (net.Conn, error) {
	c, err := a.dialer.DialContext(f.ctx, "tcp", f.Listen)
	if err != nil {
		return nil, err
	}
	context.AfterFunc(f.ctx, func() { _ = c.Close() }) // a write may wait for ever
	return c, nil
}

// page is the web origin of attackers. Programs can send any.
var page = http.Header{"Origin": {"https://intranet.example.com"}}

// client asks from the attacker's address.
func (f *flood) client(a *attacker) *http.Client {
	return &http.Client{Transport: &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return f.dial(a) }}}
}

func (f *flood) url(path string) string { return "http://" + f.Listen + flooded + path }

// open opens a socket with the ticket of a session. What comes is read and dropped, unless the attacker is deaf.
func (f *flood) open(a *attacker, deaf bool) (*websocket.Conn, error) {
	ticket, err := f.ticket(a)
	if err != nil {
		return nil, err
	}
	d := websocket.Dialer{ReadBufferSize: 512, WriteBufferSize: 512,
		NetDialContext: func(context.Context, string, string) (net.Conn, error) { return f.dial(a) }}
	ws, resp, err := d.DialContext(f.ctx, "ws://"+f.Listen+flooded+"/announce?t="+ticket, page)
	if resp != nil {
		_ = resp.Body.Close() // it says no more than the status
	}
	if err != nil {
		return nil, err
	}
	if !deaf {
		f.all.Go(func() {
			_, _ = io.Copy(io.Discard, ws.NetConn()) // until it is closed
			_ = ws.Close()
		})
	}
	return ws, nil
}

// session is the ticket that some attackers share: as many as may, so that they need fewer requests to come.
type session struct {
	mu     sync.Mutex
	ticket string
}

// attackersPerSession is below limits.socketsPerTicket.
const attackersPerSession = 50

// ticket asks for settings as a page does, if no attacker of the session has.
func (f *flood) ticket(a *attacker) (string, error) {
	s := &f.sessions[a.number%len(f.sessions)]
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ticket != "" {
		return s.ticket, nil
	}
	client := f.client(a)
	defer client.CloseIdleConnections()
	r, err := http.NewRequestWithContext(f.ctx, http.MethodGet, f.url("/v1/config"), nil)
	if err != nil {
		return "", err
	}
	r.Header = page
	resp, err := client.Do(r)
	if err != nil {
		return "", err
	}
	defer func() { _ = resp.Body.Close() }()
	var cfg struct {
		Telemetry struct{ Session string }
	}
	if err := json.NewDecoder(resp.Body).Decode(&cfg); err != nil {
		return "", err
	}
	s.ticket = cfg.Telemetry.Session
	return s.ticket, nil
}
