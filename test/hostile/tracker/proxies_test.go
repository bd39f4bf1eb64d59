package tracker

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/sites"
	"github.com/p2pstream/p2pstream/runtime/tracker/config"
	"github.com/p2pstream/p2pstream/test/lab"
)

// sitesFor are those of a tracker that trusts one address, 127.0.0.9, and whose sites are far away from this machine but for the
// one that attackers are in.
func sitesFor(from string) func(*config.Config) {
	return func(c *config.Config) {
		c.AllowNoOrigin = true
		c.ClientAddress = config.ClientAddressConfig{From: from}
		if from != config.FromSocket {
			c.ClientAddress.TrustedProxies = []string{"127.0.0.9/32"}
		}
		c.Limits.RequestsPerSecond, c.Limits.RequestBurst = 1, 50
		c.Sites = &config.SitesConfig{Config: sites.Config{List: []sites.Entry{
			{Name: "office", CIDRs: []string{"198.51.100.0/24", "2001:db8::/32"}},
			{Name: "attackers", CIDRs: []string{"127.0.0.0/8"}, Peering: sites.Off},
		}}}
	}
}

// TestStrangersCannotChooseTheirSite claims other addresses in all ways that proxies have, from addresses that are not
// trusted, at a tracker of each kind.
func TestStrangersCannotChooseTheirSite(t *testing.T) {
	t.Parallel()
	claims := map[string][]string{
		"X-Forwarded-For":         {"X-Forwarded-For: 198.51.100.7"},
		"through a trusted proxy": {"X-Forwarded-For: 198.51.100.7, 127.0.0.9"},
		"Forwarded":               {`Forwarded: for=198.51.100.7;proto=https`},
		"Forwarded, IPv6":         {`Forwarded: for="[2001:db8::7]:4711", for=127.0.0.9`},
		"both":                    {"X-Forwarded-For: 198.51.100.7", "Forwarded: for=198.51.100.7"},
		"names that some proxies use": {"X-Real-IP: 198.51.100.7", "True-Client-IP: 198.51.100.7", "CF-Connecting-IP: 198.51.100.7",
			"X-Client-IP: 198.51.100.7", "X-Cluster-Client-IP: 198.51.100.7", "X-ProxyUser-Ip: 198.51.100.7"},
		"nothing": nil,
	}
	proxied := map[string]string{
		"version 1": "PROXY TCP4 198.51.100.7 192.0.2.1 40000 443\r\n",
		"version 2": "\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c\xc6\x33\x64\x07\xc0\x00\x02\x01\x9c\x40\x01\xbb",
	}
	for _, from := range []string{config.FromSocket, config.FromForwarded, config.FromProxyProtocol} {
		t.Run(from, func(t *testing.T) {
			t.Parallel()
			s := closed(t, sitesFor(from))
			for name, headers := range claims {
				raw := "GET /v1/config HTTP/1.1\r\nHost: tracker\r\nConnection: close\r\n" + lines(headers) + "\r\n"
				if site, ok := siteIn(t, ask(t, s.Listen, newOrigin(), raw)); !ok || site != "attackers" {
					t.Errorf("%s: settings of the site %q", name, site)
				}
			}
			for name, header := range proxied {
				raw := header + "GET /v1/config HTTP/1.1\r\nHost: tracker\r\nConnection: close\r\n\r\n"
				if site, ok := siteIn(t, ask(t, s.Listen, newOrigin(), raw)); ok && site != "attackers" {
					t.Errorf("PROXY protocol, %s: settings of the site %q", name, site)
				}
			}
			// A stranger that names many addresses stays one client with one limit.
			before, stranger, refused := s.Tracker.Metrics(t), newOrigin(), 0
			for i := range 300 {
				raw := fmt.Sprintf("GET /v1/config HTTP/1.1\r\nHost: tracker\r\nConnection: close\r\nX-Forwarded-For: 198.51.100.%d\r\n\r\n", i%250)
				answer := ask(t, s.Listen, stranger, raw)
				if strings.HasPrefix(answer, "HTTP/1.1 429 ") {
					refused++
				} else if site, ok := siteIn(t, answer); ok && site != "attackers" {
					t.Fatalf("settings of the site %q", site)
				}
			}
			if refused == 0 {
				t.Error("a stranger that names many addresses has no limit")
			}
			for _, n := range s.Tracker.Metrics(t).Since(before, "p2pstream_tracker_client_address_problems_total") {
				if n > 0 {
					t.Error("headers of strangers are read")
				}
			}
		})
	}
}

func lines(headers []string) string {
	var b strings.Builder
	for _, h := range headers {
		b.WriteString(h + "\r\n")
	}
	return b.String()
}

// ask sends bytes from an attacker's address and returns the whole answer.
func ask(t *testing.T, address string, from int, raw string) string {
	t.Helper()
	c, err := lab.DialerFrom(from).Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.WriteString(c, raw); err != nil {
		return "" // closed already
	}
	b, err := io.ReadAll(c)
	if err != nil && !errors.Is(err, syscall.ECONNRESET) {
		t.Fatal(err)
	}
	return string(b)
}

// siteIn returns the site in an answer of /v1/config; ok is false if it is another answer.
func siteIn(t *testing.T, answer string) (site string, ok bool) {
	t.Helper()
	head, body, _ := strings.Cut(answer, "\r\n\r\n")
	if !strings.HasPrefix(head, "HTTP/1.1 200 ") {
		return "", false
	}
	start, end := strings.Index(body, "{"), strings.LastIndex(body, "}")
	var c struct{ Site string }
	if start < 0 || end < start || json.Unmarshal([]byte(body[start:end+1]), &c) != nil {
		t.Fatalf("answer %q", answer)
	}
	return c.Site, true
}
