package lab_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/p2pstream/p2pstream/test/lab"
)

func TestMain(m *testing.M) { os.Exit(lab.Main(m)) }

func TestRootHoldsTheModule(t *testing.T) {
	root, err := lab.Root()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(root, "cmd", "p2pstream")); err != nil {
		t.Error(err)
	}
	t.Chdir(t.TempDir())
	if root, err := lab.Root(); err == nil {
		t.Errorf("outside of the module it is %s", root)
	}
}

func TestFetchRefusesOtherStatuses(t *testing.T) {
	s := httptest.NewServer(http.NotFoundHandler())
	defer s.Close()
	if _, err := lab.Fetch(t.Context(), s.URL); err == nil {
		t.Error("status 404 is no error")
	}
}

func TestMetrics(t *testing.T) {
	before, err := lab.ParseMetrics([]byte("# HELP a x\na{of=\"b\",by=\"c\"} 1\na{of=\"d\"} 2\naa 4\n"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		got, want float64
	}{
		{before.Sum("a"), 3}, {before.Sum("a", `of="b"`), 1}, {before.Sum("a", `of="b"`, `by="c"`), 1}, {before.Sum("a", `of="d"`, `by="c"`), 0}, {before.Sum("aa"), 4},
	} {
		if c.got != c.want {
			t.Errorf("sum %v, want %v", c.got, c.want)
		}
	}
	after := lab.Metrics{"aa": 6, "b": 1, `a{of="d"}`: 2}
	if changed := after.Since(before, "a"); len(changed) != 1 || changed["aa"] != 2 {
		t.Errorf("changed: %v", changed)
	}
	if _, err := lab.ParseMetrics([]byte("nothing")); err == nil {
		t.Error("a line without a value is no error")
	}
}

func TestLoopbackAddressesAreNotUsedTwice(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		a := lab.LoopbackAddress()
		l, err := net.Listen("tcp", a)
		if err != nil {
			t.Fatal(err)
		}
		_ = l.Close()
		if seen[a] {
			t.Fatalf("%s was given out twice", a)
		}
		seen[a] = true
	}
}
