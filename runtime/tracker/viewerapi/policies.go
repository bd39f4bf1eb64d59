package viewerapi

import (
	"errors"
	"net/http"

	"github.com/p2pstream/p2pstream/runtime/policies"
)

// PoliciesPath is where administrators get policies for the browsers of the stream's audience.
const PoliciesPath = "/v1/policies"

var errAllOrigins = errors.New("pages of all origins may use this tracker, and a policy for all would show local addresses to every page: " +
	"set allowedOrigins, or name the pages with: p2pstream policies --origin https://HOST")

// servePolicies answers with a policy file for the pages that may use the tracker, in the format of ?format=.
func (h *Handler) servePolicies(w http.ResponseWriter, r *http.Request) {
	format, err := policies.ParseFormat(r.URL.Query().Get("format"))
	if err != nil {
		h.fail(w, PoliciesPath, http.StatusBadRequest, "", "format: "+err.Error())
		return
	}
	set, err := h.policies()
	if err != nil {
		h.fail(w, PoliciesPath, http.StatusNotFound, "", err.Error())
		return
	}
	file := set.File(format)
	w.Header().Set("Content-Disposition", `attachment; filename="`+file.Name+`"`)
	h.writeAs(w, PoliciesPath, http.StatusOK, file.MediaType, file.Content)
}

// policies returns what the files are made from: the allowed origins, and the tracker's own if the operator has named it. The
// Host header of a request says nothing here: its sender chooses it. Origins that are not of web pages, such as those of
// apps, are left out, since browsers know no policies for them.
func (h *Handler) policies() (policies.Set, error) {
	if h.origins.All() {
		return policies.Set{}, errAllOrigins
	}
	var origins []string
	for _, text := range h.cfg.AllowedOrigins {
		if origin, err := policies.Origin(text); err == nil {
			origins = append(origins, origin)
		}
	}
	if h.cfg.ExternalURL != "" {
		if own, err := policies.TrackerOrigin(h.cfg.ExternalURL); err == nil {
			origins = append(origins, own)
		}
	}
	return policies.New(policies.Name(h.cfg.Stream), origins)
}
