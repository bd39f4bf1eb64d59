package prose

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"strconv"
	"strings"
)

// passage is text that a person reads in one go. Phrases may span its lines.
type passage []line

// line is one line of a passage; number counts from 1.
type line struct {
	number int
	text   string
}

// goPassages returns the comments of a Go file and, unless it is a test, its string literals. Literals that are added
// up to one text are one passage.
func goPassages(name string, source []byte) ([]passage, error) {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, name, source, parser.ParseComments)
	if err != nil {
		return nil, fmt.Errorf("parsing Go file: %w", err)
	}
	var all []passage
	for _, group := range file.Comments {
		var p passage
		for _, c := range group.List {
			p = append(p, split(files.Position(c.Pos()).Line, c.Text)...)
		}
		all = append(all, p)
	}
	if strings.HasSuffix(name, "_test.go") {
		return all, nil
	}
	literal := func(lit *ast.BasicLit) passage {
		text, err := strconv.Unquote(lit.Value)
		if lit.Kind != token.STRING || err != nil {
			return nil
		}
		at := files.Position(lit.Pos()).Line
		if strings.HasPrefix(lit.Value, "`") {
			return split(at, text)
		}
		return passage{{at, text}}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ImportSpec:
			return false
		case *ast.BasicLit:
			if p := literal(n); p != nil {
				all = append(all, p)
			}
		case *ast.BinaryExpr:
			if n.Op != token.ADD {
				return true
			}
			// Its parts are seen once more, each by itself; check reports a finding once.
			var sum passage
			for _, part := range terms(n) {
				if lit, ok := part.(*ast.BasicLit); ok {
					sum = append(sum, literal(lit)...)
				}
			}
			all = append(all, sum)
		}
		return true
	})
	return all, nil
}

// terms returns the operands of a chain of additions in order.
func terms(e ast.Expr) []ast.Expr {
	sum, ok := e.(*ast.BinaryExpr)
	if !ok || sum.Op != token.ADD {
		return []ast.Expr{e}
	}
	return append(terms(sum.X), terms(sum.Y)...)
}

// inlineCode is what Markdown sets in code: names of things, not prose.
var inlineCode = regexp.MustCompile("`[^`\n]*`")

// textPassages splits any other file at empty lines.
func textPassages(name, source string) []passage {
	if strings.HasSuffix(name, ".md") {
		source = inlineCode.ReplaceAllString(source, "``")
	}
	var all []passage
	var p passage
	for _, l := range split(1, source) {
		if l.text == "" {
			all = append(all, p)
			p = nil
			continue
		}
		p = append(p, l)
	}
	return append(all, p)
}

// marks are what begins a line of a comment, quote or list.
var marks = regexp.MustCompile(`^(//|/\*|\*|#|>|<!--|-|\{\{-?)+\s`)

func split(first int, text string) passage {
	var p passage
	for i, t := range strings.Split(text, "\n") {
		p = append(p, line{first + i, strings.TrimSpace(marks.ReplaceAllString(strings.TrimSpace(t)+" ", ""))})
	}
	return p
}
