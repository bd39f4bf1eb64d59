package entrance

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// route leads requests for a host, below a path, to an upstream.
type route struct {
	Host, Path string // a path of "/" or "" is all
	Upstream   string // host:port
	Through    bool   // TLS passes through; the path means nothing
}

// certificate of a Secret, in PEM.
type certificate struct{ Cert, Key string }

// table is all that the proxy has to know.
type table struct {
	Listen        string
	Idle          time.Duration
	ProxyProtocol bool
	Routes        []route
	Certificates  []certificate
}

type object = map[string]any

// streamsStay is how long a WebSocket outlives the configuration under which it began: without it, each load cuts all of them.
const streamsStay = time.Hour

// config is the table as Caddy reads it, with the admin socket that it was given.
func (t table) config(socket string) ([]byte, error) {
	server := object{
		"listen":                  []string{t.Listen},
		"protocols":               []string{"h1", "h2"}, // no QUIC: its port is that of no Service
		"automatic_https":         object{"disable": true},
		"tls_connection_policies": []any{object{}},
		"listener_wrappers": []any{
			object{"wrapper": "idle", "timeout": t.Idle.Nanoseconds()},
			object{"wrapper": "layer4", "routes": t.through()},
			object{"wrapper": "tls"},
		},
		"routes": t.requests(),
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

// through are the routes of connections whose TLS passes through.
func (t table) through() []any {
	routes := []any{}
	for _, r := range t.Routes {
		if r.Through {
			handler := object{"handler": "proxy", "upstreams": []any{object{"dial": []string{r.Upstream}}}}
			if t.ProxyProtocol {
				handler["proxy_protocol"] = "v2"
			}
			routes = append(routes, object{"match": []any{object{"tls": object{"sni": []string{r.Host}}}}, "handle": []any{handler}})
		}
	}
	return routes
}

// requests are the routes of requests, the longest paths first as Ingresses and HTTPRoutes ask for.
func (t table) requests() []any {
	routes := []any{}
	for _, r := range sorted(t.Routes) {
		if r.Through {
			continue
		}
		match := object{"host": []string{r.Host}}
		if path := strings.TrimSuffix(r.Path, "/"); path != "" {
			match["path"] = []string{path, path + "/*"}
		}
		transport := object{"protocol": "http"}
		if t.ProxyProtocol {
			transport["proxy_protocol"] = "v2"
		}
		routes = append(routes, object{"match": []any{match}, "terminal": true, "handle": []any{
			object{"handler": "reverse_proxy", "upstreams": []any{object{"dial": r.Upstream}}, "transport": transport,
				"stream_close_delay": streamsStay.Nanoseconds()}}})
	}
	return routes
}
