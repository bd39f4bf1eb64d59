package originhttp

import (
	"bytes"
	"crypto/ed25519"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func write(t *testing.T, dir, name, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// recorder is a transport that answers with what it was asked.
type recorder struct{ asked []*http.Request }

func (r *recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	r.asked = append(r.asked, req)
	return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody, Request: req}, nil
}

func ask(t *testing.T, tr http.RoundTripper, url string) (http.Header, error) {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Range", "bytes=1-2")
	resp, err := tr.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	_ = resp.Body.Close()
	if len(req.Header) != 1 {
		t.Errorf("the caller's request was changed: %v", req.Header)
	}
	return resp.Request.Header, nil
}

func TestHeadersGoToTheOriginOnly(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "Authorization", "Bearer secret\n")
	tests := []struct {
		origin, url string
		want        bool
	}{
		{"https://o.example/live/m.m3u8", "https://o.example/other/s.ts?x=1", true},
		{"https://o.example/m.m3u8", "https://o.example:443/s.ts", true},
		{"https://o.example:443/m.m3u8", "HTTPS://O.Example/s.ts", true},
		{"https://u:p@o.example/m.m3u8", "https://o.example/s.ts", true},
		{"http://[2001:db8::1]:8080/m.m3u8", "http://[2001:db8::1]:8080/s.ts", true},
		{"https://o.example/m.m3u8", "http://o.example/s.ts", false},
		{"http://o.example/m.m3u8", "https://o.example/s.ts", false},
		{"http://o.example/m.m3u8", "https://o.example:80/s.ts", false},
		{"https://o.example/m.m3u8", "https://o.example:8443/s.ts", false},
		{"https://o.example/m.m3u8", "https://cdn.o.example/s.ts", false},
		{"https://o.example/m.m3u8", "https://o.example.evil.example/s.ts", false},
		{"https://o.example/m.m3u8", "https://o.example@evil.example/s.ts", false},
	}
	for _, tt := range tests {
		base := &recorder{}
		tr, err := New(Config{URL: tt.origin, HeadersDir: dir, Base: base})
		if err != nil {
			t.Fatal(err)
		}
		h, err := ask(t, tr, tt.url)
		if err != nil {
			t.Fatal(err)
		}
		if got := h.Get("Authorization") == "Bearer secret"; got != tt.want {
			t.Errorf("from %s, asking %s: sent %v, want %v", tt.origin, tt.url, got, tt.want)
		}
		if h.Get("Range") != "bytes=1-2" {
			t.Errorf("the request's own header is gone: %v", h)
		}
	}
}

func TestFilesBecomeHeaders(t *testing.T) {
	for name, tt := range map[string]struct {
		files map[string]string
		want  string // in the error; empty: fine
	}{
		"a newline at the end":       {map[string]string{"X-Token": "value\n"}, ""},
		"one of Windows":             {map[string]string{"X-Token": "value\r\n"}, ""},
		"none":                       {map[string]string{"x-token": "value"}, ""},
		"what a volume keeps":        {map[string]string{"X-Token": "value", "..data-old": "\n\n"}, ""},
		"a name with a space":        {map[string]string{"X Token": "value"}, `"X Token"`},
		"a name of no ASCII":         {map[string]string{"X-Tökn": "value"}, "is not a header name"},
		"two lines":                  {map[string]string{"X-Token": "value\nX-Other: value"}, `"X-Token"`},
		"two newlines":               {map[string]string{"X-Token": "value\n\n"}, "line break"},
		"a control character":        {map[string]string{"X-Token": "value\x00"}, "control character"},
		"a transfer header":          {map[string]string{"range": "value"}, "controls the transfer"},
		"twice the same":             {map[string]string{"X-Token": "value", "x-token": "value"}, "too"},
		"more than any server takes": {map[string]string{"X-Token": strings.Repeat("value", maxHeaderBytes)}, "more than"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for file, content := range tt.files {
				write(t, dir, file, content)
			}
			tr, err := New(Config{URL: "https://o.example/m.m3u8", HeadersDir: dir, Base: &recorder{}})
			if err != nil {
				t.Fatal(err)
			}
			h, err := ask(t, tr, "https://o.example/m.m3u8")
			if tt.want == "" {
				if err != nil || h.Get("X-Token") != "value" || len(h) != 2 {
					t.Errorf("%v, %v", h, err)
				}
				return
			}
			var files *FilesError
			if !errors.As(err, &files) || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "value") {
				t.Errorf("got %v, want one that says %q", err, tt.want)
			}
			if _, err := ask(t, tr, "https://cdn.example/s.ts"); err != nil {
				t.Errorf("a host that gets no headers: %v", err)
			}
		})
	}
}

