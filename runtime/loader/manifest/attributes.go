package manifest

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
)

// variables are the EXT-X-DEFINE names of one playlist.
type variables struct {
	values map[string]string
	// used is set if the playlist refers to any variable: without one, texts
	// stay as they are.
	used bool
	// spent counts what all substitutions together wrote; copies share it.
	spent *int
}

func newVariables(values map[string]string, used bool) variables {
	return variables{values: values, used: used, spent: new(int)}
}

var errVariableSize = fmt.Errorf("variables expand a text to more than %d bytes, or all texts to more than %d", maxLineBytes, maxExpansion)

// substitute puts variables in; an undefined one is an error, as in hls.js.
func (v *variables) substitute(text string) (string, error) {
	if !v.used || !strings.Contains(text, "{$") {
		return text, nil
	}
	var b strings.Builder
	for {
		i := strings.Index(text, "{$")
		if i < 0 {
			b.WriteString(text)
			break
		}
		end := i + 2
		for end < len(text) && isNameByte(text[end]) {
			end++
		}
		if end == i+2 || end == len(text) || text[end] != '}' {
			b.WriteString(text[:i+2])
			text = text[i+2:]
			continue
		}
		value, ok := v.values[text[i+2:end]]
		if !ok {
			return "", fmt.Errorf("variable %q is not defined", text[i+2:end])
		}
		b.WriteString(text[:i])
		b.WriteString(value)
		text = text[end+1:]
		if b.Len() > maxLineBytes {
			return "", errVariableSize
		}
	}
	// A short playlist can use a long variable many times.
	if *v.spent += b.Len(); b.Len() > maxLineBytes || *v.spent > maxExpansion {
		return "", errVariableSize
	}
	return b.String(), nil
}

func isNameByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_'
}

// define adds what one EXT-X-DEFINE says. imports are the variables of the
// multivariant playlist, nil if there is none.
func (v *variables) define(a identity.Attributes, playlistURL string, imports map[string]string) error {
	if len(v.values) >= maxVariables {
		return fmt.Errorf("more than %d variables", maxVariables)
	}
	name, value := a["NAME"], a["VALUE"]
	if imported, ok := a["IMPORT"]; ok && imports != nil {
		v, found := imports[imported]
		if !found {
			return fmt.Errorf("variable %q is not in the multivariant playlist", imported)
		}
		name, value = imported, v
	} else if query, ok := a["QUERYPARAM"]; ok {
		v, found := queryParameter(playlistURL, query)
		if !found {
			return fmt.Errorf("the playlist's URL has no parameter %q", query)
		}
		name, value = query, v
	}
	if _, again := v.values[name]; again {
		return fmt.Errorf("variable %q is defined twice", name)
	}
	if v.values == nil {
		v.values = make(map[string]string)
	}
	v.values[name] = value
	return nil
}

// queryParameter is URLSearchParams.get: the first parameter of that name,
// with broken escapes left as they are.
func queryParameter(rawURL, name string) (string, bool) {
	_, query, _ := strings.Cut(rawURL, "?")
	query, _, _ = strings.Cut(query, "#")
	for _, pair := range strings.Split(query, "&") {
		key, value, _ := strings.Cut(pair, "=")
		if pair != "" && unescape(key) == name {
			return unescape(value), true
		}
	}
	return "", false
}

func unescape(text string) string {
	if plain, err := url.QueryUnescape(text); err == nil {
		return decodeText([]byte(plain))
	}
	return strings.ReplaceAll(text, "+", " ")
}

var errAttributes = errors.New("too many attributes")

// parseAttributes reads an attribute list with hls.js's rules: a name ends at
// the first equals sign, a quoted value at a quote before a comma or the end,
// any other value at a comma. Variables go into quoted values only.
func parseAttributes(text string, v *variables) (identity.Attributes, error) {
	const most = 500
	attributes := make(identity.Attributes, 8)
	var failed error
	scanAttributes(text, func(name, value string, quoted bool) bool {
		if quoted {
			if len(value) < 2 {
				value = ""
			} else {
				value = value[1 : len(value)-1]
			}
			if value, failed = v.substitute(value); failed != nil {
				return false
			}
		}
		if len(attributes) >= most {
			failed = errAttributes
			return false
		}
		attributes[name] = value
		return true
	})
	if failed != nil {
		return nil, failed
	}
	return attributes, nil
}

// scanAttributes calls fn for each attribute, in order, until it returns false.
// Values come as written, with their quotes.
func scanAttributes(text string, fn func(name, value string, quoted bool) bool) {
	for len(text) > 1 {
		// A name has at least one character, even if that is an equals sign.
		equals := strings.IndexByte(text[1:], '=')
		if equals < 0 {
			break
		}
		name := strings.TrimSpace(text[:equals+1])
		text = text[equals+2:]
		end := quotedEnd(text)
		quoted := end >= 0
		if !quoted {
			if end = strings.IndexByte(text, ','); end < 0 {
				end = len(text)
			}
		}
		value := text[:end]
		if text = text[end:]; text != "" {
			text = text[1:]
		}
		quoted = quoted || (value != "" && value[0] == '"' && strings.LastIndexByte(value, '"') == len(value)-1)
		if !fn(name, value, quoted) {
			return
		}
	}
}

// quotedEnd is where the quoted value that text begins with ends, or −1.
func quotedEnd(text string) int {
	if text == "" || text[0] != '"' {
		return -1
	}
	for i := 1; i < len(text); i++ {
		if text[i] == '"' && (i+1 == len(text) || text[i+1] == ',') {
			return i + 1
		}
	}
	return -1
}
