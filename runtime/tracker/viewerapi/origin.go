package viewerapi

import (
	"context"
	"maps"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/p2pstream/p2pstream/runtime/tracker/addresses"
)

// allowOrigin sets the cross-origin headers (Fetch standard, "CORS protocol") and reports whether the page that sent
// the request may use the API. A request without an Origin header is not a cross-origin request of a page.
func (h *Handler) allowOrigin(w http.ResponseWriter, r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if h.origins.All() {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		return true
	}
	w.Header().Add("Vary", "Origin")
	if h.origins.Listed(origin) {
		w.Header().Set("Access-Control-Allow-Origin", origin)
		return true
	}
	return origin == "" || h.origins.Allow(origin, h.host(r))
}

func (h *Handler) preflight(w http.ResponseWriter, allowed bool, methods map[string]http.HandlerFunc) {
	if allowed {
		w.Header().Set("Access-Control-Allow-Methods", allow(methods))
		w.Header().Set("Access-Control-Allow-Headers", "Content-Type, Authorization")
		w.Header().Set("Access-Control-Max-Age", "7200")
	}
	w.WriteHeader(http.StatusNoContent)
}

func allow(methods map[string]http.HandlerFunc) string {
	return strings.Join(append(slices.Sorted(maps.Keys(methods)), http.MethodOptions), ", ")
}

// embedders are the origins of pages that may show the player in a frame: those that may use the API.
func (h *Handler) embedders() []string {
	if h.origins.All() {
		return []string{"*"}
	}
	return h.cfg.AllowedOrigins
}

type internalKey struct{}

// Internal marks the requests of a listener inside the cluster. Its clients reach the tracker under the host name in
// their requests, and possibly not under the one that viewers use.
func Internal(ctx context.Context) context.Context {
	return context.WithValue(ctx, internalKey{}, true)
}

func isInternal(ctx context.Context) bool { return ctx.Value(internalKey{}) != nil }

// base returns the URL that the handler's paths follow, as seen by the sender of the request; the host is empty when the request has none that
// is valid in a URL.
func (h *Handler) base(r *http.Request) url.URL {
	if h.cfg.ExternalURL != "" && !isInternal(r.Context()) {
		if u, err := url.Parse(h.cfg.ExternalURL); err == nil { // Validate has parsed it before
			u.Path = strings.TrimSuffix(u.Path, "/") + h.cfg.Path
			return *u
		}
	}
	scheme, host := "http", r.Host
	if r.TLS != nil {
		scheme = "https"
	}
	if addresses.From(r).Proxied {
		if proto := first(r.Header.Get("X-Forwarded-Proto")); proto == "http" || proto == "https" {
			scheme = proto
		}
		if forwarded := first(r.Header.Get("X-Forwarded-Host")); forwarded != "" {
			host = forwarded
		}
	}
	u, err := url.Parse(scheme + "://" + host)
	if err != nil || u.Host != host || u.Hostname() == "" || strings.ContainsFunc(host, invalidInHost) {
		return url.URL{}
	}
	u.Path = h.cfg.BasePath + h.cfg.Path
	return *u
}

// host is the host that the request is for, as a trusted proxy received it.
func (h *Handler) host(r *http.Request) string { return hostOf(r) }

func hostOf(r *http.Request) string {
	if addresses.From(r).Proxied {
		if forwarded := first(r.Header.Get("X-Forwarded-Host")); forwarded != "" {
			return forwarded
		}
	}
	return r.Host
}

// invalidInHost reports whether a character is not valid in a host name or an address. A Host header may hold others,
// and it becomes part of the settings that the tracker answers with.
func invalidInHost(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("-._:[]", r)
}

func first(list string) string {
	head, _, _ := strings.Cut(list, ",")
	return strings.ToLower(strings.TrimSpace(head))
}

// client returns the address of the client.
func (h *Handler) client(r *http.Request) netip.Addr { return addresses.From(r).Addr }
