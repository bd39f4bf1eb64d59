//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	v1 "github.com/p2pstream/p2pstream/api/v1"
)

// awaitHandedOut waits until the settings that players get contain text: a tracker takes a moment to read what the
// operator has written.
func awaitHandedOut(ctx context.Context, s *v1.P2PStream, text string) {
	GinkgoHelper()
	Eventually(ctx, fetch).WithArguments(configURL(ctx, s)).Should(ContainSubstring(text))
}

// fetch returns the body of a tracker's answer.
func fetch(ctx context.Context, address string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return "", fmt.Errorf("asking tracker: %w", err)
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
