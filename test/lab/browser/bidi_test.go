package browser

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// scripted is a browser whose answers the test writes. answer gets each command, and sends what it likes.
func scripted(t *testing.T, answer func(c map[string]any, send func(v any), hangUp func())) *bidi {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		socket, err := (&websocket.Upgrader{}).Upgrade(w, r, nil)
		if err != nil {
			t.Error(err)
			return
		}
		defer func() { _ = socket.Close() }() // it may be closed already
		for {
			var c map[string]any
			if socket.ReadJSON(&c) != nil {
				return
			}
			answer(c, func(v any) {
				if err := socket.WriteJSON(v); err != nil {
					t.Error(err)
				}
			}, func() { _ = socket.Close() })
		}
	}))
	t.Cleanup(server.Close)
	b, err := dialBidi(t.Context(), "ws"+strings.TrimPrefix(server.URL, "http"), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.close)
	return b
}

func success(id, result any) map[string]any {
	return map[string]any{"type": "success", "id": id, "result": result}
}

// TestBidiResultsInAnyOrder answers two commands in the other order, with an event between them.
func TestBidiResultsInAnyOrder(t *testing.T) {
	t.Parallel()
	var first any
	arrived := make(chan struct{})
	b := scripted(t, func(c map[string]any, send func(any), _ func()) {
		if first == nil {
			first = c["id"]
			close(arrived)
			return
		}
		send(success(c["id"], map[string]any{"Method": c["method"]}))
		send(map[string]any{"type": "event", "method": "log.entryAdded", "params": map[string]any{}})
		send(success(first, map[string]any{"Method": "the first"}))
	})
	var one, two struct{ Method string }
	failed := make(chan error, 1)
	go func() { failed <- b.call(t.Context(), "one", map[string]any{}, &one) }()
	<-arrived
	err := b.call(t.Context(), "two", map[string]any{}, &two)
	if err := errors.Join(err, <-failed); err != nil {
		t.Fatal(err)
	}
	if one.Method != "the first" || two.Method != "two" {
		t.Errorf("results %+v and %+v", one, two)
	}
}

func TestBidiErrors(t *testing.T) {
	t.Parallel()
	b := scripted(t, func(c map[string]any, send func(any), hangUp func()) {
		switch c["method"] {
		case "refuse":
			send(map[string]any{"type": "error", "id": c["id"], "error": "no such frame", "message": "it is gone"})
		case "hang up":
			hangUp()
		}
	})
	if err := b.call(t.Context(), "refuse", nil, nil); err == nil || err.Error() != "refuse: no such frame: it is gone" {
		t.Errorf("refused: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if err := b.call(ctx, "hang", nil, nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("without an answer: %v", err)
	}
	b.mu.Lock()
	if len(b.waiting) != 0 {
		t.Errorf("%d commands still wait", len(b.waiting))
	}
	b.mu.Unlock()
	for range 2 {
		if err := b.call(t.Context(), "hang up", nil, nil); err == nil {
			t.Error("a lost connection is no error")
		}
	}
}

// TestBidiValues decodes what scripts have as their value, and refuses what has none.
func TestBidiValues(t *testing.T) {
	t.Parallel()
	results := map[string]any{
		"object":    map[string]any{"type": "success", "result": map[string]any{"type": "string", "value": `{"a":[1,2]}`}},
		"undefined": map[string]any{"type": "success", "result": map[string]any{"type": "undefined"}},
		"exception": map[string]any{"type": "exception", "exceptionDetails": map[string]any{"text": "Error: bad"}},
	}
	b := scripted(t, func(c map[string]any, send func(any), _ func()) {
		params := c["params"].(map[string]any)
		expression := strings.Fields(params["expression"].(string))
		if target := params["target"].(map[string]any)["context"]; target != "the tab" || params["awaitPromise"] != true {
			t.Errorf("evaluated in %v: %v", target, params)
		}
		for name, result := range results {
			for _, word := range expression {
				if word == name {
					send(success(c["id"], result))
				}
			}
		}
	})
	p := &bidiPage{session: b, context: "the tab"}
	got, err := value[map[string][]int](t.Context(), p, "object")
	if raw, _ := json.Marshal(got); err != nil || string(raw) != `{"a":[1,2]}` {
		t.Errorf("value %s, error %v", raw, err)
	}
	if _, err := value[int](t.Context(), p, "undefined"); err == nil {
		t.Error("undefined is a number")
	}
	if _, err := p.evaluate(t.Context(), script{text: "undefined"}); err != nil {
		t.Errorf("a script whose value nobody wants: %v", err)
	}
	if _, err := value[int](t.Context(), p, "exception"); err == nil || err.Error() != "Error: bad" {
		t.Errorf("a script that throws: %v", err)
	}
}
