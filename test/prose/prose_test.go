package prose

import (
	"fmt"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

func phrases(t *testing.T) []phrase {
	t.Helper()
	list, err := parsePhrases(phraseList)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// TestRepository names every place that has to be rewritten, and counts them by folder.
func TestRepository(t *testing.T) {
	found, err := scan(os.DirFS("../.."), phrases(t))
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]int{}
	for _, f := range found {
		t.Error(f)
		counts[path.Dir(f.file)]++
	}
	for _, folder := range slices.Sorted(maps.Keys(counts)) {
		t.Logf("%4d %s", counts[folder], folder)
	}
}

// TestEveryPhraseIsFound puts each phrase into each kind of text that is checked.
func TestEveryPhraseIsFound(t *testing.T) {
	for _, p := range phrases(t) {
		// Written over two lines, where it has two words.
		wrapped := func(prefix string) string { return strings.Replace(p.text, " ", "\n"+prefix, 1) }
		capital := strings.ToUpper(p.text[:1]) + p.text[1:]
		for name, source := range map[string]string{
			"message.go":      "package a\n\nvar s = \"a " + p.text + " b\"\n",
			"sum.go":          "package a\n\nvar s = \"a \" + \"" + strings.Replace(p.text, " ", " \" +\n\t\"", 1) + " b\"\n",
			"raw.go":          "package a\n\nvar s = `a\n" + capital + " b`\n",
			"comment.go":      "package a\n\n// s is " + wrapped("// ") + " b\nvar s int\n",
			"comment_test.go": "package a\n\nvar s = 1 // " + p.text + "\n",
			"page.md":         "# Title\n\na " + wrapped("") + " b\n",
			"values.yaml":     "a:\n  # " + capital + " b\n  b: 1\n",
			"script.sh":       "echo " + p.text + "\n",
			"page.html":       "<p>" + p.text + "</p>\n",
			"Makefile":        "all: ## " + p.text + "\n",
		} {
			found, err := scan(fstest.MapFS{"x/" + name: {Data: []byte(source)}}, phrases(t))
			if err != nil {
				t.Fatal(err)
			}
			if len(found) != 1 || found[0].what != p.text || found[0].hint != p.instead || found[0].file != "x/"+name {
				t.Errorf("%s with %q: found %v", name, p.text, found)
			}
		}
	}
}

// TestFindingsSayWhere reads the lines that the report names.
func TestFindingsSayWhere(t *testing.T) {
	found, err := scan(fstest.MapFS{
		"a/a.go":      {Data: []byte("package a\n\n// ok\n\n// One line\n// and Nobody\nfunc f() error {\n\treturn g(\"x\",\n\t\t\"ask somebody\")\n}\n")},
		"docs/b.md":   {Data: []byte("fine\n\nWhoever reads\nthis\n")},
		"a/a_test.go": {Data: []byte("package a\n\nvar input = \"nobody\"\n")},
		"c/go.md":     {Data: []byte("`nobody` is a user name; http.NoBody is a value; nobodyelse is a word\n")},
		"bin/d.md":    {Data: []byte("nobody\n")},
	}, phrases(t))
	if err != nil {
		t.Fatal(err)
	}
	var at []string
	for _, f := range found {
		at = append(at, fmt.Sprintf("%s:%d %s", f.file, f.line, f.what))
	}
	want := []string{"a/a.go:6 nobody", "a/a.go:9 somebody", "docs/b.md:3 whoever"}
	if !slices.Equal(at, want) {
		t.Errorf("found %q, want %q", at, want)
	}
	if len(found) > 0 && !strings.HasPrefix(found[0].String(), `a/a.go:6: "nobody": `) {
		t.Errorf("report is %s", found[0])
	}
}

// TestNames finds unclear names of packages, functions and methods.
func TestNames(t *testing.T) {
	found, err := scan(fstest.MapFS{
		"a/join.go":         {Data: []byte("package join\n\nfunc Join() {}\n")},
		"b/check/x.go":      {Data: []byte("package check\n")},
		"b/check/x_test.go": {Data: []byte("package check_test\n")},
		"c/check/x.go":      {Data: []byte("package check\n")},
		"d/d.go":            {Data: []byte("package d\n\ntype t int\n\nfunc again() {}\n\nfunc (t) one() {}\n\nfunc oneOf() { free := 1; _ = free }\n")},
	}, phrases(t))
	if err != nil {
		t.Fatal(err)
	}
	var at []string
	for _, f := range found {
		at = append(at, fmt.Sprintf("%s:%d %s", f.file, f.line, f.what))
	}
	want := []string{"a/join.go:1 package join", "c/check/x.go:1 package check", "d/d.go:5 func again", "d/d.go:7 func one"}
	if !slices.Equal(at, want) {
		t.Errorf("found %q, want %q", at, want)
	}
}

// TestBrokenInput is reported, not passed over.
func TestBrokenInput(t *testing.T) {
	if _, err := scan(fstest.MapFS{"a/a.go": {Data: []byte("no package")}}, nil); err == nil || !strings.Contains(err.Error(), "a/a.go") {
		t.Errorf("error is %v", err)
	}
	if _, err := parsePhrases("a phrase without advice"); err == nil || !strings.Contains(err.Error(), "line 1") {
		t.Errorf("error is %v", err)
	}
}
