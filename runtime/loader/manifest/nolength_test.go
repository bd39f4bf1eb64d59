package manifest

import (
	"crypto/tls"
	"encoding/pem"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
)

// ending writes an answer that the end of its connection ends, and ends that as
// the path says.
func ending(w http.ResponseWriter, r *http.Request) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		panic(err)
	}
	_, _ = io.WriteString(conn, "HTTP/1.0 200 OK\r\nContent-Type: video/mp2t\r\n\r\n0123456789")
	raw := conn
	if session, ok := conn.(*tls.Conn); ok {
		raw = session.NetConn()
	}
	switch r.URL.Path {
	case "/closed": // with TLS: close_notify first
		_ = conn.Close()
	case "/cut": // with TLS: TCP ends inside the session
		_ = raw.Close()
	case "/lost":
		_ = raw.(*net.TCPConn).SetLinger(0)
		_ = raw.Close()
	}
}

func TestBodiesWithoutLength(t *testing.T) {
	plain := httptest.NewServer(http.HandlerFunc(ending))
	defer plain.Close()
	secure := httptest.NewTLSServer(http.HandlerFunc(ending))
	defer secure.Close()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: secure.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, url  string
		secondLook bool
		want       []Reason // of one look after the other
	}{
		{"closed", plain.URL + "/closed", false, []Reason{""}},
		{"closed without TLS", plain.URL + "/cut", false, []Reason{""}},
		{"closed without TLS, for a seeder", plain.URL + "/cut", true, []Reason{ReasonNoLength, "", ""}},
		{"reset", plain.URL + "/lost", true, []Reason{ReasonUnreachable}},
		{"TLS closed", secure.URL + "/closed", true, []Reason{""}},
		{"TLS cut", secure.URL + "/cut", false, []Reason{ReasonNoLength, "", ""}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSource(t, SourceConfig{URL: plain.URL + "/m.m3u8", CAFile: ca, SecondLook: c.secondLook})
			for i, want := range c.want {
				body, total, err := s.FetchSegment(t.Context(), Segment{URL: c.url}, 0)
				if err != nil {
					t.Fatal(err)
				}
				got, err := io.ReadAll(body)
				_ = body.Close()
				if ReasonOf(err) != want || (err != nil) != (want != "") || total != -1 {
					t.Errorf("look %d: %q of %d, %v; want %q", i, got, total, err, want)
				}
				if err == nil && string(got) != "0123456789" {
					t.Errorf("look %d: %q", i, got)
				}
			}
		})
	}
	t.Run("beyond the bound", func(t *testing.T) {
		s := newSource(t, SourceConfig{URL: plain.URL + "/m.m3u8", MaxSegmentBytes: 9})
		body, _, err := s.FetchSegment(t.Context(), Segment{URL: plain.URL + "/closed"}, 0)
		if err != nil {
			t.Fatal(err)
		}
		_, err = io.ReadAll(body)
		_ = body.Close()
		if ReasonOf(err) != ReasonTooLarge {
			t.Error(err)
		}
	})
}
