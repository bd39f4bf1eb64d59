package lab

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"
)

// requestTime is how long one request may take.
const requestTime = 10 * time.Second

// Client is a page to servers. It keeps no connection after a request: none is counted as the program's, and no goroutine is left behind.
var Client = &http.Client{Timeout: requestTime, Transport: AsPage(&http.Transport{DisableKeepAlives: true})}

// Fetch returns the body at a URL. A status other than 200 is an error.
func Fetch(ctx context.Context, url string) ([]byte, error) { return fetch(ctx, url, "") }

// fetch is Fetch by a holder of a token; empty: without.
func fetch(ctx context.Context, url, token string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, fmt.Errorf("making a request for %s: %w", url, err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := Client.Do(req)
	if err != nil {
		return nil, err // it names the method and the URL
	}
	defer func() { _ = resp.Body.Close() }() // read to its end
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", url, err)
	}
	if resp.StatusCode != http.StatusOK {
		return body, fmt.Errorf("getting %s: status %s", url, resp.Status)
	}
	return body, nil
}

// FetchJSON decodes the JSON at a URL.
func FetchJSON[T any](ctx context.Context, url string) (v T, err error) {
	return FetchJSONAs[T](ctx, url, "")
}

// FetchJSONAs is FetchJSON by a holder of a token.
func FetchJSONAs[T any](ctx context.Context, url, token string) (v T, err error) {
	body, err := fetch(ctx, url, token)
	if err != nil {
		return v, err
	}
	if err := json.Unmarshal(body, &v); err != nil {
		return v, fmt.Errorf("decoding %s: %w\n%s", url, err, body)
	}
	return v, nil
}

// Get is Fetch for tests.
func Get(t testing.TB, url string) []byte {
	t.Helper()
	return Must[[]byte](t)(Fetch(context.Background(), url)) // in clean-ups the context of the test has ended
}

// Answers is a condition: the URL answers with status 200.
func Answers(ctx context.Context, url string) func() error {
	return func() error {
		_, err := Fetch(ctx, url)
		return err
	}
}
