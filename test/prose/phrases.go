package prose

import (
	_ "embed" // phrases.txt
	"fmt"
	"regexp"
	"slices"
	"sort"
	"strings"
	"unicode"
)

//go:embed phrases.txt
var phraseList string

// phrase is what not to write, and what to write instead.
type phrase struct {
	text, instead string
	pattern       *regexp.Regexp
}

// parsePhrases reads lines of "phrase -> what to write instead"; lines that begin with # are comments.
func parsePhrases(list string) ([]phrase, error) {
	var all []phrase
	for i, l := range strings.Split(list, "\n") {
		if l == "" || strings.HasPrefix(l, "#") {
			continue
		}
		text, instead, ok := strings.Cut(l, " -> ")
		if text = strings.TrimSpace(text); !ok || text == "" || instead == "" {
			return nil, fmt.Errorf("parsing phrases: line %d is not of the form phrase -> what to write instead", i+1)
		}
		all = append(all, phrase{text, instead, patternOf(text)})
	}
	return all, nil
}

// patternOf matches the phrase as whole words, its first letter in either case, so that NoBody and NOBODY, which are
// names in code, pass.
func patternOf(text string) *regexp.Regexp {
	expr := regexp.QuoteMeta(text)
	if r := rune(text[0]); unicode.IsLower(r) {
		expr = fmt.Sprintf("[%c%c]", unicode.ToUpper(r), r) + expr[1:]
	}
	expr = `\b` + strings.ReplaceAll(expr, " ", `\s+`)
	if last := rune(text[len(text)-1]); unicode.IsLetter(last) {
		expr += `\b`
	}
	return regexp.MustCompile(expr)
}

// finding is a phrase at a place.
type finding struct {
	file string
	line int
	what string // the phrase or name
	hint string // what to write instead
}

func (f finding) String() string {
	return fmt.Sprintf("%s:%d: %q: %s", f.file, f.line, f.what, f.hint)
}

// check returns the phrases in a file, each once a line, in the order of lines.
func check(file string, passages []passage, phrases []phrase) []finding {
	var all []finding
	for _, p := range passages {
		text, starts := joined(p)
		for _, ph := range phrases {
			for _, at := range ph.pattern.FindAllStringIndex(text, -1) {
				i := sort.SearchInts(starts, at[0]+1) - 1
				f := finding{file, p[i].number, ph.text, ph.instead}
				if !slices.Contains(all, f) {
					all = append(all, f)
				}
			}
		}
	}
	slices.SortStableFunc(all, func(a, b finding) int { return a.line - b.line })
	return all
}

// joined returns the passage as one text, and the offset in it at which each line begins.
func joined(p passage) (text string, starts []int) {
	var b strings.Builder
	for _, l := range p {
		starts = append(starts, b.Len())
		b.WriteString(l.text)
		b.WriteByte(' ')
	}
	return b.String(), starts
}
