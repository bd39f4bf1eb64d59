package tracker

import (
	"os"
	"testing"

	"github.com/p2pstream/p2pstream/test/lab"
)

func TestMain(m *testing.M) { os.Exit(lab.Main(m)) }
