package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

const (
	tableBegin = "<!-- values: made from values.yaml by tools/chartsync -->\n"
	tableEnd   = "<!-- end of values -->\n"
)

// value is one setting of the chart.
type value struct{ path, fallback, comment string }

// withTable puts the table of values between the two marks of a README.
func withTable(readme, values []byte) ([]byte, error) {
	before, rest, ok1 := bytes.Cut(readme, []byte(tableBegin))
	_, after, ok2 := bytes.Cut(rest, []byte(tableEnd))
	if !ok1 || !ok2 {
		return nil, fmt.Errorf("README.md lacks the marks %q and %q", tableBegin, tableEnd)
	}
	list, err := readValues(values)
	if err != nil {
		return nil, err
	}
	var table strings.Builder
	table.WriteString("| value | default | when to change it |\n| --- | --- | --- |\n")
	for _, v := range list {
		fmt.Fprintf(&table, "| `%s` | `%s` | %s |\n", v.path, v.fallback, strings.ReplaceAll(v.comment, "|", `\|`))
	}
	return bytes.Join([][]byte{before, []byte(tableBegin), []byte(table.String()), []byte(tableEnd), after}, nil), nil
}

// readValues lists every setting with its comment, in the order of the file.
func readValues(raw []byte) ([]value, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(raw, &doc); err != nil {
		return nil, fmt.Errorf("reading values.yaml: %w", err)
	}
	if len(doc.Content) != 1 {
		return nil, errors.New("values.yaml holds no settings")
	}
	return settings(doc.Content[0], "")
}

// settings walks a map. Maps with keys of the user's choice are settings themselves: those that are empty
// by default, and those whose keys are Kubernetes' own.
func settings(node *yaml.Node, prefix string) ([]value, error) {
	var list []value
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, val := node.Content[i], node.Content[i+1]
		path := prefix + key.Value
		comment := oneLine(key.HeadComment)
		if comment == "" {
			return nil, fmt.Errorf("values.yaml: %s has no comment above it that says when to change it", path)
		}
		if val.Kind == yaml.MappingNode && len(val.Content) > 0 && path != "resources" && path != "nodeSelector" {
			below, err := settings(val, path+".")
			if err != nil {
				return nil, err
			}
			list = append(list, below...)
			continue
		}
		fallback, err := inline(val)
		if err != nil {
			return nil, err
		}
		list = append(list, value{path, fallback, comment})
	}
	return list, nil
}

// oneLine joins a comment. A paragraph before a blank line is about the file, not about the key.
func oneLine(comment string) string {
	if i := strings.LastIndex(comment, "\n\n"); i >= 0 {
		comment = comment[i+2:]
	}
	var words []string
	for line := range strings.Lines(comment) {
		words = append(words, strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(line), "#")))
	}
	return strings.Join(words, " ")
}

func inline(node *yaml.Node) (string, error) {
	var v any
	if err := node.Decode(&v); err != nil {
		return "", fmt.Errorf("reading values.yaml: %w", err)
	}
	raw, err := json.Marshal(v)
	if err != nil {
		return "", fmt.Errorf("writing default: %w", err)
	}
	return string(raw), nil
}
