package tickets

import (
	"bytes"
	"errors"
	"math/rand"
	"strings"
	"testing"
	"time"
)

var (
	start = time.Date(2026, 5, 4, 8, 0, 0, 0, time.UTC)
	keyA  = bytes.Repeat([]byte("a"), MinKey)
	keyB  = bytes.Repeat([]byte("b"), MinKey)
	keyC  = bytes.Repeat([]byte("c"), MinKey)
)

func ring(t testing.TB, keys ...[]byte) *Ring {
	t.Helper()
	r, err := NewRing(keys...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func issue(t testing.TB, r *Ring, now time.Time) string {
	t.Helper()
	text, err := r.Issue("town-hall", "https://intranet.example", DefaultLifetime, now, rand.New(rand.NewSource(now.UnixNano())))
	if err != nil {
		t.Fatal(err)
	}
	if len(text) != Length {
		t.Fatalf("%d bytes, want %d", len(text), Length)
	}
	return text
}

func TestVerify(t *testing.T) {
	r := ring(t, keyA)
	text := issue(t, r, start)
	flipped := []byte(text)
	flipped[40] ^= 1
	for _, tt := range []struct {
		name, text, stream string
		r                  *Ring
		at                 time.Duration
		want               error
	}{
		{"at once", text, "town-hall", r, 0, nil},
		{"after a day", text, "town-hall", r, 24 * time.Hour, nil},
		{"at its end", text, "town-hall", r, DefaultLifetime, ErrExpired},
		{"from a clock that is a little ahead", text, "town-hall", r, -Skew, nil},
		{"from the future", text, "town-hall", r, -Skew - time.Second, ErrExpired},
		{"of another stream", text, "town-hal", r, 0, ErrForged},
		{"of another key", text, "town-hall", ring(t, keyB), 0, ErrForged},
		{"of one of several keys", text, "town-hall", ring(t, keyB, keyC, keyA), 0, nil},
		{"none", "", "town-hall", r, 0, ErrMissing},
		{"short", text[1:], "town-hall", r, 0, ErrForged},
		{"long", text + "A", "town-hall", r, 0, ErrForged},
		{"changed", string(flipped), "town-hall", r, 0, ErrForged},
		{"no base64", strings.Repeat("!", Length), "town-hall", r, 0, ErrForged},
		{"zeros", strings.Repeat("A", Length), "town-hall", r, 0, ErrForged},
		{"a voucher", r.Vouch(strings.Repeat("s", sessionSize), "town-hall", start), "town-hall", r, 0, ErrForged},
	} {
		if _, err := tt.r.Verify(tt.text, tt.stream, start.Add(tt.at)); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
	got, err := r.Verify(text, "town-hall", start)
	if err != nil || !got.Issued.Equal(start) || !got.Expires.Equal(start.Add(DefaultLifetime)) || len(got.Session) != sessionSize {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestPages(t *testing.T) {
	r := ring(t, keyA)
	for _, tt := range []struct {
		given, used string
		want        bool
	}{
		{"https://a.example", "https://a.example", true}, {"https://a.example", "HTTPS://A.example", true},
		{"https://a.example", "https://b.example", false}, {"https://a.example", "http://a.example", false},
		{"https://a.example", "", false}, {"https://a.example", "null", false},
		{"", "https://a.example", true}, {"", "", true}, {"null", "file://", true}, {"null", "https://a.example", true},
	} {
		text, err := r.Issue("s", tt.given, time.Hour, start, rand.New(rand.NewSource(1)))
		if err != nil {
			t.Fatal(err)
		}
		ticket, err := r.Verify(text, "s", start)
		if err != nil || ticket.Fits(tt.used) != tt.want {
			t.Errorf("given to %q, used by %q: %v %v", tt.given, tt.used, !tt.want, err)
		}
	}
}

// TestRotation: each step of a rotation accepts the tickets that any replica has signed, whether it has seen the step or not.
func TestRotation(t *testing.T) {
	before := ring(t, keyA)
	old := issue(t, before, start)
	after, err := before.Change([][]byte{keyB}, DefaultLifetime, start)
	if err != nil {
		t.Fatal(err)
	}
	for at, signer := range map[time.Duration][]byte{0: keyA, Settle - time.Second: keyA, Settle: keyB, DefaultLifetime: keyB} {
		if got := after.Signing(start.Add(at)); !bytes.Equal(got, signer) {
			t.Errorf("after %v %s signs", at, got)
		}
	}
	if _, err := before.Verify(issue(t, after, start.Add(time.Minute)), "town-hall", start.Add(time.Minute)); err != nil {
		t.Errorf("a replica that has not seen the new key: %v", err)
	}
	if _, err := after.Verify(old, "town-hall", start.Add(DefaultLifetime-time.Second)); err != nil {
		t.Errorf("a ticket of the old key: %v", err)
	}
	later, err := after.Change([][]byte{keyC}, DefaultLifetime, start.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := later.Verify(old, "town-hall", start.Add(time.Hour)); err != nil {
		t.Errorf("a ticket of the key before the last: %v", err)
	}
	final, err := later.Change([][]byte{keyC}, DefaultLifetime, start.Add(3*DefaultLifetime))
	if err != nil || len(final.keys) != 1 {
		t.Errorf("%d keys stay for ever: %v", len(final.keys), err)
	}
}

func TestRingRefuses(t *testing.T) {
	for _, keys := range [][][]byte{nil, {[]byte("short")}, make([][]byte, MaxKeys+1)} {
		if _, err := NewRing(keys...); err == nil {
			t.Errorf("%d keys accepted", len(keys))
		}
	}
	r := ring(t, keyA)
	for i := range 100 {
		var err error
		if r, err = r.Change([][]byte{bytes.Repeat([]byte{byte(i)}, MinKey)}, DefaultLifetime, start); err != nil {
			t.Fatal(err)
		}
	}
	if len(r.keys) > MaxKeys {
		t.Errorf("%d keys", len(r.keys))
	}
}

func TestVouchers(t *testing.T) {
	r := ring(t, keyA)
	ticket, err := r.Verify(issue(t, r, start), "town-hall", start)
	if err != nil {
		t.Fatal(err)
	}
	text := r.Vouch(ticket.Session, "town-hall", start)
	if len(text) != VoucherLength {
		t.Errorf("%d bytes", len(text))
	}
	for _, tt := range []struct {
		name, text, session, stream string
		at                          time.Duration
		want                        bool
	}{
		{"at once", text, ticket.Session, "town-hall", 0, true},
		{"in time", text, ticket.Session, "town-hall", time.Minute, true},
		{"late", text, ticket.Session, "town-hall", time.Minute + 1, false},
		{"for another session", text, strings.Repeat("x", sessionSize), "town-hall", 0, false},
		{"for another stream", text, ticket.Session, "x", 0, false},
		{"none", "", ticket.Session, "town-hall", 0, false},
		{"a ticket", issue(t, r, start), ticket.Session, "town-hall", 0, false},
	} {
		if _, ok := r.Vouched(tt.text, tt.session, tt.stream, time.Minute, start.Add(tt.at)); ok != tt.want {
			t.Errorf("%s: %v", tt.name, ok)
		}
	}
}

func FuzzVerify(f *testing.F) {
	r, err := NewRing(keyA, keyB)
	if err != nil {
		f.Fatal(err)
	}
	text := issue(f, r, start)
	f.Add(text, "town-hall")
	f.Add(text[1:]+"A", "town-hall")
	f.Add(r.Vouch(strings.Repeat("s", sessionSize), "town-hall", start), "town-hall")
	f.Add("", "")
	f.Fuzz(func(t *testing.T, given, stream string) {
		if _, err := r.Verify(given, stream, start); err == nil && (given != text || stream != "town-hall") {
			t.Errorf("%q accepted for %q", given, stream)
		}
		_, _ = r.Vouched(given, strings.Repeat("s", sessionSize), stream, time.Minute, start)
	})
}

func BenchmarkVerify(b *testing.B) {
	r, err := NewRing(keyA)
	if err != nil {
		b.Fatal(err)
	}
	text := issue(b, r, start)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.Verify(text, "town-hall", start); err != nil {
			b.Fatal(err)
		}
	}
}
