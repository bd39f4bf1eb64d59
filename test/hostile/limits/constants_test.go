package limits

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/parser"
	"go/token"
	"go/types"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// module is the import path of the repository's packages.
const module = "github.com/p2pstream/p2pstream/"

// constantOf evaluates a constant of a package, which need not be exported. dir is the package's folder below root.
func constantOf(dir, name string) (string, error) {
	n, isTime, err := evaluate(dir, name)
	switch {
	case err != nil:
		return "", err
	case isTime:
		return duration(time.Duration(n)), nil
	}
	return thousands(n), nil
}

// evaluate computes a constant that is an expression of numbers, times and constants of the repository.
func evaluate(dir, name string) (n int64, isTime bool, err error) {
	file, value, err := find(dir, name)
	if err != nil {
		return 0, false, err
	}
	text := types.ExprString(value)
	isTime = strings.Contains(text, "time.")
	for unit, d := range map[string]time.Duration{"Millisecond": time.Millisecond, "Second": time.Second, "Minute": time.Minute, "Hour": time.Hour} {
		text = strings.ReplaceAll(text, "time."+unit, strconv.FormatInt(int64(d), 10))
	}
	for other, from := range foreign(file, value) {
		_, of, _ := strings.Cut(other, ".")
		m, otherIsTime, err := evaluate(from, of)
		if err != nil {
			return 0, false, fmt.Errorf("evaluating %s of %s: %w", name, dir, err)
		}
		text, isTime = strings.ReplaceAll(text, other, strconv.FormatInt(m, 10)), isTime || otherIsTime
	}
	v, err := types.Eval(token.NewFileSet(), nil, token.NoPos, text)
	if err != nil {
		return 0, false, fmt.Errorf("evaluating %s of %s: %w", name, dir, err)
	}
	n, exact := constant.Int64Val(constant.ToInt(v.Value))
	if !exact {
		return 0, false, fmt.Errorf("%s of %s is no integer: %s", name, dir, text)
	}
	return n, isTime, nil
}

// find returns the expression of a constant, and the file that it is in.
func find(dir, name string) (*ast.File, ast.Expr, error) {
	files, err := filepath.Glob(filepath.Join(root, dir, "*.go"))
	if err != nil {
		return nil, nil, err
	}
	for _, path := range files {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, nil, err
		}
		for _, d := range file.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok || g.Tok != token.CONST {
				continue
			}
			for _, s := range g.Specs {
				v := s.(*ast.ValueSpec)
				for i, n := range v.Names {
					if n.Name == name && i < len(v.Values) {
						return file, v.Values[i], nil
					}
				}
			}
		}
	}
	return nil, nil, fmt.Errorf("%s has no constant %s", dir, name)
}

// foreign lists constants of other packages of the repository in an expression, as in `signaling.MaxRequestedOffers`, with the
// folders of these packages.
func foreign(file *ast.File, e ast.Expr) map[string]string {
	folders := map[string]string{}
	for _, imported := range file.Imports {
		if dir, ours := strings.CutPrefix(strings.Trim(imported.Path.Value, `"`), module); ours {
			folders[path.Base(dir)] = dir
		}
	}
	found := map[string]string{}
	ast.Inspect(e, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if dir := folders[types.ExprString(s.X)]; dir != "" {
				found[types.ExprString(s)] = dir
			}
		}
		return true
	})
	return found
}
