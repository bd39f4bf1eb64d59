package browser

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// bidi is a session of WebDriver BiDi (https://www.w3.org/TR/webdriver-bidi/): commands by JSON through a WebSocket, whose
// results come in any order. No event is subscribed to.
type bidi struct {
	socket *websocket.Conn
	done   chan struct{} // closed when the session has ended
	err    error         // why; may be read once done is closed

	writing sync.Mutex

	mu      sync.Mutex
	last    uint64
	waiting map[uint64]chan bidiReply
}

type bidiCommand struct {
	ID     uint64 `json:"id"`
	Method string `json:"method"`
	Params any    `json:"params"`
}

type bidiReply struct {
	Type    string          `json:"type"` // success or error; others are not replies
	ID      uint64          `json:"id"`
	Result  json.RawMessage `json:"result"`
	Error   string          `json:"error"`
	Message string          `json:"message"`
}

// bidiWrite is how long a command may take to be written: the browser reads at once, unless it hangs.
const bidiWrite = 15 * time.Second

// dialBidi connects to the session of a browser. dial may lead into another network; nil: net.Dialer.
func dialBidi(ctx context.Context, url string, dial func(ctx context.Context, network, address string) (net.Conn, error)) (*bidi, error) {
	dialer := websocket.Dialer{NetDialContext: dial}
	socket, resp, err := dialer.DialContext(ctx, url, http.Header{})
	if err != nil {
		return nil, fmt.Errorf("connecting to %s: %w", url, err)
	}
	_ = resp.Body.Close() // empty
	b := &bidi{socket: socket, done: make(chan struct{}), waiting: map[uint64]chan bidiReply{}}
	go b.read()
	return b, nil
}

func (b *bidi) read() {
	defer close(b.done)
	for {
		var r bidiReply
		if err := b.socket.ReadJSON(&r); err != nil {
			b.err = fmt.Errorf("reading from the browser: %w", err)
			return
		}
		b.mu.Lock()
		waiting := b.waiting[r.ID]
		delete(b.waiting, r.ID)
		b.mu.Unlock()
		if waiting != nil && r.Type != "event" {
			waiting <- r // which has room
		}
	}
}

// close ends the connection, not the browser.
func (b *bidi) close() {
	_ = b.socket.Close() // the browser may have closed it before
	<-b.done
}

// call sends a command and decodes its result, if that is wanted.
func (b *bidi) call(ctx context.Context, method string, params, result any) error {
	answer := make(chan bidiReply, 1)
	b.mu.Lock()
	b.last++
	id := b.last
	b.waiting[id] = answer
	b.mu.Unlock()
	defer func() {
		b.mu.Lock()
		delete(b.waiting, id)
		b.mu.Unlock()
	}()
	if err := b.write(bidiCommand{id, method, params}); err != nil {
		return fmt.Errorf("sending %s: %w", method, err)
	}
	select {
	case r := <-answer:
		if r.Type != "success" {
			return fmt.Errorf("%s: %s: %s", method, r.Error, r.Message)
		}
		if result == nil {
			return nil
		}
		if err := json.Unmarshal(r.Result, result); err != nil {
			return fmt.Errorf("decoding the result of %s: %w", method, err)
		}
		return nil
	case <-b.done:
		return fmt.Errorf("waiting for the result of %s: %w", method, b.err)
	case <-ctx.Done():
		return fmt.Errorf("waiting for the result of %s: %w", method, ctx.Err())
	}
}

func (b *bidi) write(c bidiCommand) error {
	b.writing.Lock()
	defer b.writing.Unlock()
	return errors.Join(b.socket.SetWriteDeadline(time.Now().Add(bidiWrite)), b.socket.WriteJSON(c))
}

// bidiPage is a tab that is driven by BiDi.
type bidiPage struct {
	session     *bidi
	userContext string
	context     string
}

// openBidiPage opens a window of a user context of its own, which has its own cookies and cache.
func openBidiPage(ctx context.Context, b *bidi) (*bidiPage, error) {
	p := &bidiPage{session: b}
	var user struct{ UserContext string }
	if err := b.call(ctx, "browser.createUserContext", struct{}{}, &user); err != nil {
		return nil, err
	}
	p.userContext = user.UserContext
	var window struct{ Context string }
	if err := b.call(ctx, "browsingContext.create", map[string]any{"type": "window", "userContext": p.userContext}, &window); err != nil {
		p.close()
		return nil, err
	}
	p.context = window.Context
	return p, nil
}

// close takes the user context away, which closes its window.
func (p *bidiPage) close() {
	ctx, cancel := context.WithTimeout(context.Background(), evalLimit)
	defer cancel()
	// Of a browser that hangs, or has ended, no window is left when the test ends.
	_ = p.session.call(ctx, "browser.removeUserContext", map[string]any{"userContext": p.userContext}, nil)
}

func (p *bidiPage) navigate(ctx context.Context, url string) error {
	return p.session.call(ctx, "browsingContext.navigate", map[string]any{"context": p.context, "url": url, "wait": "complete"}, nil)
}

func (p *bidiPage) evaluate(ctx context.Context, s script) ([]byte, error) {
	if s.valued {
		s.text = "(async () => JSON.stringify(await (\n" + s.text + "\n)))()"
	}
	var r struct {
		Type             string
		Result           struct{ Value json.RawMessage }
		ExceptionDetails struct{ Text string }
	}
	if err := p.session.call(ctx, "script.evaluate", map[string]any{
		"expression": s.text, "target": map[string]any{"context": p.context}, "awaitPromise": true, "userActivation": s.byUser,
		"serializationOptions": map[string]any{"maxObjectDepth": 0, "maxDomDepth": 0},
	}, &r); err != nil {
		return nil, err
	}
	if r.Type != "success" {
		return nil, errors.New(r.ExceptionDetails.Text)
	}
	if !s.valued || r.Result.Value == nil {
		return nil, nil
	}
	var text string
	if err := json.Unmarshal(r.Result.Value, &text); err != nil {
		return nil, fmt.Errorf("decoding JSON in the result: %w", err)
	}
	return []byte(text), nil
}
