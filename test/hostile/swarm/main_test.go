package swarm

import (
	"os"
	"testing"

	"github.com/p2pstream/p2pstream/test/lab"
)

func TestMain(m *testing.M) {
	lab.Parallel(16) // attackers mostly wait: more of them than there are processors
	os.Exit(lab.Main(m))
}