func TestStaticHeaders(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "X-Token", "of the file")
	base := &recorder{}
	tr, err := New(Config{URL: "https://o.example/m.m3u8", HeadersDir: dir, Base: base,
		Headers: http.Header{"X-Token": {"static"}, "X-Other": {"static"}, "Range": {"bytes=0-"}, "Host": {"virtual.example"}}})
	if err != nil {
		t.Fatal(err)
	}
	h, err := ask(t, tr, "https://o.example/s.ts")
	if err != nil || h.Get("X-Token") != "of the file" || h.Get("X-Other") != "static" || h.Get("Range") != "bytes=1-2" {
		t.Errorf("%v, %v", h, err)
	}
	if base.asked[0].Host != "virtual.example" {
		t.Errorf("host %q", base.asked[0].Host)
	}
}

// TestHeadersAreReadAgain changes the files while requests go on; the log never says what they hold.
func TestHeadersAreReadAgain(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "headers") // not there yet
	synctest.Test(t, func(t *testing.T) {
		var logged bytes.Buffer
		tr, err := New(Config{URL: "https://o.example/m.m3u8", HeadersDir: dir, Base: &recorder{},
			Logger: slog.New(slog.NewTextHandler(&logged, nil))})
		if err != nil {
			t.Fatal(err)
		}
		token := func() string {
			time.Sleep(lookEvery) // virtual
			h, err := ask(t, tr, "https://o.example/s.ts")
			if err != nil {
				return "error"
			}
			return h.Get("X-Token")
		}
		if got := token(); got != "error" {
			t.Errorf("without the directory: %q", got)
		}
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		for _, step := range []struct{ content, want string }{
			{"value-one", "value-one"}, {"value-two\n", "value-two"}, {"value\nof two lines", "value-two"}, {"value-three", "value-three"},
		} {
			write(t, dir, "X-Token", step.content)
			if got := token(); got != step.want {
				t.Errorf("after %q: %q", step.content, got)
			}
		}
		if log := logged.String(); strings.Contains(log, "value") || strings.Count(log, "loaded") != 3 {
			t.Errorf("the log says %s", log)
		}
	})
}

// authority starts a TLS server and returns its URL and its authority as PEM.
func authority(t *testing.T) (url, pemText string) {
	t.Helper()
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") }))
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError) // handshakes are refused on purpose
	s.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	s.StartTLS()
	t.Cleanup(s.Close)
	return s.URL, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}))
}

func TestAuthorities(t *testing.T) {
	url, ca := authority(t)
	dir := t.TempDir()
	file := filepath.Join(dir, "ca.crt")
	tr, err := New(Config{URL: url, CAFile: file})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tr.CloseIdleConnections)
	try := func() error {
		if tr.roots != nil {
			tr.roots.Check()
		}
		_, err := ask(t, tr, url)
		return err
	}
	var files *FilesError
	if err := try(); !errors.As(err, &files) {
		t.Errorf("without the file: %v", err)
	}
	write(t, dir, "ca.crt", "no certificate")
	if err := try(); !errors.As(err, &files) || !strings.Contains(err.Error(), "holds no PEM certificate") {
		t.Errorf("with something else: %v", err)
	}
	write(t, dir, "ca.crt", ca)
	if err := try(); err != nil {
		t.Errorf("with the authority: %v", err)
	}
	write(t, dir, "ca.crt", "no certificate")
	if err := try(); err != nil {
		t.Errorf("the last good one stays: %v", err)
	}
	write(t, dir, "ca.crt", selfSigned(t))
	if err := try(); err == nil || errors.As(err, &files) {
		t.Errorf("with another authority: %v", err)
	}
	plain := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(plain.Close)
	broken, err := New(Config{URL: plain.URL, CAFile: filepath.Join(dir, "nowhere")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(broken.CloseIdleConnections)
	if _, err := ask(t, broken, plain.URL); err != nil {
		t.Errorf("plain HTTP needs no authority: %v", err)
	}
}

func TestSystemAuthoritiesByDefault(t *testing.T) {
	url, _ := authority(t)
	tr, err := New(Config{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tr.CloseIdleConnections)
	if _, err := ask(t, tr, url); err == nil {
		t.Error("an unknown authority was believed")
	}
}

func TestABodyIsClosedWhenNothingIsSent(t *testing.T) {
	tr, err := New(Config{URL: "https://o.example", HeadersDir: filepath.Join(t.TempDir(), "nowhere"), Base: &recorder{}})
	if err != nil {
		t.Fatal(err)
	}
	body := &closing{}
	req, err := http.NewRequest(http.MethodPost, "https://o.example", body)
	if err != nil {
		t.Fatal(err)
	}
	if resp, err := tr.RoundTrip(req); err == nil {
		_ = resp.Body.Close()
		t.Error("the request was made")
	}
	if !body.closed {
		t.Error("the body is open")
	}
	if _, err := New(Config{URL: "nowhere"}); err == nil {
		t.Error("a URL without a host")
	}
}

type closing struct{ closed bool }

func (c *closing) Read([]byte) (int, error) { return 0, io.EOF }
func (c *closing) Close() error             { c.closed = true; return nil }

// selfSigned is an authority that has signed nothing but itself.
func selfSigned(t *testing.T) string {
	t.Helper()
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(nil, template, template, public, private)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}
