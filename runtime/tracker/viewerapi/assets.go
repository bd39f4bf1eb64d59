package viewerapi

import "net/http"

// assetsLabel stands for all scripts and pages in metrics.
const assetsLabel = "assets"

// assetRequests is how many times as many scripts and pages as other answers one address may request. They have a budget of
// their own, so that neither uses up the other's. A player page takes six of them, and is mostly in the browser's cache.
const assetRequests = 1

// limitAssets limits the requests for scripts and pages of each address: each answer may be a hundred times as long as its
// request.
func (h *Handler) limitAssets(next http.Handler) http.Handler {
	limit := newLimiter(assetRequests*h.cfg.RequestsPerSecond, assetRequests*h.cfg.RequestBurst)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !limit.allow(h.client(r), h.deps.Now()) {
			w.Header().Set("Retry-After", "1")
			h.fail(w, assetsLabel, http.StatusTooManyRequests, "", "too many requests from this address")
			return
		}
		next.ServeHTTP(w, r)
	})
}
