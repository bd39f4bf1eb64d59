package v1

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// constants returns the values of the string constants of conditions and reasons of a file whose name has a prefix.
func constants(t *testing.T, name, prefix string) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var values []string
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || !strings.HasPrefix(spec.Names[0].Name, prefix) {
			return true
		}
		value, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		values = append(values, value)
		return true
	})
	if len(values) == 0 {
		t.Fatalf("no constants %s…", prefix)
	}
	return values
}

// firstCells returns what stands in backquotes in the first cells of the tables below a heading.
func firstCells(page, heading string) []string {
	_, section, _ := strings.Cut(page, "\n"+heading+"\n")
	if end := regexp.MustCompile(`(?m)^#`).FindStringIndex(section); end != nil {
		section = section[:end[0]]
	}
	var cells []string
	for _, line := range strings.Split(section, "\n") {
		cells = append(cells, regexp.MustCompile("^\\| `([A-Za-z]+)` \\|").FindAllString(line, 1)...)
	}
	for i := range cells {
		cells[i] = strings.Trim(cells[i], "|` ")
	}
	return cells
}

// TestSpecificationPage compares docs/spec/v1/p2pstream.md with the API: every field, condition and reason is on the
// page, and nothing else.
func TestSpecificationPage(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("../../docs/spec/v1/p2pstream.md")
	if err != nil {
		t.Fatal(err)
	}
	page := string(raw)
	for heading, prefix := range map[string]string{"### Conditions": "Condition", "### Reasons": "Reason"} {
		want, got := constants(t, "p2pstream_conditions.go", prefix), firstCells(page, heading)
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(want, got) {
			t.Errorf("%s: the page has %v, want %v", heading, got, want)
		}
	}
	for _, field := range jsonFields(reflect.TypeFor[P2PStreamSpec](), reflect.TypeFor[P2PStreamStatus]()) {
		if !regexp.MustCompile(`\b` + field + `\b`).MatchString(page) {
			t.Errorf("the page says nothing of %s", field)
		}
	}
	for _, value := range []string{DefaultCacheSize, strconv.Itoa(int(DefaultMaxPeers)), DefaultTelemetryInterval.String(), strconv.Itoa(MaxNameLength)} {
		if !strings.Contains(page, value) {
			t.Errorf("the page does not have the default %s", value)
		}
	}
}

// TestNetworkPage compares docs/network.md with the API of networks.
func TestNetworkPage(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("../../docs/network.md")
	if err != nil {
		t.Fatal(err)
	}
	words := append(constants(t, "p2pnetwork_conditions.go", "Condition"), constants(t, "p2pnetwork_conditions.go", "Reason")...)
	for _, of := range []reflect.Type{reflect.TypeFor[P2PNetworkSpec](), reflect.TypeFor[NetworkStreamsSpec](), reflect.TypeFor[NetworkNamespaces](),
		reflect.TypeFor[NetworkLimits](), reflect.TypeFor[NetworkSeedersSpec](), reflect.TypeFor[P2PNetworkStatus](),
		reflect.TypeFor[NetworkEndpointsStatus](), reflect.TypeFor[NetworkStreamsStatus](), reflect.TypeFor[NetworkOffloadStatus]()} {
		for field := range of.Fields() {
			name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			words = append(words, name)
		}
	}
	for _, word := range append(words, strconv.Itoa(MaxNetworkNameLength), strconv.Itoa(MaxStreamsPerNetwork)) {
		if word != "conditions" && !regexp.MustCompile(`\b`+word+`\b`).Match(raw) {
			t.Errorf("the page says nothing of %s", word)
		}
	}
}

// jsonFields are the names of all fields of this package's types that can be reached from those given.
func jsonFields(types ...reflect.Type) []string {
	seen := map[reflect.Type]bool{}
	var names []string
	var visit func(reflect.Type)
	visit = func(t reflect.Type) {
		switch t.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Map:
			visit(t.Elem())
			return
		case reflect.Struct:
		default:
			return
		}
		if seen[t] || t.PkgPath() != reflect.TypeFor[P2PStream]().PkgPath() {
			return
		}
		seen[t] = true
		for field := range t.Fields() {
			name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			names = append(names, name)
			visit(field.Type)
		}
	}
	for _, t := range types {
		visit(t)
	}
	slices.Sort(names)
	return slices.Compact(names)
}
