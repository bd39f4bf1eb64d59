package tracker

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/p2pstream/p2pstream/runtime/tracker/config"
	"github.com/p2pstream/p2pstream/test/lab"
)

// TestViewerTokens: a tracker that requires tokens serves nothing of the stream without one, says why, follows its keys
// without a restart, and is fooled by no algorithm.
func TestViewerTokens(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name string, b []byte) {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	may, june := bytes.Repeat([]byte("m"), 32), bytes.Repeat([]byte("j"), 32)
	published := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: lab.Must[[]byte](t)(x509.MarshalPKIXPublicKey(public))})
	write("may.key", may)
	write("site.pem", published)
	s := otherTracker(t, func(c *config.Config) {
		c.Stream.AnySwarm = false
		c.Stream.ViewerTokens = &config.TokensConfig{KeysDir: dir, Issuer: "https://id.example", Audience: "town-hall"}
	})
	token := func(method jwt.SigningMethod, kid string, key any, ends time.Duration) string {
		n := jwt.NewWithClaims(method, jwt.MapClaims{"iss": "https://id.example", "aud": "town-hall", "exp": time.Now().Add(ends).Unix()})
		n.Header["kid"] = kid
		return lab.Must[string](t)(n.SignedString(key))
	}
	with := func(token string) int {
		status, _ := settingsFor(t, s, "Authorization: Bearer "+token)
		return status
	}
	good := token(jwt.SigningMethodHS256, "may", may, time.Hour)
	for name, tt := range map[string]struct {
		token string
		want  int
	}{
		"HS256":                      {good, 200},
		"EdDSA":                      {token(jwt.SigningMethodEdDSA, "site", private, time.Hour), 200},
		"expired":                    {token(jwt.SigningMethodHS256, "may", may, -time.Hour), 401},
		"another key":                {token(jwt.SigningMethodHS256, "may", june, time.Hour), 401},
		"none":                       {token(jwt.SigningMethodNone, "may", jwt.UnsafeAllowNoneSignatureType, time.Hour), 401},
		"the public key as a secret": {token(jwt.SigningMethodHS256, "site", published, time.Hour), 401},
		"changed":                    {good[:len(good)-2] + "AA", 401},
		"huge":                       {strings.Repeat("A", 12<<10), 401},
		"no token":                   {"", 401},
	} {
		if got := with(tt.token); got != tt.want {
			t.Errorf("%s: %d, want %d", name, got, tt.want)
		}
	}
	for _, path := range []string{"/v1/config", "/v1/stats", "/v1/hashes?swarm=AAAAAAAAAAAAAAAAAAAA&after=1", "/v1/config?token=x", "/v1/policies?format=reg"} {
		if status, _ := request(t, s.Listen, newOrigin(), "GET "+path+head+"\r\n"); status != 401 {
			t.Errorf("%s without a token: %d", path, status)
		}
	}
	if ws, resp, err := upgradeAt(s.Listen, newOrigin(), "/announce?t="+good); err != nil || resp.StatusCode != 401 {
		t.Errorf("a token as a ticket: %v", err)
	} else {
		_ = ws.Close()
	}
	if n := s.Tracker.Metrics(t).Sum("p2pstream_viewerapi_refused_total", `reason="InvalidToken"`); n < 7 {
		t.Errorf("%v invalid tokens counted", n)
	}
	// The rotation: both keys for a while, then the new one.
	next := token(jwt.SigningMethodHS256, "june", june, time.Hour)
	write("june.key", june)
	lab.Eventually(t, 20*time.Second, "the new key to be accepted", func() bool { return with(next) == 200 })
	if with(good) != 200 {
		t.Error("the old key is refused while it is configured")
	}
	if err := os.Remove(filepath.Join(dir, "may.key")); err != nil {
		t.Fatal(err)
	}
	lab.Eventually(t, 20*time.Second, "the old key to be refused", func() bool { return with(good) == 401 })
	write("broken.pem", []byte("x"))
	if with(next) != 200 {
		t.Error("a broken key file closes the door")
	}
}
