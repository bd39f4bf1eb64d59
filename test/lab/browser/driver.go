package browser

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// driver drives a running browser by the protocol that it speaks.
type driver interface {
	// open opens a tab in a window, with a cache and cookies of its own.
	open(ctx context.Context) (page, error)
	// close ends the browser and waits until it is gone.
	close()
}

// page is one tab.
type page interface {
	// navigate waits until the page is loaded.
	navigate(ctx context.Context, url string) error
	// evaluate runs a script and waits for its promise.
	evaluate(ctx context.Context, s script) ([]byte, error)
	// close closes the tab as a user does.
	close()
}

// script is JavaScript for a page.
type script struct {
	text   string
	valued bool // it is an expression, whose value is wanted, in JSON; there is none if it is undefined
	byUser bool // it is what a click does
}

// value is the value of an expression in a page.
func value[T any](ctx context.Context, p page, expression string) (v T, err error) {
	raw, err := p.evaluate(ctx, script{text: expression, valued: true})
	if err != nil {
		return v, err
	}
	if len(raw) == 0 {
		return v, errors.New("its value is undefined")
	}
	if err := json.Unmarshal(raw, &v); err != nil {
		return v, fmt.Errorf("decoding its value: %w", err)
	}
	return v, nil
}

// find returns the first program of these names that the machine has, or the one that a variable of the environment names.
// The error names the next step.
func find(kind Kind, variable string, names ...string) (string, error) {
	if named := os.Getenv(variable); named != "" {
		names = append([]string{named}, names...)
	}
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("finding %s: there is none; run: make deps, or name one in %s", kind, variable)
}

// makeHome makes the directory for all files that a browser writes. Its path is short, because sockets in it have
// paths of at most 107 bytes, which the name of a test can use up.
func makeHome(kind Kind) (string, error) {
	home, err := os.MkdirTemp("", "p2ps-"+strings.ToLower(string(kind))+"-")
	if err != nil {
		return "", fmt.Errorf("making a directory for %s: %w", kind, err)
	}
	return home, nil
}
