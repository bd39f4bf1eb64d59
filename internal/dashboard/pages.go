package dashboard

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"time"

	"github.com/p2pstream/p2pstream/internal/history"
)

// Paths of what a dashboard reads: the state now and the past, and the past as a table.
const (
	HistoryPath    = "/v1/history"
	HistoryCSVPath = "/v1/history.csv"
)

// historyVersion is the version of the format of HistoryPath.
const historyVersion = 1

// answer is that of HistoryPath.
type answer struct {
	Version int             `json:"v"`
	Now     json.RawMessage `json:"now"`
	Past    history.Series  `json:"history"`
}

// Pages answer for the past and for what is now.
type Pages struct {
	Past *Past
	// Now returns the JSON of what is now, for the query of a request.
	Now   func(url.Values) (json.RawMessage, error)
	Clock func() time.Time
	// Write answers, and counts the answer by its path.
	Write func(w http.ResponseWriter, path string, status int, mediaType string, body []byte)
}

// Fail answers with an error in JSON.
func (p Pages) Fail(w http.ResponseWriter, path string, status int, text string) {
	b, err := json.Marshal(map[string]string{"error": text})
	if err != nil { // cannot happen: it is text
		b = []byte(`{"error":"internal"}`)
	}
	p.Write(w, path, status, "application/json", b)
}

// Handlers returns what answers, by path. There are no cross-origin headers, so that no other page can read it.
func (p Pages) Handlers() map[string]http.HandlerFunc {
	return map[string]http.HandlerFunc{
		HistoryPath: p.of(HistoryPath, func(w http.ResponseWriter, asked url.Values, s history.Series) {
			now, err := p.Now(asked)
			var b []byte
			if err == nil {
				b, err = json.Marshal(answer{historyVersion, now, s})
			}
			if err != nil { // cannot happen: both can be marshaled
				p.Fail(w, HistoryPath, http.StatusInternalServerError, "internal")
				return
			}
			p.Write(w, HistoryPath, http.StatusOK, "application/json", b)
		}),
		HistoryCSVPath: p.of(HistoryCSVPath, func(w http.ResponseWriter, _ url.Values, s history.Series) {
			var b bytes.Buffer
			if err := s.WriteCSV(&b); err != nil { // cannot happen: memory takes everything
				p.Fail(w, HistoryCSVPath, http.StatusInternalServerError, "internal")
				return
			}
			w.Header().Set("Content-Disposition", `attachment; filename="history.csv"`)
			p.Write(w, HistoryCSVPath, http.StatusOK, "text/csv; charset=utf-8", b.Bytes())
		}),
	}
}

func (p Pages) of(path string, reply func(http.ResponseWriter, url.Values, history.Series)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Cache-Control", "no-store")
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Cross-Origin-Resource-Policy", "same-origin")
		if r.Method != http.MethodGet && r.Method != http.MethodHead && r.Method != http.MethodPost {
			header.Set("Allow", "GET, HEAD, POST")
			p.Fail(w, path, http.StatusMethodNotAllowed, "method not allowed; use GET or POST")
			return
		}
		asked := r.URL.Query()
		query, err := history.ParseQuery(asked, p.Clock())
		if err != nil {
			p.Fail(w, path, http.StatusBadRequest, err.Error())
			return
		}
		reply(w, asked, p.Past.Query(query))
	}
}
