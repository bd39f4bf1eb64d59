package prose

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// skipped reports whether a folder holds published software, tools, or output made from text that is checked at its source.
func skipped(folder, name string) bool {
	return strings.HasPrefix(name, ".") || slices.Contains([]string{"node_modules", "testdata", "third_party"}, name) ||
		slices.Contains([]string{"bin", "dist", "web/dist", "web/build", "test/interop/dist"}, path.Join(folder, name))
}

// extensions are the kinds of files whose text is read, beside Go's.
var extensions = []string{".css", ".html", ".js", ".json", ".md", ".mjs", ".sh", ".tpl", ".txt", ".yaml", ".yml"}

// rules is the list of phrases itself.
const rules = "test/prose/phrases.txt"

// scan checks every file of a tree: phrases first, then names.
func scan(tree fs.FS, phrases []phrase) ([]finding, error) {
	var all []finding
	var declared names
	err := fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != "." && skipped(path.Dir(name), d.Name()):
			return fs.SkipDir
		case d.IsDir() || !d.Type().IsRegular() || name == rules:
			return nil
		}
		isGo := path.Ext(name) == ".go"
		if !isGo && d.Name() != "Makefile" && d.Name() != "Dockerfile" && !slices.Contains(extensions, path.Ext(name)) {
			return nil
		}
		source, err := fs.ReadFile(tree, name)
		if err != nil {
			return fmt.Errorf("reading file: %w", err)
		}
		var passages []passage
		if isGo {
			if passages, err = goPassages(name, source); err == nil {
				err = declared.add(name, source)
			}
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		} else {
			passages = textPassages(name, string(source))
		}
		all = append(all, check(name, passages, phrases)...)
		return nil
	})
	return append(all, declared.findings...), err
}
