package tickets

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"time"
)

const (
	// MinKey is the shortest key, in bytes: 128 bits.
	MinKey = 16
	// MaxKeys bounds the keys of a ring, retired ones included: each forged ticket costs one HMAC for each of them.
	MaxKeys = 8
	// Settle is how long a new key is only accepted before it signs: replicas see a changed Secret up to two minutes apart
	// (the kubelet's sync period and the lifetime of its cache).
	Settle = 3 * time.Minute
)

// Ring is the keys of a stream's tickets. It does not change; Change returns another one. The zero value has no key and
// must not be used.
type Ring struct {
	keys []ringKey
}

type ringKey struct {
	key   []byte
	signs time.Time // from then on; zero: at once
	gone  time.Time // when it was taken out of the configuration; zero: it is in it
}

// NewRing returns a ring with these keys of at least MinKey bytes: the first one signs, all are accepted.
func NewRing(keys ...[]byte) (*Ring, error) {
	return (&Ring{}).Change(keys, DefaultLifetime, time.Time{})
}

// Change returns a ring with the keys that are configured now. A new first key signs after Settle. Keys that are not
// configured any more are accepted for as long as tickets that they signed live.
func (r *Ring) Change(keys [][]byte, lifetime time.Duration, now time.Time) (*Ring, error) {
	next := &Ring{}
	if len(keys) == 0 {
		return nil, fmt.Errorf("changing keys of tickets: there is none")
	}
	if len(keys) > MaxKeys {
		return nil, fmt.Errorf("changing keys of tickets: %d keys are more than %d", len(keys), MaxKeys)
	}
	for _, key := range keys {
		if len(key) < MinKey {
			return nil, fmt.Errorf("changing keys of tickets: a key has %d bytes; it needs at least %d", len(key), MinKey)
		}
		k := ringKey{key: bytes.Clone(key)}
		if known := r.find(key); known != nil {
			k.signs = known.signs
		} else if len(r.keys) > 0 {
			k.signs = now.Add(Settle)
		}
		next.keys = append(next.keys, k)
	}
	for _, old := range r.keys {
		if next.find(old.key) != nil || len(next.keys) == MaxKeys {
			continue
		}
		if old.gone.IsZero() {
			old.gone = now
		}
		if now.Sub(old.gone) <= lifetime+Settle {
			next.keys = append(next.keys, old)
		}
	}
	return next, nil
}

func (r *Ring) find(key []byte) *ringKey {
	for i := range r.keys {
		if bytes.Equal(r.keys[i].key, key) {
			return &r.keys[i]
		}
	}
	return nil
}

// Signing returns the key that signs now; its owner may derive other keys from it.
func (r *Ring) Signing(now time.Time) []byte { return bytes.Clone(r.signing(now)) }

func (r *Ring) signing(now time.Time) []byte {
	for _, k := range r.keys {
		if !now.Before(k.signs) && k.gone.IsZero() {
			return k.key
		}
	}
	for _, k := range r.keys {
		if !now.Before(k.signs) { // all that are configured are new
			return k.key
		}
	}
	return r.keys[0].key
}

// open decodes a text into b and checks version and MAC. The error is ErrForged.
func (r *Ring) open(b []byte, text string, version byte, stream string) error {
	if len(text) != base64.RawURLEncoding.EncodedLen(len(b)) {
		return ErrForged
	}
	// Strict decoding: a ticket has exactly one spelling, so unused bits cannot make two sessions out of one.
	if _, err := base64.RawURLEncoding.Strict().Decode(b, []byte(text)); err != nil || b[0] != version {
		return ErrForged
	}
	body, got := b[:len(b)-macSize], b[len(b)-macSize:]
	for _, k := range r.keys {
		if hmac.Equal(got, mac(k.key, body, stream)) {
			return nil
		}
	}
	return ErrForged
}

// mac authenticates the first byte, which is the version, so that a text of one kind is never accepted as another kind.
func mac(key, body []byte, stream string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write(body) // of fixed length for each version
	h.Write([]byte(stream))
	return h.Sum(nil)[:macSize]
}
