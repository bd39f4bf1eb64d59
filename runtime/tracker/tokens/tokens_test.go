package tokens

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

var now = time.Date(2026, 5, 4, 8, 0, 0, 0, time.UTC)

var secret = bytes.Repeat([]byte("s"), minSecret)

// signers are keys of every kind, made once.
type signers struct {
	rsa   *rsa.PrivateKey
	ec    *ecdsa.PrivateKey
	ed    ed25519.PrivateKey
	files map[string][]byte
	keys  *Keys
}

func newSigners(t testing.TB) signers {
	t.Helper()
	var s signers
	var err error
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	s.rsa, err = rsa.GenerateKey(rand.Reader, 2048)
	must(err)
	s.ec, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	_, s.ed, err = ed25519.GenerateKey(rand.Reader)
	must(err)
	s.files = map[string][]byte{"shared.key": secret, "rsa.pem": public(t, &s.rsa.PublicKey), "ec.pem": public(t, &s.ec.PublicKey),
		"set.jwks": set(t, map[string]any{"kty": "OKP", "crv": "Ed25519", "kid": "ed", "alg": "EdDSA",
			"x": base64.RawURLEncoding.EncodeToString(s.ed.Public().(ed25519.PublicKey))})}
	s.keys, err = ParseKeys(s.files)
	must(err)
	return s
}

func public(t testing.TB, key any) []byte {
	t.Helper()
	b, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: b})
}

