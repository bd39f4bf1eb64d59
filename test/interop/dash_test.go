package interop

import (
	"os/exec"
	"testing"
)

// TestMPDsOfTheNewestPlayer holds the recorded results for MPDs to the installed Shaka Player and the published plug-in.
func TestMPDsOfTheNewestPlayer(t *testing.T) {
	t.Parallel()
	out, err := exec.CommandContext(t.Context(), "node", "identity/dash.cjs", "--modules", "node_modules", "--check").CombinedOutput()
	if err != nil {
		t.Fatalf("checking MPDs: %v\n%s", err, out)
	}
	t.Logf("%s", out)
}
