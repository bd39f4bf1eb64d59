package telemetry

import (
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The page describes every field that is sent, and no other.
func TestThePageDescribesTheSchema(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/telemetry.md")
	if err != nil {
		t.Fatal(err)
	}
	sections := map[string]string{}
	for section := range strings.SplitSeq(string(text), "\n## ") {
		title, body, _ := strings.Cut(section, "\n")
		sections[title] = body
	}
	row := regexp.MustCompile("(?m)^\\| `(\\w+)` \\| (\\w+) \\|")
	for title, of := range map[string]any{"Report": Report{}, "Counters": Counters{}, "Played": Played{}, "Checks": Checks{},
		"Seeder state": SeederState{}, "Held rendition": HeldRendition{}, "Acknowledgement": Acknowledgement{}, "Receipt": Receipt{}} {
		described := map[string]string{}
		for _, match := range row.FindAllStringSubmatch(sections[title], -1) {
			described[match[1]] = match[2]
		}
		if sent := fields(reflect.TypeOf(of)); !maps.Equal(described, sent) {
			t.Errorf("%s: the page describes\n%v\nsent are\n%v", title, lines(described), lines(sent))
		}
	}
}

// fields are the types in JSON by name. Embedded structs are a part of what embeds them.
func fields(of reflect.Type) map[string]string {
	found := map[string]string{}
	for i := range of.NumField() {
		f := of.Field(i)
		if f.Anonymous {
			maps.Copy(found, fields(f.Type))
			continue
		}
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		kind := f.Type
		if kind.Kind() == reflect.Pointer {
			kind = kind.Elem()
		}
		switch kind.Kind() {
		case reflect.Struct:
			found[name] = "object"
		case reflect.Slice:
			found[name] = "list"
		case reflect.String:
			found[name] = "string"
		default:
			found[name] = "integer"
		}
	}
	return found
}

func lines(of map[string]string) (out []string) {
	for _, name := range slices.Sorted(maps.Keys(of)) {
		out = append(out, name+" "+of[name])
	}
	return out
}
