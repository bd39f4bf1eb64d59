package tracker

import (
	"net/http"
	"strings"

	"github.com/p2pstream/p2pstream/runtime/tracker/doors"
	"github.com/p2pstream/p2pstream/runtime/tracker/sockets"
	"github.com/p2pstream/p2pstream/runtime/tracker/table"
)

// announcePath is where WebSockets of all streams are opened.
const announcePath = "/announce"

// entrance leads requests to the streams. A WebSocket may be opened at any path of a stand-alone tracker, since clients use
// many different ones.
func (s *Server) entrance() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if sockets.IsUpgrade(r) {
			s.sockets.ServeHTTP(w, r)
			return
		}
		st, rest := s.streams.at(s.withoutBase(r.URL.Path))
		switch {
		case s.streams.public != nil && isOverview(rest) && st == nil:
			s.streams.public.ServeHTTP(w, at(r, rest))
		case rest == "/" || rest == announcePath:
			http.Error(w, "this is a WebTorrent tracker; connect with a WebSocket client", http.StatusUpgradeRequired)
		case st == nil:
			w.Header().Set("Cache-Control", "no-store")
			w.Header().Set("Access-Control-Allow-Origin", "*")
			answerJSON(w, http.StatusNotFound, table.Refused{Error: "no stream of this tracker is here; its paths begin with /NAMESPACE/NAME/"})
		default:
			st.viewers.ServeHTTP(w, at(r, rest))
		}
	})
}

// withoutBase returns a path without what an entrance has led requests here by.
func (s *Server) withoutBase(path string) string {
	if base := s.cfg.BasePath; base != "" && strings.HasPrefix(path, base+"/") {
		return path[len(base):]
	}
	return path
}

// at returns the stream of a path, and the path within it; nil and the path itself if there is none.
func (s *streams) at(path string) (st *stream, rest string) {
	if s.only != nil {
		return s.only, path
	}
	namespace, after, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	name, rest, _ := strings.Cut(after, "/")
	if st = s.served.Load().byKey[table.Key{Namespace: namespace, Name: name}]; st == nil {
		return nil, path
	}
	return st, "/" + rest
}

// at returns the request for another path.
func at(r *http.Request, path string) *http.Request {
	if r.URL.Path == path {
		return r
	}
	out, u := *r, *r.URL
	u.Path, u.RawPath = path, ""
	out.URL = &u
	return &out
}

// group returns the sockets of the stream that a request to connect is for: that of its path, or of the seeder token that it
// presents. At the path that all streams have in common, the first announce will tell.
func (s *Server) group(r *http.Request) *sockets.Group {
	if only := s.streams.only; only != nil {
		return only.group
	}
	path := s.withoutBase(r.URL.Path)
	if st, _ := s.streams.at(path); st != nil {
		return st.group
	}
	if path != "/" && path != announcePath {
		return nil
	}
	if kind, token, ok := strings.Cut(r.Header.Get("Authorization"), " "); ok && strings.EqualFold(kind, "Bearer") {
		st := s.streams.served.Load().byToken[doors.HashOf(strings.TrimSpace(token))]
		if st == nil {
			return s.streams.visitors.strangers
		}
		return st.group
	}
	return s.streams.visitors.group
}