func set(t testing.TB, keys ...map[string]any) []byte {
	t.Helper()
	b, err := json.Marshal(map[string]any{"keys": keys})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func claims(change map[string]any) jwt.MapClaims {
	c := jwt.MapClaims{"iss": "https://id.example", "aud": []string{"other", "town-hall"}, "exp": now.Add(time.Hour).Unix(), "iat": now.Unix()}
	for name, v := range change {
		if c[name] = v; v == nil {
			delete(c, name)
		}
	}
	return c
}

func sign(t testing.TB, method jwt.SigningMethod, key any, header map[string]any, change map[string]any) string {
	t.Helper()
	token := jwt.NewWithClaims(method, claims(change))
	for name, v := range header {
		token.Header[name] = v
	}
	text, err := token.SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

var rules = Rules{Issuer: "https://id.example", Audience: "town-hall", ClockSkew: 30 * time.Second}

func TestVerify(t *testing.T) {
	s := newSigners(t)
	kid := func(id string) map[string]any { return map[string]any{"kid": id} }
	hs := func(change map[string]any) string {
		return sign(t, jwt.SigningMethodHS256, secret, kid("shared"), change)
	}
	good := hs(nil)
	for _, tt := range []struct{ name, token, want string }{
		{"HS256", good, ""},
		{"HS256 without kid", sign(t, jwt.SigningMethodHS256, secret, nil, nil), ""},
		{"RS256", sign(t, jwt.SigningMethodRS256, s.rsa, kid("rsa"), nil), ""},
		{"PS512", sign(t, jwt.SigningMethodPS512, s.rsa, kid("rsa"), nil), ""},
		{"ES256", sign(t, jwt.SigningMethodES256, s.ec, kid("ec"), nil), ""},
		{"EdDSA", sign(t, jwt.SigningMethodEdDSA, s.ed, kid("ed"), nil), ""},
		{"expired a little", hs(map[string]any{"exp": now.Add(-29 * time.Second).Unix()}), ""},
		{"one audience", hs(map[string]any{"aud": "town-hall"}), ""},

		{"expired", hs(map[string]any{"exp": now.Add(-31 * time.Second).Unix()}), "expired"},
		{"without expiry", hs(map[string]any{"exp": nil}), "lacks a claim"},
		{"not valid yet", hs(map[string]any{"nbf": now.Add(time.Minute).Unix()}), "not valid yet"},
		{"from the future", hs(map[string]any{"iat": now.Add(time.Hour).Unix()}), "in the future"},
		{"another issuer", hs(map[string]any{"iss": "https://evil.example"}), "another issuer"},
		{"no issuer", hs(map[string]any{"iss": nil}), "lacks a claim"},
		{"another audience", hs(map[string]any{"aud": "x"}), "another audience"},
		{"no audience", hs(map[string]any{"aud": nil}), "lacks a claim"},
		{"another secret", sign(t, jwt.SigningMethodHS256, bytes.Repeat([]byte("x"), 32), kid("shared"), nil), "signature"},
		{"another kid", sign(t, jwt.SigningMethodHS256, secret, kid("old"), nil), "no configured key"},
		{"HS512 with the secret for HS256", sign(t, jwt.SigningMethodHS512, secret, kid("shared"), nil), "no configured key"},
		{"none", sign(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, nil, nil), "no configured key"},
		{"the public key as a secret", sign(t, jwt.SigningMethodHS256, s.files["rsa.pem"], kid("rsa"), nil), "no configured key"},
		{"the public key as a secret, without kid", sign(t, jwt.SigningMethodHS256, s.files["rsa.pem"], nil, nil), "signature"},
		{"unknown extensions", sign(t, jwt.SigningMethodHS256, secret, map[string]any{"crit": []string{"x"}}, nil), "extensions"},
		{"a key of its own", sign(t, jwt.SigningMethodHS256, bytes.Repeat([]byte("x"), 32),
			map[string]any{"jwk": map[string]any{"kty": "oct", "k": "eHh4"}, "jku": "http://evil.example"}, nil), "signature"},
		{"no signature", good[:strings.LastIndexByte(good, '.')+1], "signature"},
		{"two parts", good[:strings.LastIndexByte(good, '.')], "not a JSON Web Token"},
		{"another alphabet", strings.ReplaceAll(good, "e", "+"), "not a JSON Web Token"},
		{"nothing", "", "not a JSON Web Token"},
		{"dots", strings.Repeat(".", 4000), "not a JSON Web Token"},
		{"huge", strings.Repeat("A", MaxLength+1), "more than"},
		{"nested", base64.RawURLEncoding.EncodeToString([]byte(strings.Repeat("[", 3000))) + ".e30.e30", "not a JSON Web Token"},
	} {
		err := Verify(tt.token, s.keys, rules, now)
		switch {
		case tt.want == "" && err != nil:
			t.Errorf("%s: %v", tt.name, err)
		case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
	if err := Verify(hs(map[string]any{"iss": nil, "aud": nil}), s.keys, Rules{}, now); err != nil {
		t.Errorf("without rules: %v", err)
	}
}

// TestRotation: with both keys configured, tokens of either are accepted.
func TestRotation(t *testing.T) {
	next := bytes.Repeat([]byte("n"), minSecret)
	token := func(id string, key []byte) string {
		return sign(t, jwt.SigningMethodHS256, key, map[string]any{"kid": id}, nil)
	}
	for name, tt := range map[string]struct {
		files     map[string][]byte
		old, then bool
	}{
		"before":  {map[string][]byte{"may.key": secret}, true, false},
		"overlap": {map[string][]byte{"may.key": secret, "june.key": next}, true, true},
		"after":   {map[string][]byte{"june.key": next}, false, true},
	} {
		keys, err := ParseKeys(tt.files)
		if err != nil {
			t.Fatal(err)
		}
		if got := Verify(token("may", secret), keys, rules, now) == nil; got != tt.old {
			t.Errorf("%s: the old key: %v", name, got)
		}
		if got := Verify(token("june", next), keys, rules, now) == nil; got != tt.then {
			t.Errorf("%s: the new key: %v", name, got)
		}
	}
}

func TestParseKeys(t *testing.T) {
	s := newSigners(t)
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	p224, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(s.ec)
	if err != nil {
		t.Fatal(err)
	}
	b64 := base64.RawURLEncoding.EncodeToString
	many := map[string][]byte{}
	for i := range MaxKeys + 1 {
		many[fmt.Sprint(i, ".key")] = secret
	}
	for want, files := range map[string]map[string][]byte{
		"there is no key":                 {},
		"must end with":                   {"readme.txt": nil},
		"HS256 needs at least":            {"a.key": []byte("short")},
		"this is PEM":                     {"a.key": s.files["rsa.pem"]},
		"no PEM block":                    {"a.pem": []byte("x")},
		"RSA key of 1024 bits":            {"a.pem": public(t, &weak.PublicKey)},
		"elliptic curve":                  {"a.pem": public(t, &p224.PublicKey)},
		"this is a private key":           {"a.pem": pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})},
		"is not a public key":             {"a.pem": pem.EncodeToMemory(&pem.Block{Type: "X", Bytes: private})},
		"parsing JSON Web Key Set":        {"a.jwks": []byte("{")},
		"the set has no keys":             {"a.json": []byte("{}")},
		"kty":                             {"a.jwks": set(t, map[string]any{"kty": "x"})},
		"is not for alg":                  {"a.jwks": set(t, map[string]any{"kty": "oct", "k": b64(secret), "alg": "RS256"})},
		"crv":                             {"a.jwks": set(t, map[string]any{"kty": "EC", "crv": "P-1"})},
		"x and y":                         {"a.jwks": set(t, map[string]any{"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"})},
		"reading point":                   {"a.jwks": set(t, map[string]any{"kty": "EC", "crv": "P-256", "x": b64(secret), "y": b64(secret)})},
		"Ed25519":                         {"a.jwks": set(t, map[string]any{"kty": "OKP", "crv": "X25519", "x": b64(secret)})},
		"a number is missing":             {"a.jwks": set(t, map[string]any{"kty": "RSA", "e": "AQAB"})},
		fmt.Sprint("more than ", MaxKeys): many,
	} {
		if _, err := ParseKeys(files); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	n, e := b64(s.rsa.N.Bytes()), b64([]byte{1, 0, 1})
	keys, err := ParseKeys(map[string][]byte{"a.json": set(t,
		map[string]any{"kty": "RSA", "kid": "r", "n": n, "e": e, "use": "sig"}, map[string]any{"kty": "RSA", "use": "enc"},
		map[string]any{"kty": "EC", "kid": "e", "crv": "P-256", "x": b64(s.ec.X.FillBytes(make([]byte, 32))), "y": b64(s.ec.Y.FillBytes(make([]byte, 32)))})})
	if err != nil || len(keys.keys) != 2 {
		t.Fatalf("%+v, %v", keys, err)
	}
	for _, token := range []string{sign(t, jwt.SigningMethodRS256, s.rsa, map[string]any{"kid": "r"}, nil),
		sign(t, jwt.SigningMethodES256, s.ec, map[string]any{"kid": "e"}, nil)} {
		if err := Verify(token, keys, rules, now); err != nil {
			t.Error(err)
		}
	}
}

func FuzzVerify(f *testing.F) {
	s := newSigners(f)
	good := sign(f, jwt.SigningMethodHS256, secret, map[string]any{"kid": "shared"}, nil)
	f.Add(good)
	f.Add(sign(f, jwt.SigningMethodRS256, s.rsa, nil, nil))
	f.Add(sign(f, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, nil, nil))
	f.Add("..")
	f.Fuzz(func(t *testing.T, token string) {
		if Verify(token, s.keys, rules, now.Add(24*time.Hour)) == nil {
			t.Errorf("%q is accepted after it expired", token)
		}
		if err := Verify(token, s.keys, rules, now); err == nil && token[:strings.LastIndexByte(token, '.')] != good[:strings.LastIndexByte(good, '.')] &&
			strings.Contains(token, "eyJhbGciOiJub25l") {
			t.Errorf("%q is accepted", token)
		}
	})
}

func FuzzParseKeys(f *testing.F) {
	s := newSigners(f)
	for name, b := range s.files {
		f.Add(name, b)
	}
	f.Fuzz(func(t *testing.T, name string, b []byte) {
		keys, err := ParseKeys(map[string][]byte{name: b})
		if err == nil {
			_ = Verify("x.y.z", keys, rules, now)
		}
	})
}
