package poll

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const good = `{"v":1,"boot":"b","viewersKnown":true,"viewers":3}`

// say answers; a client that has gone away does not mind.
func say(w io.Writer, text string) { _, _ = io.WriteString(w, text) }

// client that finds every tracker at a server.
func client(t *testing.T, h http.HandlerFunc) *Client {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	c := New()
	t.Cleanup(c.Close)
	c.Address = func(Tracker) string { return strings.TrimPrefix(s.URL, "http://") }
	return c
}

func TestAsk(t *testing.T) {
	for name, tt := range map[string]struct {
		handler http.HandlerFunc
		want    string // in the error; empty: none
	}{
		"a tracker's answer": {func(w http.ResponseWriter, _ *http.Request) { say(w, good) }, ""},
		"an error":           {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }, "status 503"},
		"a redirect": {func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/other" {
				say(w, good)
				return
			}
			http.Redirect(w, r, "/other", http.StatusFound)
		}, "status 302"},
		"too much": {func(w http.ResponseWriter, _ *http.Request) {
			say(w, `{"v":1,"boot":"b","stream":"`)
			for range 2 * maxBytes / 1024 {
				if _, err := w.Write([]byte(strings.Repeat("x", 1024))); err != nil {
					return
				}
			}
			say(w, `"}`)
		}, "decoding stats"},
		"no JSON":        {func(w http.ResponseWriter, _ *http.Request) { say(w, "<html>") }, "decoding stats"},
		"something else": {func(w http.ResponseWriter, _ *http.Request) { say(w, `{"status":"ok"}`) }, "version 1"},
		"never ends": {func(w http.ResponseWriter, r *http.Request) {
			say(w, `{`)
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		}, "Client.Timeout"},
		"never begins": {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, "asking tracker p"},
		"hangs up":     {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "asking tracker p"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			began := time.Now()
			a := client(t, tt.handler).Ask(t.Context(), []Tracker{{Pod: "p", IP: "10.0.0.1"}})
			if len(a) != 1 || a[0].Pod != "p" || a[0].At.IsZero() {
				t.Fatalf("%+v", a)
			}
			if tt.want == "" && (a[0].Err != nil || a[0].Stats.Viewers != 3) {
				t.Errorf("%+v", a[0])
			}
			if tt.want != "" && (a[0].Err == nil || !strings.Contains(a[0].Err.Error(), tt.want)) {
				t.Errorf("%v", a[0].Err)
			}
			if took := time.Since(began); took > 4*Timeout {
				t.Errorf("took %s", took)
			}
		})
	}
}

// TestAskAllAtOnce has three trackers of which each waits for the others.
func TestAskAllAtOnce(t *testing.T) {
	arrived := make(chan struct{}, 3)
	all := make(chan struct{})
	c := client(t, func(w http.ResponseWriter, r *http.Request) {
		arrived <- struct{}{}
		if len(arrived) == cap(arrived) {
			close(all)
		}
		select {
		case <-all:
		case <-r.Context().Done():
		}
		if r.URL.Query().Has("accumulate") {
			say(w, strings.Replace(good, `"viewers":3`, `"viewers":4`, 1))
			return
		}
		say(w, good)
	})
	answers := c.Ask(t.Context(), []Tracker{{Pod: "a"}, {Pod: "b", Accumulate: true}, {Pod: "c"}})
	for i, want := range []int{3, 4, 3} {
		if answers[i].Err != nil || answers[i].Stats.Viewers != want {
			t.Errorf("%+v", answers[i])
		}
	}
}

func TestAskEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	c := client(t, func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	})
	if a := c.Ask(ctx, []Tracker{{Pod: "a"}}); a[0].Err == nil {
		t.Error("no error")
	}
}

func TestAddress(t *testing.T) {
	c := New()
	defer c.Close()
	for ip, want := range map[string]string{"10.1.2.3": "10.1.2.3:9090", "fd00::1": "[fd00::1]:9090"} {
		if got := c.Address(Tracker{IP: ip}); got != want {
			t.Errorf("%s: %s", ip, got)
		}
	}
}

// TestTokensArePresentedAndNotPrinted: the tracker gets the token of the operator, and neither errors nor logs have it.
func TestTokensArePresentedAndNotPrinted(t *testing.T) {
	c := client(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer a-secret" {
			http.Error(w, "no", http.StatusUnauthorized)
			return
		}
		say(w, good)
	})
	answers := c.Ask(t.Context(), []Tracker{{Pod: "a", Token: "a-secret", Accumulate: true}, {Pod: "b", Token: "wrong-secret"}, {Pod: "c"}})
	if answers[0].Err != nil || answers[1].Err == nil || answers[2].Err == nil {
		t.Errorf("%+v", answers)
	}
	for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
		if text := fmt.Sprintf(format, answers); strings.Contains(text, "secret") {
			t.Errorf("%s prints %s", format, text)
		}
	}
}
