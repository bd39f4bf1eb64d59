package manager

import (
	"crypto/tls"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// checkDashboard requires that a running operator shows its streams to who has a token and a role, and to no others, as a real API
// server decides.
func checkDashboard(t *testing.T, admin client.Client, address string) {
	t.Helper()
	browser := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	defer browser.CloseIdleConnections()
	ask := func(path, token string) (int, string) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+address+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if token != "" {
			r.Header.Set("Authorization", "Bearer "+token)
		}
		answer, err := browser.Do(r)
		if err != nil {
			return 0, err.Error()
		}
		defer func() { _ = answer.Body.Close() }()
		body, _ := io.ReadAll(answer.Body)
		return answer.StatusCode, string(body)
	}
	account := func(name string) string {
		t.Helper()
		sa := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name}}
		if err := admin.Create(t.Context(), sa); err != nil {
			t.Fatal(err)
		}
		request := &authenticationv1.TokenRequest{}
		if err := admin.SubResource("token").Create(t.Context(), sa, request); err != nil {
			t.Fatal(err)
		}
		return request.Status.Token
	}
	stranger, reader := account("stranger"), account("reader")
	role := &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: "dashboard"}, Rules: []rbacv1.PolicyRule{{NonResourceURLs: []string{"/v1/history", "/v1/history.csv"}, Verbs: []string{"get"}}}}
	binding := &rbacv1.ClusterRoleBinding{ObjectMeta: metav1.ObjectMeta{Name: "dashboard"}, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "dashboard"},
		Subjects: []rbacv1.Subject{{Kind: "ServiceAccount", Namespace: "default", Name: "reader"}}}
	for _, object := range []client.Object{role, binding} {
		if err := admin.Create(t.Context(), object); err != nil {
			t.Fatal(err)
		}
	}
	if status, page := ask("/dashboard", ""); status != http.StatusOK || !strings.Contains(page, `data-page="network"`) {
		t.Errorf("page: %d", status)
	}
	for _, path := range []string{"/v1/history", "/v1/history.csv"} {
		for token, want := range map[string]int{"": http.StatusUnauthorized, "guess": http.StatusUnauthorized, stranger: http.StatusForbidden} {
			if status, text := ask(path, token); status != want || strings.Contains(text, "live") {
				t.Errorf("%s with token %.8q: %d %s", path, token, status, text)
			}
		}
	}
	eventually(t, "the stream on the dashboard", func() bool {
		status, text := ask("/v1/history", reader)
		return status == http.StatusOK && strings.Contains(text, `"of":"cluster","streams":1`) && strings.Contains(text, `"namespace":"default","name":"live"`)
	})
	eventually(t, "the table", func() bool { // another round may begin at any time: nothing listens for a moment
		status, text := ask("/v1/history.csv", reader)
		return status == http.StatusOK && strings.HasPrefix(text, "time,covered_seconds")
	})
}
