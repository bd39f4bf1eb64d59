package joins

import (
	"bytes"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"
)

var start = time.Date(2026, 5, 4, 8, 0, 0, 0, time.UTC)

func issued(t testing.TB, token, site string, lifetime time.Duration) (string, Credential) {
	t.Helper()
	text, c, err := Issue(token, site, lifetime, start, bytes.NewReader([]byte("12345678")))
	if err != nil {
		t.Fatal(err)
	}
	return text, c
}

func TestCredentials(t *testing.T) {
	for _, site := range []string{"Bern", "Zürich (Büro 2)", "10.1.7.0/24", strings.Repeat("x", MaxSite)} {
		text, want := issued(t, "token", site, time.Hour)
		got, err := Verify(text, []string{"another", "token"}, start.Add(59*time.Minute))
		if err != nil || got.ID != want.ID || got.Site != site || !got.Expires.Equal(start.Add(time.Hour)) || !ValidID(got.ID) || !Is(text) {
			t.Errorf("%s: %+v, %v", site, got, err)
		}
		if _, err := Verify(text, []string{"token"}, start.Add(time.Hour)); !errors.Is(err, ErrExpired) {
			t.Errorf("%s, an hour later: %v", site, err)
		}
		for _, tokens := range [][]string{nil, {""}, {"another"}} {
			if _, err := Verify(text, tokens, start); !errors.Is(err, ErrForged) {
				t.Errorf("%s, with the tokens %q: %v", site, tokens, err)
			}
		}
	}
}

// TestNoBitCanBeChanged: neither the site, nor the end, nor anything else.
func TestNoBitCanBeChanged(t *testing.T) {
	text, _ := issued(t, "token", "Bern", time.Hour)
	raw, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(text, Prefix))
	if err != nil {
		t.Fatal(err)
	}
	for i := range raw {
		for bit := range 8 {
			b := bytes.Clone(raw)
			b[i] ^= 1 << bit
			if _, err := Verify(Prefix+base64.RawURLEncoding.EncodeToString(b), []string{"token"}, start); !errors.Is(err, ErrForged) {
				t.Fatalf("bit %d of byte %d: %v", bit, i, err)
			}
		}
	}
	for _, other := range []string{"", Prefix, strings.TrimPrefix(text, Prefix), text + "A", text[:len(text)-1], text + strings.Repeat("A", 1<<16)} {
		if _, err := Verify(other, []string{"token"}, start); !errors.Is(err, ErrForged) {
			t.Errorf("%.40q: %v", other, err)
		}
	}
}

func TestIssueRefuses(t *testing.T) {
	for name, tt := range map[string]struct {
		token, site string
		lifetime    time.Duration
	}{
		"no token": {"", "Bern", time.Hour}, "no site": {"t", "", time.Hour}, "a long name": {"t", strings.Repeat("x", MaxSite+1), time.Hour},
		"a line break": {"t", "a\nb", time.Hour}, "no lifetime": {"t", "Bern", 0}, "a long lifetime": {"t", "Bern", MaxLifetime + time.Second},
	} {
		if _, _, err := Issue(tt.token, tt.site, tt.lifetime, start, bytes.NewReader(make([]byte, 8))); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
	if _, _, err := Issue("t", "Bern", time.Hour, start, bytes.NewReader(nil)); err == nil {
		t.Error("without randomness one is made")
	}
}

func TestFiles(t *testing.T) {
	text, c := issued(t, "token", "Bern", time.Hour)
	want := File{Site: c.Site, ID: c.ID, Expires: c.Expires, Credential: text, Trackers: []string{"wss://t.example/announce"},
		Source: "https://o.example/m.m3u8?a=1&b=2", STUN: []string{"stun:t.example:3478"}}
	b, err := want.Encode()
	if err != nil {
		t.Fatal(err)
	}
	got, err := ParseFile(b)
	if err != nil || got.Credential != want.Credential || got.Source != want.Source || got.Trackers[0] != want.Trackers[0] || !got.Expires.Equal(want.Expires) {
		t.Errorf("%+v, %v", got, err)
	}
	for missing, change := range map[string]func(*File){
		"credential": func(f *File) { f.Credential = "token" }, "site": func(f *File) { f.Site = "" },
		"trackers": func(f *File) { f.Trackers = nil }, "source": func(f *File) { f.Source = "" },
	} {
		f := want
		change(&f)
		b, _ := f.Encode()
		if _, err := ParseFile(b); err == nil || !strings.Contains(err.Error(), missing) {
			t.Errorf("%v, want %s named", err, missing)
		}
	}
	for _, b := range [][]byte{nil, []byte("null"), []byte(`{"token":"x"}`), bytes.Repeat([]byte(" "), MaxFile+1)} {
		if _, err := ParseFile(b); err == nil {
			t.Errorf("%.20q is accepted", b)
		}
	}
}

func FuzzVerify(f *testing.F) {
	text, _ := issued(f, "token", "Bern", time.Hour)
	f.Add(text)
	f.Add(Prefix + "AQ")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := Verify(text, []string{"token"}, start)
		if err == nil && (!validSite(c.Site) || !ValidID(c.ID) || !c.Expires.After(start)) {
			t.Errorf("%+v", c)
		}
	})
}

func FuzzParseFile(f *testing.F) {
	f.Add([]byte(`{"site":"Bern","credential":"p2pstream-join-AQ","trackers":["ws://t/announce"],"source":"http://o/m"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if got, err := ParseFile(b); err == nil && (got.Source == "" || len(got.Trackers) == 0) {
			t.Errorf("%+v", got)
		}
	})
}
