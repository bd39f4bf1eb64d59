package joins

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// A credential is Prefix and, in base64url without padding (RFC 4648 §5): version, end in Unix seconds, random id, length of
// the site's name, the name, and an HMAC-SHA256 over all of it, cut to half (RFC 2104 §5).
const (
	// Prefix tells a credential from a seeder token.
	Prefix = "p2pstream-join-"
	// MaxSite is the longest name of a site, in bytes.
	MaxSite = 64
	// MaxLifetime is the longest lifetime.
	MaxLifetime = 10 * 365 * 24 * time.Hour
	// IDLength is the length of an id, in hexadecimal digits.
	IDLength = 2 * idSize

	version = 1
	endAt   = 1
	idAt    = endAt + 8
	idSize  = 8
	siteAt  = idAt + idSize + 1
	macSize = sha256.Size / 2
	maxText = len(Prefix) + (siteAt+MaxSite+macSize)*4/3 + 2
)

// Reasons for which a credential is not accepted.
var (
	ErrForged  = errors.New("the credential was not made with this tracker's seeder token; make a new one with: p2pstream join create")
	ErrExpired = errors.New("the credential has expired; make a new one with: p2pstream join create")
	ErrSite    = errors.New("the tracker's map has no such site")
	ErrRevoked = errors.New("the credential was revoked; make a new one with: p2pstream join create")
)

// Credential is the content of a verified credential.
type Credential struct {
	ID      string    // random, IDLength hexadecimal digits
	Site    string    // the only site that its holder serves
	Expires time.Time // to the second
}

// Name is how its holder is called in reports and limits.
func (c Credential) Name() string { return "join-" + c.ID }

// Is tells whether a text is meant to be a credential, and not a seeder token.
func Is(text string) bool { return strings.HasPrefix(text, Prefix) }

// Issue returns a new credential for a site, signed with a seeder token. It fails for a name that no site can have, and when
// random does.
func Issue(token, site string, lifetime time.Duration, now time.Time, random io.Reader) (text string, c Credential, err error) {
	switch {
	case token == "":
		return "", c, errors.New("issuing credential: there is no seeder token")
	case !validSite(site):
		return "", c, fmt.Errorf("issuing credential: %q is not the name of a site, which has 1 to %d bytes that can be shown", site, MaxSite)
	case lifetime < time.Second || lifetime > MaxLifetime:
		return "", c, fmt.Errorf("issuing credential: a lifetime of %v is not between 1 s and %v", lifetime, MaxLifetime)
	}
	b := make([]byte, siteAt, siteAt+len(site)+macSize)
	b[0] = version
	end := now.Add(lifetime).Truncate(time.Second)
	binary.BigEndian.PutUint64(b[endAt:], uint64(end.Unix()))
	if _, err := io.ReadFull(random, b[idAt:idAt+idSize]); err != nil {
		return "", c, fmt.Errorf("reading randomness for credential: %w", err)
	}
	b[siteAt-1] = byte(len(site))
	c = Credential{ID: hex.EncodeToString(b[idAt : idAt+idSize]), Site: site, Expires: end}
	b = append(b, site...)
	b = append(b, mac(token, b)...)
	return Prefix + base64.RawURLEncoding.EncodeToString(b), c, nil
}

// Verify checks that a credential was signed with one of the tokens and has not expired. The error is ErrForged or ErrExpired.
// Whether it was revoked is not known here.
func Verify(text string, tokens []string, now time.Time) (Credential, error) {
	encoded, ok := strings.CutPrefix(text, Prefix)
	if !ok || len(text) > maxText {
		return Credential{}, ErrForged
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(encoded)
	if err != nil || len(b) < siteAt+1+macSize || b[0] != version || len(b) != siteAt+int(b[siteAt-1])+macSize {
		return Credential{}, ErrForged
	}
	body, got := b[:len(b)-macSize], b[len(b)-macSize:]
	signed := false
	for _, token := range tokens {
		signed = signed || token != "" && hmac.Equal(got, mac(token, body))
	}
	if !signed {
		return Credential{}, ErrForged
	}
	end := binary.BigEndian.Uint64(b[endAt:])
	if end > uint64(now.Add(MaxLifetime+time.Hour).Unix()) {
		return Credential{}, ErrForged
	}
	c := Credential{ID: hex.EncodeToString(b[idAt : idAt+idSize]), Site: string(body[siteAt:]), Expires: time.Unix(int64(end), 0)}
	if !now.Before(c.Expires) {
		return Credential{}, ErrExpired
	}
	return c, nil
}

// mac signs with a key of its own kind, so that nothing else that is derived from the token can be taken for a credential.
func mac(token string, body []byte) []byte {
	key := hmac.New(sha256.New, []byte(token))
	key.Write([]byte("edge seeders"))
	h := hmac.New(sha256.New, key.Sum(nil))
	h.Write(body)
	return h.Sum(nil)[:macSize]
}

func validSite(name string) bool {
	return name != "" && len(name) <= MaxSite && utf8.ValidString(name) && strings.TrimSpace(name) == name &&
		!strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) })
}

// ValidID tells whether a text may be the id of a credential.
func ValidID(id string) bool {
	b, err := hex.DecodeString(id)
	return err == nil && len(b) == idSize && strings.ToLower(id) == id
}
