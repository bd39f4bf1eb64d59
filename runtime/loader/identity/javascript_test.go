package identity

import (
	"encoding/json"
	"os"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// javascript holds what a real JavaScript engine and hls.js answered; it is
// made by test/interop/identity/golden.cjs.
type javascript struct {
	Numbers     [][]json.RawMessage `json:"numbers"`
	NumberTexts [][]*string         `json:"numberTexts"`
	Integers    [][]*string         `json:"integers"`
	Texts       []struct{ Text, Lower, Upper, Trim, Two string }
	Lists       [][][]string
	Codecs      [][]string
	Resolved    [][]string
}

func loadJavaScript(t *testing.T) javascript {
	t.Helper()
	b, err := os.ReadFile("testdata/javascript.json")
	if err != nil {
		t.Fatal(err)
	}
	return decode[javascript](t, b)
}

func orNaN(s *string) string {
	if s == nil {
		return "NaN"
	}
	return *s
}

func TestJavaScriptNumbers(t *testing.T) {
	js := loadJavaScript(t)
	for _, c := range js.Numbers {
		if got, want := formatNumber(decode[float64](t, c[0])), decode[string](t, c[1]); got != want {
			t.Errorf("formatNumber(%s) = %q, want %q", c[0], got, want)
		}
	}
	for _, c := range js.NumberTexts {
		got := "NaN"
		if n, ok := parseNumber(*c[0]); ok {
			got = formatNumber(n)
		}
		if want := orNaN(c[1]); got != want {
			t.Errorf("Number(%q) = %q, want %q", *c[0], got, want)
		}
	}
	for _, c := range js.Integers {
		if got, want := formatNumber(parseLeadingInt(*c[0])), orNaN(c[1]); got != want {
			t.Errorf("parseInt(%q) = %q, want %q", *c[0], got, want)
		}
	}
}

func TestJavaScriptTexts(t *testing.T) {
	js := loadJavaScript(t)
	for _, c := range js.Texts {
		got := []string{lowerCase(c.Text), upperCase(c.Text), trimSpace(c.Text), firstUnits(c.Text, 2)}
		if diff := cmp.Diff([]string{c.Lower, c.Upper, c.Trim, c.Two}, got); diff != "" {
			t.Errorf("%s: %s", strconv.QuoteToASCII(c.Text), diff)
		}
	}
	for _, c := range js.Lists {
		got := slices.Clone(c[0])
		slices.SortStableFunc(got, compareUnits)
		if diff := cmp.Diff(c[1], got); diff != "" {
			t.Error(diff)
		}
	}
	for _, c := range js.Codecs {
		if got := normalizeCodecs(c[0]); got != c[1] {
			t.Errorf("codecs %q = %q, want %q", c[0], got, c[1])
		}
	}
}

func TestResolveURLLikeHLSJS(t *testing.T) {
	for _, c := range loadJavaScript(t).Resolved {
		if got := ResolveURL(c[0], c[1]); got != c[2] {
			t.Errorf("ResolveURL(%q, %q) = %q, want %q", c[0], c[1], got, c[2])
		}
	}
}
