package entrance

import (
	"fmt"
	"path/filepath"
	"strings"
)

// haproxy is the table as HAProxy reads it. One port takes all connections: by the name that a client asks for in its first message,
// TLS passes through, or ends at a second frontend behind a socket in folder.
func (t table) haproxy(folder, certificates, socket string) string {
	var b strings.Builder
	line := func(format string, args ...any) { _, _ = fmt.Fprintf(&b, format+"\n", args...) }
	requests := "unix@" + filepath.Join(folder, "requests.sock")
	line("global")
	line("  stats socket unix@%s level user expose-fd listeners", socket)
	line("  hard-stop-after %ds", int(streamsStay.Seconds()))
	line("defaults")
	line("  timeout connect 5s")
	for _, of := range []string{"client", "server", "tunnel", "client-fin"} {
		line("  timeout %s %dms", of, t.Idle.Milliseconds())
	}
	line("frontend connections")
	line("  mode tcp")
	line("  bind %s", t.Listen)
	line("  tcp-request inspect-delay 10s")
	line("  tcp-request content accept if { req.ssl_hello_type 1 }")
	line("  tcp-request content reject")
	for i, r := range t.Routes {
		if r.Through {
			line("  use_backend through-%d if { req.ssl_sni -i %s }", i, r.Host)
		}
	}
	if len(t.Certificates) > 0 {
		line("  default_backend ended-here")
		line("backend ended-here")
		line("  mode tcp")
		line("  server requests %s send-proxy-v2", requests)
		t.requests(line, requests, certificates)
	}
	for i, r := range t.Routes {
		t.backend(line, i, r)
	}
	return b.String()
}

// requests is the frontend at which TLS ends: it leads requests, those with the longest paths first as Ingresses and HTTPRoutes ask for.
func (t table) requests(line func(string, ...any), socket, certificates string) {
	line("frontend requests")
	line("  mode http")
	line("  bind %s mode 600 accept-proxy ssl crt %s alpn h2,http/1.1", socket, certificates)
	line("  http-request set-header X-Forwarded-Proto https")
	for _, i := range longestFirst(t.Routes) {
		r := t.Routes[i]
		if r.Through {
			continue
		}
		host := fmt.Sprintf("{ req.hdr(host),field(1,:) -i %s }", r.Host)
		if path := strings.TrimSuffix(r.Path, "/"); path != "" {
			line("  use_backend request-%d if %s { path %s }", i, host, path)
			host += fmt.Sprintf(" { path_beg %s/ }", path)
		}
		line("  use_backend request-%d if %s", i, host)
	}
}

// backend is where a route leads.
func (t table) backend(line func(string, ...any), i int, r route) {
	if r.Through {
		line("backend through-%d", i)
		line("  mode tcp")
	} else {
		line("backend request-%d", i)
		line("  mode http")
		line("  option forwardfor")
	}
	end := ""
	if t.ProxyProtocol {
		end = " send-proxy-v2"
	}
	line("  server upstream %s%s", r.Upstream, end)
}
