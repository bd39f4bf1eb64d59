package controllers

import (
	"context"
	"maps"
	"strings"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/controllers/exposure"
)

// maxGateways bounds the Gateways that are remembered; most clusters have fewer than ten.
const maxGateways = 256

// gateways reads the Gateways that streams and networks name, past the cache: they are few, and often in a namespace that the
// operator does not watch.
type gateways struct {
	live client.Reader
	now  func() time.Time

	mu   sync.Mutex
	read map[string]gatewayRead
}

// gatewayRead is the last answer about one Gateway.
type gatewayRead struct {
	at    time.Time
	known bool // false where the operator may not read it
	exposure.Gateway
}

// of returns what is known of the Gateways of a stream. An API server that does not answer holds up this stream alone.
func (g *gateways) of(ctx context.Context, stream *v1.P2PStream) map[string]exposure.Gateway {
	names := exposure.Gateways(&stream.Spec, stream.Namespace)
	if len(names) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, classesTimeout)
	defer cancel()
	known := map[string]exposure.Gateway{}
	for _, name := range names {
		r, has := g.remembered(name)
		if !has {
			r = g.get(ctx, name)
			g.remember(name, r)
		}
		if r.known {
			known[name] = r.Gateway
		}
	}
	return known
}

// remembered is the last answer about a Gateway, unless it is old.
func (g *gateways) remembered(name string) (gatewayRead, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	r, has := g.read[name]
	return r, has && g.now().Sub(r.at) < classesEvery
}

func (g *gateways) remember(name string, r gatewayRead) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.now()
	maps.DeleteFunc(g.read, func(_ string, r gatewayRead) bool { return now.Sub(r.at) >= classesEvery })
	if g.read == nil {
		g.read = map[string]gatewayRead{}
	}
	if r.at = now; len(g.read) < maxGateways {
		g.read[name] = r
	}
}

func (g *gateways) get(ctx context.Context, name string) gatewayRead {
	namespace, own, _ := strings.Cut(name, "/")
	var found gatewayv1.Gateway
	err := g.live.Get(ctx, client.ObjectKey{Namespace: namespace, Name: own}, &found)
	switch {
	case err == nil:
		return gatewayRead{known: true, Gateway: exposure.GatewayOf(&found)}
	case apierrors.IsNotFound(err):
		return gatewayRead{known: true, Gateway: exposure.Gateway{Missing: true}}
	case !apierrors.IsForbidden(err) && !meta.IsNoMatchError(err):
		logger(ctx).Error(err, "reading Gateway; it is not reported as missing", "gateway", name)
	}
	return gatewayRead{}
}
