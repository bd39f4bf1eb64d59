package interop

import (
	"os/exec"
	"path/filepath"
	"testing"
)

// TestIdentityOfTheNewestPlayer holds the recorded identities to hls.js 1.7.4 and the published engine: the
// vectors were recorded with an older hls.js.
func TestIdentityOfTheNewestPlayer(t *testing.T) {
	t.Parallel()
	vectors, err := filepath.Abs("../../runtime/loader/identity/testdata")
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), "node", "identity/check.cjs", "--modules", "node_modules", "--vectors", vectors).CombinedOutput()
	if err != nil {
		t.Fatalf("checking identities: %v\n%s", err, out)
	}
	t.Logf("%s", out)
}

// TestCorpusOfTheNewestPlayers plays the corpus of manifests anew: hls.js and Shaka Player, each with its plug-in, make of it
// what the Go tests of the manifest rooms compare themselves with.
func TestCorpusOfTheNewestPlayers(t *testing.T) {
	t.Parallel()
	for _, script := range []string{"hls.cjs", "dash.cjs"} {
		out, err := exec.CommandContext(t.Context(), "node", "identity/"+script, "--modules", "node_modules", "--check").CombinedOutput()
		if err != nil {
			t.Errorf("%s: %v\n%s", script, err, out)
		}
		t.Logf("%s: %s", script, out)
	}
}
