package tokens

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
)

// webKey is one key of a JSON Web Key Set (RFC 7517 §4, RFC 7518 §6, RFC 8037 §2).
type webKey struct {
	Type      string `json:"kty"`
	ID        string `json:"kid"`
	Use       string `json:"use"`
	Algorithm string `json:"alg"`
	Curve     string `json:"crv"`
	N         string `json:"n"`
	E         string `json:"e"`
	X         string `json:"x"`
	Y         string `json:"y"`
	K         string `json:"k"`
}

// parseSet reads a set. Keys that are not for signatures are left out, as the RFC asks for.
func parseSet(b []byte) ([]key, error) {
	var set struct {
		Keys []webKey `json:"keys"`
	}
	if err := json.Unmarshal(b, &set); err != nil {
		return nil, fmt.Errorf("parsing JSON Web Key Set: %w", err)
	}
	if len(set.Keys) == 0 {
		return nil, errors.New("the set has no keys; use {\"keys\":[…]}")
	}
	var found []key
	for i, w := range set.Keys {
		if w.Use != "" && w.Use != "sig" {
			continue
		}
		k, err := w.key()
		if err != nil {
			return nil, fmt.Errorf("parsing keys[%d]: %w", i, err)
		}
		if w.Algorithm != "" {
			if !slices.Contains(k.methods, w.Algorithm) {
				return nil, fmt.Errorf("parsing keys[%d]: a key of this type is not for alg %.20q; use one of %v", i, w.Algorithm, k.methods)
			}
			k.methods = []string{w.Algorithm}
		}
		if found = append(found, k); len(found) > MaxKeys {
			return nil, fmt.Errorf("more than %d keys", MaxKeys)
		}
	}
	return found, nil
}

func (w webKey) key() (key, error) {
	switch w.Type {
	case "RSA":
		n, errN := number(w.N)
		e, errE := number(w.E)
		if err := errors.Join(errN, errE); err != nil {
			return key{}, err
		}
		if e.BitLen() > 31 {
			return key{}, errors.New("e is too large")
		}
		return keyOf(w.ID, &rsa.PublicKey{N: n, E: int(e.Int64())})
	case "EC":
		return w.ec()
	case "OKP":
		x, err := decode(w.X)
		if err != nil || w.Curve != "Ed25519" || len(x) != ed25519.PublicKeySize {
			return key{}, errors.New("an OKP key must be of crv Ed25519, with an x of 32 bytes")
		}
		return keyOf(w.ID, ed25519.PublicKey(x))
	case "oct":
		secret, err := decode(w.K)
		if err != nil {
			return key{}, err
		}
		return secretKey(w.ID, secret)
	}
	return key{}, fmt.Errorf("kty %.20q is not known; use RSA, EC, OKP or oct", w.Type)
}

func (w webKey) ec() (key, error) {
	curve := map[string]elliptic.Curve{"P-256": elliptic.P256(), "P-384": elliptic.P384(), "P-521": elliptic.P521()}[w.Curve]
	if curve == nil {
		return key{}, fmt.Errorf("crv %.20q is not known; use P-256, P-384 or P-521", w.Curve)
	}
	x, errX := decode(w.X)
	y, errY := decode(w.Y)
	size := (curve.Params().BitSize + 7) / 8
	if errX != nil || errY != nil || len(x) != size || len(y) != size {
		return key{}, fmt.Errorf("x and y must have %d bytes each", size)
	}
	point := append(append([]byte{4}, x...), y...) // uncompressed (SEC 1 §2.3.3)
	public, err := ecdsa.ParseUncompressedPublicKey(curve, point)
	if err != nil {
		return key{}, fmt.Errorf("reading point: %w", err)
	}
	return keyOf(w.ID, public)
}

func number(text string) (*big.Int, error) {
	b, err := decode(text)
	if err != nil {
		return nil, err
	}
	if len(b) == 0 || len(b) > maxRSA/8+1 {
		return nil, errors.New("a number is missing or too large")
	}
	return new(big.Int).SetBytes(b), nil
}

func decode(text string) ([]byte, error) {
	b, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(text, "="))
	if err != nil {
		return nil, fmt.Errorf("decoding base64url: %w", err)
	}
	return b, nil
}
