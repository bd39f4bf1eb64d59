package viewerapi

import (
	"net/http"
	"strings"
	"time"

	"github.com/p2pstream/p2pstream/runtime/telemetry"
	"github.com/p2pstream/p2pstream/runtime/tracker/doors"
	"github.com/p2pstream/p2pstream/runtime/tracker/joins"
	"github.com/p2pstream/p2pstream/runtime/tracker/stats"
)

// refusal is why a request is not answered.
type refusal struct {
	status int
	reason telemetry.Reason // in the answer and in the metric
	text   string
}

var (
	refusedOrigin = &refusal{http.StatusForbidden, "Origin",
		"pages of this origin may not use the tracker; add the origin to allowedOrigins"}
	refusedNoOrigin = &refusal{http.StatusForbidden, "NoOrigin",
		"requests without an Origin need a ticket or a token; send the Origin of the page, or set allowNoOrigin"}
	refusedNoTicket = &refusal{http.StatusUnauthorized, "NoTicket", "this needs a ticket of /v1/config, as ?t= or Authorization: Bearer"}
	refusedNoToken  = &refusal{http.StatusUnauthorized, "NoToken", "a viewer token is required, as Authorization: Bearer or ?token="}
)

// doorReasons are the reasons, for registering one counter for each.
var doorReasons = []telemetry.Reason{refusedOrigin.reason, refusedNoOrigin.reason, refusedNoTicket.reason, refusedNoToken.reason, invalidToken}

// invalidToken is the reason for a token that is not accepted; the text of the refusal says why.
const invalidToken telemetry.Reason = "InvalidToken"

// shut answers a request that is refused at the door.
func (h *Handler) shut(w http.ResponseWriter, path string, why *refusal) {
	h.metrics.refused.WithLabelValues(string(why.reason)).Inc()
	if why.status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", "Bearer")
	}
	h.fail(w, path, why.status, why.reason, why.text)
}

// guard returns why a request is refused, nil if it is not. A report is not asked here: it carries its ticket inside.
func (h *Handler) guard(path string, r *http.Request) *refusal {
	if path == telemetryPath || h.isSeeder(r) || path == HashesPath && h.joined(r).ID != "" {
		return nil
	}
	now := h.deps.Now()
	guarded := h.deps.Token != nil
	switch {
	case guarded && (path == configPath || path == PoliciesPath):
		// A ticket gives no further tickets, or a page would stay for longer than its token allows.
		return h.checkToken(viewerToken(r), now)
	case guarded && path == stats.Path:
		return refusedNoToken
	case h.hasTicket(r, now):
		return nil
	case guarded:
		return refusedNoTicket
	case r.Header.Get("Origin") != "", h.cfg.AllowNoOrigin, isInternal(r.Context()), h.ownPage(r):
		return nil
	}
	return refusedNoOrigin
}

// checkToken returns why a viewer's token is refused.
func (h *Handler) checkToken(token string, now time.Time) *refusal {
	if token == "" {
		return refusedNoToken
	}
	if err := h.deps.Token(token, now); err != nil {
		return &refusal{http.StatusUnauthorized, invalidToken, err.Error()}
	}
	return nil
}

// ownPage tells whether a browser says that its page comes from this host, and the host is certainly the tracker's. Where
// all pages are allowed, it does not matter whose page it is.
// Browsers send no Origin with a GET to the page's own host, and Sec-Fetch-Site only where connections are secure.
func (h *Handler) ownPage(r *http.Request) bool {
	site := r.Header.Get("Sec-Fetch-Site")
	return site != "" && h.origins.All() || site == "same-origin" && h.origins.Own(h.host(r))
}

// isSeeder tells whether a request carries a seeder token.
func (h *Handler) isSeeder(r *http.Request) bool {
	token, ok := bearer(r)
	if !ok {
		return false
	}
	if h.deps.Seeders != nil {
		return h.deps.Seeders().Has(token)
	}
	return doors.Seeders{Tokens: []string{h.deps.SeederToken()}}.Has(token)
}

// joined returns the credential of an edge seeder that has no token; its id is empty if the request has none.
func (h *Handler) joined(r *http.Request) (c joins.Credential) {
	text, ok := bearer(r)
	if !ok || h.deps.Join == nil || !joins.Is(text) {
		return c
	}
	c, err := h.deps.Join(text)
	if err != nil {
		return joins.Credential{}
	}
	return c
}

// hasTicket tells whether a request carries a ticket that fits its origin.
func (h *Handler) hasTicket(r *http.Request, now time.Time) bool {
	text := r.URL.Query().Get("t")
	if text == "" {
		text = r.URL.Query().Get("session")
	}
	if text == "" {
		text, _ = bearer(r)
	}
	if text == "" {
		return false
	}
	ticket, err := h.deps.Keys().Verify(text, h.cfg.Stream, now)
	origin := r.Header.Get("Origin")
	return err == nil && (origin == "" || ticket.Fits(origin))
}

// viewerToken returns the token of a request; empty: it has none.
func viewerToken(r *http.Request) string {
	if token, ok := bearer(r); ok {
		return token
	}
	return r.URL.Query().Get("token")
}

func bearer(r *http.Request) (token string, ok bool) {
	kind, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	return strings.TrimSpace(token), strings.EqualFold(kind, "Bearer")
}
