package viewerapi

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
)

// TestEveryReasonIsExplained: what a verdict can say is in docs/origins.md, and what a condition can say in the API.
func TestEveryReasonIsExplained(t *testing.T) {
	const root = "../../.."
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, "runtime/loader/manifest/peerability.go"), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	read := func(name string) string {
		t.Helper()
		b, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	page, api := read("docs/origins.md"), read("api/v1/p2pstream_conditions.go")
	notes := []string{manifest.NeedsCookie, manifest.MasterRedirected} // never reasons of a condition
	found := 0
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Values) != 1 {
			return true
		}
		literal, ok := spec.Values[0].(*ast.BasicLit)
		if !ok || literal.Kind != token.STRING || strconv.Quote(spec.Names[0].Name) != literal.Value || spec.Names[0].Name == manifest.Peerable {
			return true
		}
		reason := spec.Names[0].Name
		found++
		if strings.Count(page, "`"+reason+"`") < 2 {
			t.Errorf("docs/origins.md needs a row and a paragraph on %s", reason)
		}
		if !slices.Contains(notes, reason) && !strings.Contains(api, literal.Value) {
			t.Errorf("api/v1 has no reason %s", reason)
		}
		return true
	})
	if found < 10 {
		t.Errorf("only %d reasons found", found)
	}
}
