package firststream

import (
	"reflect"
	"testing"
)

func TestSteps(t *testing.T) {
	t.Parallel()
	page := "# One\n```sh run\na\n\nb <<'E'\n  x\nE\n```\nIt prints:\n```text output\n1\n```\nthen\n```sh run\nc\n```\n"
	got, err := steps(page)
	want := []step{{line: 2, commands: "a\n\nb <<'E'\n  x\nE", prints: []string{"1"}}, {line: 14, commands: "c"}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
	for name, page := range map[string]string{
		"commands that are not run": "```sh\nrm x\n```\n",
		"a block without a word":    "```\nrm x\n```\n",
		"an indented one":           "- one\n  ```bash\n  rm x\n  ```\n",
		"output of no command":      "```text output\n1\n```\n",
		"a block without an end":    "```sh run\na\n",
	} {
		if got, err := steps(page); err == nil {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestShows(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		page, printed string
		want          bool
	}{
		{"a b", "a   b\n\n", true},
		{"a b", "a c\n", false},
		{"a", "a\nb\n", false},
		{"a\n…", "a\nb\nc\n", true},
		{"a\n…", "a\n", true},
		{"…\nc", "a\nb\nc\n", true},
		{"…\nc", "a\nb\n", false},
		{"n1 … v1", "n1 12s v1", true},
		{"n1 … v1", "n1 12s v2", false},
		{"a.c", "abc", false},
		{"", "", true},
		{"", "a", false},
		{"a", "", false},
	} {
		if got := shows(tt.page, tt.printed); got != tt.want {
			t.Errorf("shows(%q, %q) = %v", tt.page, tt.printed, got)
		}
	}
}
