package diagnose

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxText bounds what is taken over from others into one message.
const maxText = 400

var (
	// A URL's user information and query may hold credentials of the origin.
	userInfo = regexp.MustCompile(`(?i)\b(https?|wss?)://[^\s/@"']+@`)
	query    = regexp.MustCompile(`(?i)\b((?:https?|wss?)://[^\s?"']+)\?[^\s"']*`)
)

// Clean makes text of other programs fit for a status: one line, bounded, without the user information
// and the queries of URLs.
func Clean(s string) string {
	s = strings.ToValidUTF8(s, "")
	s = strings.Join(strings.FieldsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }), " ")
	s = userInfo.ReplaceAllString(s, "$1://")
	s = query.ReplaceAllString(s, "$1")
	if len(s) <= maxText {
		return s
	}
	cut := maxText
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "…"
}

// sentence is a cleaned text that ends like a sentence.
func sentence(s string) string {
	s = Clean(s)
	if s == "" || strings.ContainsAny(s[len(s)-1:], ".!?") || strings.HasSuffix(s, "…") {
		return s
	}
	return s + "."
}
