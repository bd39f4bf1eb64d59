package tokens

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// MaxLength is the longest token, in bytes. It must fit into the headers of a request.
const MaxLength = 8 << 10

// Rules are what a token must say.
type Rules struct {
	Issuer    string        // iss; empty: anything
	Audience  string        // one of aud; empty: anything
	ClockSkew time.Duration // by how much the clocks of issuer and tracker may differ
}

// Verify checks signature, times, issuer and audience of a token; a token must expire. The error is a sentence for the
// developer of the page and holds nothing of the token.
func Verify(token string, keys *Keys, rules Rules, now time.Time) error {
	if len(token) > MaxLength {
		return fmt.Errorf("the token has more than %d bytes", MaxLength)
	}
	options := []jwt.ParserOption{jwt.WithExpirationRequired(), jwt.WithIssuedAt(), jwt.WithLeeway(rules.ClockSkew),
		jwt.WithTimeFunc(func() time.Time { return now }), jwt.WithStrictDecoding()}
	if rules.Issuer != "" {
		options = append(options, jwt.WithIssuer(rules.Issuer))
	}
	if rules.Audience != "" {
		options = append(options, jwt.WithAudience(rules.Audience))
	}
	_, err := jwt.NewParser(options...).ParseWithClaims(token, &jwt.RegisteredClaims{}, keys.candidates)
	return explain(err)
}

var (
	errCritical = errors.New("the token has extensions that this tracker does not know (crit)")
	errNoKey    = errors.New("no configured key fits the token's kid and alg")
)

// candidates returns the keys that may have signed a token: those with its key id, or all if it has none, and of these
// those that are for its algorithm. So a public key never serves as a secret, and "none" has no key.
func (k *Keys) candidates(t *jwt.Token) (any, error) {
	if _, ok := t.Header["crit"]; ok { // RFC 7515 §4.1.11
		return nil, errCritical
	}
	id, has := t.Header["kid"].(string)
	var set jwt.VerificationKeySet
	for _, c := range k.keys {
		if has && c.id != "" && c.id != id || !slices.Contains(c.methods, t.Method.Alg()) {
			continue
		}
		set.Keys = append(set.Keys, c.value)
	}
	if len(set.Keys) == 0 {
		return nil, errNoKey
	}
	return set, nil
}

// explain turns an error of the library into a sentence.
func explain(err error) error {
	for _, e := range []struct {
		is   error
		text string
	}{
		{errCritical, errCritical.Error()},
		{errNoKey, errNoKey.Error()},
		{jwt.ErrTokenMalformed, "the token is not a JSON Web Token"},
		{jwt.ErrTokenExpired, "the token has expired; get a new one"},
		{jwt.ErrTokenNotValidYet, "the token is not valid yet (nbf)"},
		{jwt.ErrTokenUsedBeforeIssued, "the token was issued in the future (iat); compare the clocks"},
		{jwt.ErrTokenInvalidIssuer, "the token is of another issuer (iss)"},
		{jwt.ErrTokenInvalidAudience, "the token is for another audience (aud)"},
		{jwt.ErrTokenRequiredClaimMissing, "the token lacks a claim: exp is required, and iss and aud if they are configured"},
		{jwt.ErrTokenSignatureInvalid, "the signature of the token does not match"},
	} {
		if errors.Is(err, e.is) {
			return errors.New(e.text)
		}
	}
	if err != nil {
		return errors.New("the token cannot be verified")
	}
	return nil
}
