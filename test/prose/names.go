package prose

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"slices"
	"strings"
)

// unclearPackages say nothing of what a package owns, or name something else in Go: joining and fronting are done by
// many packages, and helpers belong to what they help.
var unclearPackages = []string{"common", "front", "helper", "helpers", "join", "misc", "shared", "util", "utils"}

// uniquePackages are names that are clear once, and confuse in two places.
var uniquePackages = []string{"check"}

// unclearFunctions need their comment to be understood.
var unclearFunctions = []string{"again", "face", "free", "one", "soon", "word"}

// names collects the packages of a tree and the findings in them.
type names struct {
	packages map[string][]string // folders by package name
	findings []finding
}

// add looks at the names that a Go file declares.
func (n *names) add(name string, source []byte) error {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, name, source, parser.SkipObjectResolution)
	if err != nil {
		return fmt.Errorf("parsing Go file: %w", err)
	}
	pkg, folder := strings.TrimSuffix(file.Name.Name, "_test"), path.Dir(name)
	if !slices.Contains(n.packages[pkg], folder) {
		if n.packages == nil {
			n.packages = map[string][]string{}
		}
		n.packages[pkg] = append(n.packages[pkg], folder)
		if slices.Contains(unclearPackages, pkg) {
			n.note(files, file.Name, "package "+pkg, "name the package by what it owns")
		}
		if slices.Contains(uniquePackages, pkg) && len(n.packages[pkg]) > 1 {
			n.note(files, file.Name, "package "+pkg, "is the name of "+n.packages[pkg][0]+" too; say what this one checks")
		}
	}
	for _, d := range file.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && slices.Contains(unclearFunctions, f.Name.Name) {
			n.note(files, f.Name, "func "+f.Name.Name, "name the function by what it does")
		}
	}
	return nil
}

func (n *names) note(files *token.FileSet, at ast.Node, what, hint string) {
	p := files.Position(at.Pos())
	n.findings = append(n.findings, finding{p.Filename, p.Line, what, hint})
}
