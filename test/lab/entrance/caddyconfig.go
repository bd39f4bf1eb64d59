package entrance

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

type object = map[string]any

// errThrough is of a route that HAProxy serves and Caddy does not: it decrypts everything.
var errThrough = errors.New("of Caddy: TLS does not pass through it")

// caddy is the table as Caddy reads it, with the admin socket that it was given.
func (t table) caddy(socket string) ([]byte, error) {
	routes, err := t.handlers()
	if err != nil {
		return nil, err
	}
	server := object{
		"listen":                  []string{t.Listen},
		"protocols":               []string{"h1", "h2"}, // no QUIC: its port is that of no Service
		"automatic_https":         object{"disable": true},
		"tls_connection_policies": []any{object{}},
		"listener_wrappers":       []any{object{"wrapper": "idle", "timeout": t.Idle.Nanoseconds()}, object{"wrapper": "tls"}},
		"routes":                  routes,
	}
	pairs := []any{}
	for _, c := range t.Certificates {
		pairs = append(pairs, object{"certificate": c.Cert, "key": c.Key})
	}
	raw, err := json.Marshal(object{
		"admin": object{"listen": "unix/" + socket, "config": object{"persist": false}},
		"apps": object{
			"http": object{"servers": object{"entrance": server}},
			"tls":  object{"certificates": object{"load_pem": pairs}},
		},
	})
	if err != nil {
		return nil, fmt.Errorf("encoding configuration: %w", err)
	}
	return raw, nil
}

// handlers are the routes of requests, those with the longest paths first as Ingresses and HTTPRoutes ask for.
func (t table) handlers() ([]any, error) {
	handlers := []any{}
	for _, i := range longestFirst(t.Routes) {
		r := t.Routes[i]
		if r.Through {
			return nil, fmt.Errorf("leading to host %q: %w", r.Host, errThrough)
		}
		match := object{"host": []string{r.Host}}
		if path := strings.TrimSuffix(r.Path, "/"); path != "" {
			match["path"] = []string{path, path + "/*"}
		}
		transport := object{"protocol": "http"}
		if t.ProxyProtocol {
			transport["proxy_protocol"] = "v2"
		}
		handlers = append(handlers, object{"match": []any{match}, "terminal": true, "handle": []any{
			object{"handler": "reverse_proxy", "upstreams": []any{object{"dial": r.Upstream}}, "transport": transport,
				"stream_close_delay": streamsStay.Nanoseconds()}}})
	}
	return handlers, nil
}
