package overview

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"
	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/p2pstream/p2pstream/runtime/tracker/addresses"
)

// Bounds of a guard. Verdicts are kept as long as controller-runtime keeps them for metrics.
const (
	verdicts       = 1024 // that are remembered, of each kind
	keepAllowed    = time.Minute
	keepRefused    = 10 * time.Second
	reviewTimeout  = 10 * time.Second
	reviewsASecond = 20 // of requests whose verdict is not remembered
	reviewsAtOnce  = 50
	// One address has a part of them, and who was allowed in the last hour has as many again: a flood of tokens that are none keeps
	// no one out who uses the dashboard.
	addressReviewsASecond = 5
	addressReviewsAtOnce  = 20
	regularFor            = time.Hour
	maxTokenBytes         = 16 << 10
	bearerScheme          = "Bearer"
	sayEvery              = 10 * time.Second // between log lines
	verbOfRequests        = "get"
)

// verdict is what the cluster says of a request: an HTTP status, and why.
type verdict struct {
	status int
	text   string
}

var allowed = verdict{status: http.StatusOK}

// guard asks the cluster whether the holder of a token may get a path.
type guard struct {
	api   client.Client
	now   func() time.Time
	limit *rate.Limiter
	each  *addresses.Limiter // of one address
	// regulars limits who was allowed lately.
	regulars *rate.Limiter
	count    func(result string) // of reviews
	// failed is called with errors of the API server, seldom.
	failed func(error)
	says   *rate.Limiter

	mu      sync.Mutex
	allowed map[question]time.Time // until when
	refused map[question]kept
}

// question is a token, by its hash, and what it is for.
type question struct {
	token [sha256.Size]byte
	path  string
}

type kept struct {
	verdict
	until time.Time
}

func newGuard(api client.Client, now func() time.Time, count func(string), failed func(error)) *guard {
	return &guard{api: api, now: now, count: count, failed: failed, says: rate.NewLimiter(rate.Every(sayEvery), 1),
		limit: rate.NewLimiter(reviewsASecond, reviewsAtOnce), regulars: rate.NewLimiter(reviewsASecond, reviewsAtOnce),
		each: addresses.NewLimiter(addressReviewsASecond, addressReviewsAtOnce), allowed: map[question]time.Time{}, refused: map[question]kept{}}
}

const needsToken = "this needs a token of the cluster whose holder may get the path: add #token=TOKEN to the address of the page, with what kubectl create token prints"

// of returns the verdict on a request for a path.
func (g *guard) of(r *http.Request, path string) verdict {
	kind, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	token = strings.TrimSpace(token)
	switch {
	case !strings.EqualFold(kind, bearerScheme) || token == "":
		return verdict{http.StatusUnauthorized, needsToken}
	case len(token) > maxTokenBytes:
		return verdict{http.StatusUnauthorized, "the token is too long"}
	}
	q := question{sha256.Sum256([]byte(token)), path}
	now := g.now()
	known, regular := g.known(q, now)
	if known != nil {
		return *known
	}
	if regular && !g.regulars.AllowN(now, 1) || !regular && !(g.each.Allow(addresses.Peer(r.RemoteAddr), now) && g.limit.AllowN(now, 1)) {
		g.count("limited")
		return verdict{http.StatusTooManyRequests, "too many requests with tokens that were not seen lately"}
	}
	ctx, cancel := context.WithTimeout(r.Context(), reviewTimeout)
	defer cancel()
	v, err := g.ask(ctx, token, path)
	if err != nil {
		g.count("error")
		if g.says.AllowN(now, 1) {
			g.failed(err)
		}
		return verdict{http.StatusBadGateway, "the API server cannot be asked about the token; the operator's log says why"}
	}
	if v == allowed {
		g.count("allowed")
	} else {
		g.count("refused")
	}
	g.keep(q, v, now)
	return v
}

// ask asks the API server.
func (g *guard) ask(ctx context.Context, token, path string) (verdict, error) {
	who := &authenticationv1.TokenReview{Spec: authenticationv1.TokenReviewSpec{Token: token}}
	if err := g.api.Create(ctx, who); err != nil {
		return verdict{}, fmt.Errorf("reviewing token: %w", err)
	}
	if !who.Status.Authenticated {
		return verdict{http.StatusUnauthorized, "the cluster does not know this token, or it has expired"}, nil
	}
	user := who.Status.User
	may := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{User: user.Username, UID: user.UID, Groups: user.Groups,
		NonResourceAttributes: &authorizationv1.NonResourceAttributes{Path: path, Verb: verbOfRequests}}}
	if len(user.Extra) > 0 {
		may.Spec.Extra = map[string]authorizationv1.ExtraValue{}
		for k, v := range user.Extra {
			may.Spec.Extra[k] = authorizationv1.ExtraValue(v)
		}
	}
	if err := g.api.Create(ctx, may); err != nil {
		return verdict{}, fmt.Errorf("reviewing access: %w", err)
	}
	if !may.Status.Allowed {
		return verdict{http.StatusForbidden, "no role lets this user get " + path + "; bind the role of viewers of the dashboard"}, nil
	}
	return allowed, nil
}

// known returns the verdict that is remembered, nil if there is none, and whether that was to allow it lately.
func (g *guard) known(q question, now time.Time) (known *verdict, regular bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if until, ok := g.allowed[q]; ok {
		if now.Before(until) {
			return &allowed, true
		}
		return nil, now.Before(until.Add(regularFor))
	}
	if k, ok := g.refused[q]; ok && now.Before(k.until) {
		return &k.verdict, false
	}
	return nil, false
}

// keep remembers a verdict. When there are too many of its kind, all of these are asked for again.
func (g *guard) keep(q question, v verdict, now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.allowed, q)
	delete(g.refused, q)
	if v == allowed {
		if len(g.allowed) >= verdicts {
			clear(g.allowed)
		}
		g.allowed[q] = now.Add(keepAllowed)
		return
	}
	if len(g.refused) >= verdicts {
		clear(g.refused)
	}
	g.refused[q] = kept{v, now.Add(keepRefused)}
}
