//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/controllers/plan"
	"github.com/p2pstream/p2pstream/runtime/tracker/stats"
)

// awaitHandedOut waits until the settings that players get contain text: a tracker takes a moment to read what the
// operator has written.
func awaitHandedOut(ctx context.Context, s *v1.P2PStream, text string) {
	GinkgoHelper()
	Eventually(ctx, fetch).WithArguments(configURL(ctx, s)).Should(ContainSubstring(text))
}

// fetch returns the body of a tracker's answer.
func fetch(ctx context.Context, address string) (string, error) { return fetchAs(ctx, address, "") }

// fetchStats returns all statistics of the stream's tracker, whose URL for settings is given. They are for holders of the
// seeder token.
func fetchStats(ctx context.Context, s *v1.P2PStream, config string) (string, error) {
	var secret corev1.Secret
	if err := k8s.Get(ctx, client.ObjectKey{Namespace: s.Namespace, Name: plan.TokenSecretName(s.Name)}, &secret); err != nil {
		return "", fmt.Errorf("reading the seeder token: %w", err)
	}
	return fetchAs(ctx, strings.Replace(config, "/v1/config", stats.Path, 1), string(secret.Data[plan.TokenKey]))
}

// fetchAs is fetch by a holder of a token; empty: without.
func fetchAs(ctx context.Context, address, token string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return "", fmt.Errorf("asking tracker: %w", err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := trusting.Do(req)
	if err != nil {
		return "", fmt.Errorf("asking tracker: %w", err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return "", fmt.Errorf("reading its answer: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%s: status %d: %s", address, resp.StatusCode, body)
	}
	return string(body), nil
}
