package telemetry

import (
	"bytes"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func TestSession(t *testing.T) {
	key := []byte("0123456789abcdef")
	signer, err := NewSigner(key, 0)
	if err != nil {
		t.Fatal(err)
	}
	token, err := signer.Issue("town-hall", start, bytes.NewReader(make([]byte, 12)))
	if err != nil {
		t.Fatal(err)
	}
	other, err := NewSigner([]byte("fedcba9876543210"), 0)
	if err != nil {
		t.Fatal(err)
	}
	flipped := []byte(token)
	flipped[20] ^= 1
	tests := []struct {
		name, token, stream string
		signer              *Signer
		at                  time.Duration
		want                Reason
	}{
		{"good", token, "town-hall", signer, time.Second, ""},
		{"last moment", token, "town-hall", signer, SessionLifetime, ""},
		{"expired", token, "town-hall", signer, SessionLifetime + time.Millisecond, Expired},
		{"clock of another replica", token, "town-hall", signer, -30 * time.Second, ""},
		{"from the future", token, "town-hall", signer, -time.Hour, Expired},
		{"other stream", token, "lunch", signer, 0, Unsigned},
		{"other key", token, "town-hall", other, 0, Unsigned},
		{"flipped bit", string(flipped), "town-hall", signer, 0, Unsigned},
		{"empty", "", "town-hall", signer, 0, Unsigned},
		{"short", token[:20], "town-hall", signer, 0, Unsigned},
		{"no base64", strings.Repeat("!", len(token)), "town-hall", signer, 0, Unsigned},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, err := tt.signer.Verify(tt.token, tt.stream, start.Add(tt.at))
			if got := reasonOf(t, err); got != tt.want {
				t.Fatalf("reason %q, want %q", got, tt.want)
			}
			if tt.want == "" && (!s.Began.Equal(start) || s.Key == "") {
				t.Fatalf("session %+v", s)
			}
		})
	}
	if _, err := NewSigner([]byte("short"), 0); err == nil {
		t.Fatal("a short key was taken")
	}
	if _, err := signer.Issue("x", start, iotest.ErrReader(bytes.ErrTooLarge)); err == nil {
		t.Fatal("no randomness was taken")
	}
}

func FuzzVerifySession(f *testing.F) {
	signer, err := NewSigner([]byte("0123456789abcdef"), 0)
	if err != nil {
		f.Fatal(err)
	}
	token, err := signer.Issue("s", start, bytes.NewReader(make([]byte, 12)))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(token)
	f.Add(token + "A")
	f.Fuzz(func(t *testing.T, s string) {
		if _, err := signer.Verify(s, "s", start); err == nil && s != token {
			t.Fatalf("accepted %q", s)
		}
	})
}
