package shares

import (
	"os"
	"testing"

	"github.com/p2pstream/p2pstream/test/lab"
)

// The test's own program is the attackers, too.
func TestMain(m *testing.M) {
	if text := os.Getenv(targetVariable); text != "" {
		os.Exit(attackersMain(text))
	}
	os.Exit(lab.Main(m))
}
