package web

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"
)

// maxDashboard bounds what a browser loads to show the dashboard for the first time, in bytes with gzip. The numbers come on top.
const maxDashboard = 150 << 10

func TestDashboardIsSmall(t *testing.T) {
	size := 0
	for path, a := range assets() {
		if path != "/dashboard" && path != networkPage && !strings.HasPrefix(path, "/dashboard/") {
			continue
		}
		if a.compressed == nil {
			size += len(a.body)
		}
		size += len(a.compressed)
	}
	if size == 0 || size > maxDashboard {
		t.Errorf("the dashboard has %d bytes with gzip, more than %d", size, maxDashboard)
	}
}

// TestDashboardStaysAtHome: the page loads nothing from anywhere else, and its policy sees to that.
func TestDashboardStaysAtHome(t *testing.T) {
	w := get(t, "/dashboard")
	page := w.Body.String()
	if regexp.MustCompile(`<script[^>]*>[^<]`).MatchString(page) || regexp.MustCompile(`\s(on[a-z]+|style)=`).MatchString(page) {
		t.Error("inline script, handler or style")
	}
	references := 0
	for _, m := range regexp.MustCompile(`(?:href|src)="([^"#]+)"`).FindAllStringSubmatch(page, -1) {
		if m[1] == "data:," {
			continue
		}
		references++
		path, hash, _ := strings.Cut(m[1], "?h=")
		if got := get(t, "/"+path); got.Code != 200 || hash != assets()["/"+path].hash {
			t.Errorf("%s: %d", m[1], got.Code)
		}
	}
	if references != 2 {
		t.Errorf("%d references, want style and script", references)
	}
	policy := w.Header().Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "connect-src 'self';", "script-src 'self';", "style-src 'self';"} {
		if !strings.Contains(policy, want) {
			t.Errorf("policy %q lacks %q", policy, want)
		}
	}
	if strings.Contains(policy, "unsafe") || strings.Contains(policy, "http:") {
		t.Errorf("policy %q", policy)
	}
	for _, path := range []string{"/dashboard", "/dashboard/dashboard.js", "/dashboard/dashboard.css"} {
		if got := get(t, path).Header().Get("Access-Control-Allow-Origin"); got != "" {
			t.Errorf("%s is for pages of %q", path, got)
		}
	}
	for _, path := range Paths() {
		if strings.HasPrefix(path, "/dashboard") {
			t.Errorf("%s is served to everyone", path)
		}
	}
}

// TestDashboardOfManyStreams: it takes the place of that of one, with the same scripts and the same policy, and no other path leads to it.
func TestDashboardOfManyStreams(t *testing.T) {
	ask := func(path string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		NetworkHandler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		return w
	}
	page := ask("/dashboard")
	if page.Code != 200 || !strings.Contains(page.Body.String(), `data-page="network"`) || page.Header().Get("Content-Security-Policy") != dashboardPolicy {
		t.Errorf("%d %v", page.Code, page.Header())
	}
	if regexp.MustCompile(`<script[^>]*>[^<]`).MatchString(page.Body.String()) || regexp.MustCompile(`\s(on[a-z]+|style)=`).MatchString(page.Body.String()) {
		t.Error("inline script, handler or style")
	}
	references := 0
	for _, m := range regexp.MustCompile(`(?:href|src)="(dashboard/[^"]+)"`).FindAllStringSubmatch(page.Body.String(), -1) {
		references++
		if got := ask("/" + m[1]); got.Code != 200 || got.Header().Get("Cache-Control") != immutable {
			t.Errorf("%s: %d", m[1], got.Code)
		}
	}
	if references != 2 {
		t.Errorf("%d references, want style and script", references)
	}
	for _, path := range append(Paths(), DashboardPaths()...) {
		if strings.HasPrefix(networkPage, strings.TrimSuffix(path, "/")) {
			t.Errorf("%s leads to the page", path)
		}
	}
}

// TestRunbooksOfTheDashboard: each problem that it names with a runbook has one, and links have its title.
func TestRunbooksOfTheDashboard(t *testing.T) {
	source, err := os.ReadFile("dashboard/problems.ts")
	if err != nil {
		t.Fatal(err)
	}
	names := regexp.MustCompile(`"(P2PStream\w+)"`).FindAllSubmatch(source, -1)
	for _, m := range names {
		page, err := os.ReadFile("../docs/runbooks/" + string(m[1]) + ".md")
		if err != nil {
			t.Errorf("%s has no runbook: %v", m[1], err)
			continue
		}
		title, _, _ := strings.Cut(strings.TrimPrefix(string(page), "# "), "\n")
		if !strings.Contains(string(source), fmt.Sprintf("  %s: %q,\n", m[1], title)) {
			t.Errorf("links to %s do not have its title %q", m[1], title)
		}
	}
	if len(names) < 8 {
		t.Errorf("%d runbooks", len(names))
	}
}
