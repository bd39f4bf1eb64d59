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
)

// Bounds of a guard. Verdicts are kept as long as controller-runtime keeps them for metrics.
const (
	verdicts       = 1024 // that are remembered
	keepAllowed    = time.Minute
	keepRefused    = 10 * time.Second
	reviewTimeout  = 10 * time.Second
	reviewsASecond = 20 // of requests whose verdict is not remembered
	reviewsAtOnce  = 50
	maxTokenBytes  = 16 << 10
	bearerScheme   = "Bearer"
	sayEvery       = 10 * time.Second // between log lines
	verbOfRequests = "get"
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
	count func(result string) // of reviews
	// failed is called with errors of the API server, seldom.
	failed func(error)
	says   *rate.Limiter

	mu   sync.Mutex
	kept map[question]kept
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
	return &guard{api: api, now: now, count: count, failed: failed, says: rate.NewLimiter(rate.Every(sayEvery), 1), limit: rate.NewLimiter(reviewsASecond, reviewsAtOnce), kept: map[question]kept{}}
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
	g.mu.Lock()
	known, ok := g.kept[q]
	g.mu.Unlock()
	if ok && now.Before(known.until) {
		return known.verdict
	}
	if !g.limit.AllowN(now, 1) {
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
		g.keep(q, kept{v, now.Add(keepAllowed)})
	} else {
		g.count("refused")
		g.keep(q, kept{v, now.Add(keepRefused)})
	}
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

// keep remembers a verdict. When there are too many, all are asked for again.
func (g *guard) keep(q question, k kept) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.kept) >= verdicts {
		clear(g.kept)
	}
	g.kept[q] = k
}
