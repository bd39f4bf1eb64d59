package controllers

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"

	"k8s.io/apimachinery/pkg/types"

	"github.com/p2pstream/p2pstream/controllers/plan"
	"github.com/p2pstream/p2pstream/runtime/tracker/doors"
)

// MinKey is how many bytes a Key has at least.
const MinKey = 32

// Key is the operator's own secret. The tokens of networks and of the seeders in them are derived from it, so that the operator
// knows them without reading a Secret, also after a restart.
type Key []byte

// token for a purpose and an object.
func (k Key) token(purpose string, uid types.UID) string {
	mac := hmac.New(sha256.New, k)
	_, _ = mac.Write([]byte(purpose + "\x00" + string(uid))) // never fails
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// seederToken is what the seeders of an attached stream present.
func (k Key) seederToken(stream types.UID) string { return k.token("seeder of a stream", stream) }

// tableToken is what the operator presents to the trackers of a network.
func (k Key) tableToken(network types.UID) string { return k.token("table of a network", network) }

// operatorToken is what the operator presents to the tracker of a stream that has one of its own.
func (k Key) operatorToken(stream types.UID) string { return k.token("operator of a stream", stream) }

// secretName is the name of the Secret that holds a token. With another key there is another Secret, and pods start again with it.
func secretName(base, token string) string {
	sum := sha256.Sum256([]byte(token))
	return base + "-" + hex.EncodeToString(sum[:5])
}

func seederSecret(stream, token string) string {
	return secretName(plan.TokenSecretName(stream), token)
}

func tableSecret(network, token string) string {
	return secretName(plan.NetworkBase(network)+"-table", token)
}

func hashes(token string) []string { return []string{doors.HashOf(token).String()} }
