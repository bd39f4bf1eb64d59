package tokens

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
)

// Bounds of keys.
const (
	// MaxKeys is how many keys there may be: a token without a key id is compared with each of them.
	MaxKeys = 32
	// minSecret is the shortest secret for HS256, in bytes (RFC 7518 §3.2).
	minSecret = 32
	// Sizes of RSA keys, in bits: shorter ones can be broken (RFC 7518 §3.3), longer ones make a check expensive.
	minRSA, maxRSA = 2048, 8192
)

// Keys are those that tokens may be signed with.
type Keys struct {
	keys []key
}

type key struct {
	id      string   // empty: a key of a set that has none
	methods []string // the algorithms that this key is for (RFC 7518 §3.1): never one of another kind of key
	value   any      // as golang-jwt takes it
}

// Algorithms by kind of key.
var (
	ofSecret  = []string{"HS256"}
	ofRSA     = []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}
	ofEd25519 = []string{"EdDSA"}
)

func ofCurve(bits int) []string {
	switch bits {
	case 256:
		return []string{"ES256"}
	case 384:
		return []string{"ES384"}
	case 521:
		return []string{"ES512"}
	}
	return nil
}

// ParseKeys reads files by name: NAME.pem, NAME.jwks, NAME.json or NAME.key. Other names are an error, so that a misspelled
// one is noticed. It is an error if no key is left.
func ParseKeys(files map[string][]byte) (*Keys, error) {
	k := &Keys{}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		found, err := parseFile(name, files[name])
		if err != nil {
			return nil, fmt.Errorf("reading key %s: %w", name, err)
		}
		k.keys = append(k.keys, found...)
	}
	switch {
	case len(k.keys) == 0:
		return nil, errors.New("there is no key; add one as NAME.pem, NAME.jwks or NAME.key")
	case len(k.keys) > MaxKeys:
		return nil, fmt.Errorf("%d keys are more than %d", len(k.keys), MaxKeys)
	}
	return k, nil
}

func parseFile(name string, b []byte) ([]key, error) {
	kind := path.Ext(name)
	id := strings.TrimSuffix(name, kind)
	switch kind {
	case ".pem", ".crt":
		return parsePEM(id, b)
	case ".jwks", ".json":
		return parseSet(b)
	case ".key":
		secret := bytes.TrimSpace(b)
		if bytes.HasPrefix(secret, []byte("-----BEGIN")) {
			return nil, errors.New("this is PEM; a secret for HS256 is expected in a .key file, a public key in a .pem file")
		}
		return listOf(secretKey(id, secret))
	}
	return nil, errors.New("the name must end with .pem, .jwks, .json or .key")
}

func listOf(k key, err error) ([]key, error) {
	if err != nil {
		return nil, err
	}
	return []key{k}, nil
}

func parsePEM(id string, b []byte) (found []key, err error) {
	for len(found) < MaxKeys {
		var block *pem.Block
		if block, b = pem.Decode(b); block == nil {
			break
		}
		k, err := publicKey(id, block)
		if err != nil {
			return nil, err
		}
		found = append(found, k)
	}
	if len(found) == 0 {
		return nil, errors.New("there is no PEM block; use a public key, -----BEGIN PUBLIC KEY-----")
	}
	return found, nil
}

func publicKey(id string, block *pem.Block) (key, error) {
	switch block.Type {
	case "PUBLIC KEY":
		public, err := x509.ParsePKIXPublicKey(block.Bytes)
		if err != nil {
			return key{}, fmt.Errorf("parsing public key: %w", err)
		}
		return keyOf(id, public)
	case "RSA PUBLIC KEY":
		public, err := x509.ParsePKCS1PublicKey(block.Bytes)
		if err != nil {
			return key{}, fmt.Errorf("parsing public key: %w", err)
		}
		return keyOf(id, public)
	case "CERTIFICATE":
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return key{}, fmt.Errorf("parsing certificate: %w", err)
		}
		return keyOf(id, certificate.PublicKey)
	}
	if strings.Contains(block.Type, "PRIVATE KEY") {
		return key{}, errors.New("this is a private key; give the tracker the public key only")
	}
	return key{}, fmt.Errorf("a PEM block of type %.40q is not a public key", block.Type)
}

// keyOf checks a public key and says which algorithms it is for.
func keyOf(id string, public any) (key, error) {
	switch p := public.(type) {
	case *rsa.PublicKey:
		if bits := p.N.BitLen(); bits < minRSA || bits > maxRSA {
			return key{}, fmt.Errorf("an RSA key of %d bits; use %d to %d", bits, minRSA, maxRSA)
		}
		if p.E < 3 || p.E%2 == 0 {
			return key{}, errors.New("an RSA key with an exponent that is not usable")
		}
		return key{id, ofRSA, p}, nil
	case *ecdsa.PublicKey:
		if methods := ofCurve(p.Curve.Params().BitSize); methods != nil {
			return key{id, methods, p}, nil
		}
		return key{}, errors.New("an elliptic curve that tokens cannot use; use P-256, P-384 or P-521")
	case ed25519.PublicKey:
		return key{id, ofEd25519, p}, nil
	}
	return key{}, fmt.Errorf("a key of type %T cannot sign tokens; use RSA, ECDSA or Ed25519", public)
}

func secretKey(id string, secret []byte) (key, error) {
	if len(secret) < minSecret {
		return key{}, fmt.Errorf("a secret of %d bytes; HS256 needs at least %d", len(secret), minSecret)
	}
	return key{id, ofSecret, bytes.Clone(secret)}, nil
}
