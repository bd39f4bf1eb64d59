package policies

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"
)

var update = flag.Bool("update", false, "write testdata anew")

func set(t *testing.T, name string, origins ...string) Set {
	t.Helper()
	s, err := New(name, origins)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestGolden compares each format with a file. Those in testdata were first made by a script that shares no code with this
// package.
func TestGolden(t *testing.T) {
	s := set(t, "town-hall", "https://Intranet.example.com", "https://video.example.com:8443", "http://[2001:db8::7]:8000", "https://intranet.example.com:443/")
	for _, f := range Formats {
		file := s.File(f)
		path := filepath.Join("testdata", file.Name)
		if *update {
			if err := os.WriteFile(path, file.Content, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(file.Content, want) {
			t.Errorf("%s differs from testdata:\n%s", file.Name, file.Content)
		}
	}
}

func TestOrigin(t *testing.T) {
	for text, want := range map[string]string{
		"https://intranet.example.com":       "https://intranet.example.com",
		"HTTPS://Intranet.Example.COM":       "https://intranet.example.com",
		"https://intranet.example.com/":      "https://intranet.example.com",
		"https://intranet.example.com:443":   "https://intranet.example.com",
		"http://intranet:80":                 "http://intranet",
		"http://intranet:443":                "http://intranet:443",
		"https://intranet.example.com:08443": "https://intranet.example.com:8443",
		"https://10.1.2.3":                   "https://10.1.2.3",
		"https://[2001:DB8:0:0::7]:8443":     "https://[2001:db8::7]:8443",
		"https://xn--bcher-kva.example":      "https://xn--bcher-kva.example",
		"https://under_score.example":        "https://under_score.example",
		"*":                                  "", "": "", "intranet.example.com": "", "https://": "", "https:intranet": "", "//intranet": "",
		"https://*.example.com": "", "https://[*.]example.com": "", "ftp://intranet": "", "chrome-extension://abcdef": "", "file:///x": "",
		"https://intranet/path": "", "https://intranet?x": "", "https://intranet?": "", "https://intranet#": "", "https://intranet#x": "",
		"https://user@intranet": "", "https://intranet:": "", "https://intranet:0": "", "https://intranet:65536": "", "https://intranet:x": "",
		"https://bücher.example": "", "https://intranet..example": "", "https://intranet.example.": "", "https://.example": "",
		"https://[::ffff:10.1.2.3]": "", "https://[fe80::1%25eth0]": "", "https://[::1": "", "https://in\"tranet": "", "https://a\\b": "",
		"https://a\r\nb": "", "https://<a>": "", "https://a,b": "", "https://a b": "",
		"https://" + strings.Repeat("a", 64) + ".example":      "",
		"https://" + strings.Repeat("a.", 127) + "example.com": "",
	} {
		got, err := Origin(text)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v; want %q", text, got, err, want)
		}
	}
	if _, err := Origin("*"); !errors.Is(err, ErrEveryOrigin) {
		t.Error(err)
	}
	for text, want := range map[string]string{
		"wss://tracker.example.com/announce?t=x": "https://tracker.example.com", "ws://10.1.2.3:8000/announce": "http://10.1.2.3:8000",
		"https://tracker.example.com/media/town-hall": "https://tracker.example.com", "wss://tracker.example.com:443": "https://tracker.example.com",
		"tracker.example.com": "", "udp://tracker.example.com": "", "wss:tracker": "", "%": "", "wss://" + strings.Repeat("a.", 200) + "b": "",
	} {
		if got, err := TrackerOrigin(text); got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v; want %q", text, got, err, want)
		}
	}
}

func TestNew(t *testing.T) {
	many := func(n int) (list []string) {
		for i := range n {
			list = append(list, fmt.Sprintf("https://h%d.example.com", i))
		}
		return list
	}
	if s := set(t, "a", "https://b.example", "https://a.example", "https://B.example:443"); !slices.Equal(s.Origins(), []string{"https://a.example", "https://b.example"}) {
		t.Errorf("%v", s.Origins())
	}
	set(t, strings.Repeat("a", MaxNameBytes), many(MaxOrigins)...)
	for want, c := range map[string]struct {
		name    string
		origins []string
	}{
		"there is no origin":         {"a", nil},
		"the maximum is 256":         {"a", many(MaxOrigins + 1)},
		"all origins would show":     {"a", []string{"https://a.example", "*"}},
		"is not an origin":           {"a", []string{"https://a.example/x"}},
		`"" is not a name`:           {"", many(1)},
		`"A" is not a name`:          {"A", many(1)},
		"use one like a-b":           {"a/../b", many(1)},
		"lower-case letters, digits": {strings.Repeat("a", MaxNameBytes+1), many(1)},
	} {
		if _, err := New(c.name, c.origins); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	for text, want := range map[string]string{
		"": "p2pstream", "Town Hall": "town-hall", "https://o.example/live/m.m3u8": "https-o.example-live-m.m3u8", "../../etc": "etc", "..": "p2pstream",
		"a\x00b": "a-b", "é": "p2pstream", "media/town-hall": "media-town-hall", "a.-b": "a.b", strings.Repeat("x", 100): strings.Repeat("x", MaxNameBytes),
	} {
		if got := Name(text); got != want || Name(got) != got {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// TestFormatsAgree reads the origins back from each format, with other readers than what wrote them.
func TestFormatsAgree(t *testing.T) {
	s := set(t, "a", "https://a.example", "https://b.example:8443", "http://[2001:db8::7]:8000")
	want := fmt.Sprint(s.Origins())
	for _, f := range []Format{ChromeJSON, EdgeJSON} {
		var got map[string][]string
		if err := json.Unmarshal(s.File(f).Content, &got); err != nil || len(got) != len(names) {
			t.Fatalf("%s: %v, %v", f, got, err)
		}
		for _, name := range names {
			if fmt.Sprint(got[name]) != want {
				t.Errorf("%s: %s is %v", f, name, got[name])
			}
		}
	}
	text := fromUTF16(t, s.File(Registry).Content)
	section := regexp.MustCompile(`(?m)^\[(.+)\]\r\n((?:"\d+"="[^"]+"\r\n)+)\r\n`)
	sections := section.FindAllStringSubmatch(text, -1)
	if len(sections) != 2*len(names) || !strings.HasPrefix(text, "Windows Registry Editor Version 5.00\r\n\r\n[") {
		t.Fatalf("%d sections: %q", len(sections), text)
	}
	for i, m := range sections {
		if key := keys[i/len(names)] + `\` + names[i%len(names)]; m[1] != key {
			t.Errorf("section %d is %s, want %s", i, m[1], key)
		}
		var got []string
		for _, value := range regexp.MustCompile(`"(\d+)"="([^"]+)"`).FindAllStringSubmatch(m[2], -1) {
			got = append(got, value[2])
		}
		if fmt.Sprint(got) != want {
			t.Errorf("%s: %v", m[1], got)
		}
	}
	profile := string(s.File(MobileConfig).Content)
	if n := strings.Count(profile, "<string>https://b.example:8443</string>"); n != 2*len(names) {
		t.Errorf("the profile has an origin %d times", n)
	}
	wellFormed(t, []byte(profile))
}

// TestNamesOfValues: they are numbers that fit 32 bits with a sign, are another one for each origin, and stay when others
// are added.
func TestNamesOfValues(t *testing.T) {
	var origins []string
	seen := map[string]string{}
	for i := range MaxOrigins {
		origins = append(origins, fmt.Sprintf("https://h%d.example.com", i))
		s := set(t, "a", origins...)
		for j, name := range s.valueNames() {
			if before := seen[name]; len(name) != 10 || name > "2147483647" || name < "1073741824" || before != "" && before != s.origins[j] {
				t.Fatalf("%s is %s, and was %s", name, s.origins[j], before)
			}
			seen[name] = s.origins[j]
		}
	}
	if len(seen) != MaxOrigins {
		t.Errorf("%d names", len(seen))
	}
}

// TestUUIDs: equal content has equal ones, other content others, and the identifiers stay.
func TestUUIDs(t *testing.T) {
	form := regexp.MustCompile(`<string>([0-9A-F]{8}-[0-9A-F]{4}-5[0-9A-F]{3}-[89AB][0-9A-F]{3}-[0-9A-F]{12})</string>`)
	uuids := func(s Set) (all []string) {
		for _, m := range form.FindAllSubmatch(s.File(MobileConfig).Content, -1) {
			all = append(all, string(m[1]))
		}
		return all
	}
	first := uuids(set(t, "a", "https://a.example", "https://b.example"))
	if again := uuids(set(t, "a", "https://B.example", "https://a.example:443")); !slices.Equal(first, again) {
		t.Errorf("%v, then %v", first, again)
	}
	seen := map[string]bool{}
	for _, s := range []Set{set(t, "a", "https://a.example", "https://b.example"), set(t, "a", "https://a.example"), set(t, "b", "https://a.example")} {
		all := uuids(s)
		if len(all) != 3 {
			t.Fatalf("%v", all)
		}
		for _, id := range all {
			if seen[id] {
				t.Errorf("%s comes twice", id)
			}
			seen[id] = true
		}
		if want := "<string>dev.p2pstream.policies." + s.name + "</string>"; !strings.Contains(string(s.File(MobileConfig).Content), want) {
			t.Errorf("no %s", want)
		}
	}
}

func TestParseFormat(t *testing.T) {
	files := map[string]bool{}
	for _, f := range Formats {
		got, err := ParseFormat(string(f))
		if err != nil || got != f {
			t.Errorf("%s: %s, %v", f, got, err)
		}
		file := set(t, "a", "https://a.example").File(f)
		if files[file.Name] || file.MediaType == "" || len(file.Content) == 0 {
			t.Errorf("%s: %s, %s, %d bytes", f, file.Name, file.MediaType, len(file.Content))
		}
		files[file.Name] = true
	}
	for _, text := range []string{"", "json", "REG", "reg ", strings.Repeat("x", 1000)} {
		if _, err := ParseFormat(text); err == nil || !strings.Contains(err.Error(), "chrome-json, edge-json, reg, mobileconfig") || len(err.Error()) > 200 {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// FuzzFiles: whatever is taken for an origin gives well-formed files in which it is the same text.
func FuzzFiles(f *testing.F) {
	for _, seed := range []string{"https://a.example", "http://[::1]:1", "https://a\"b", "https://<a>", "*", "https://a.example:443/", "https://%41"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		origin, err := Origin(text)
		_, _ = TrackerOrigin(text)
		if name := Name(text); len(name) > MaxNameBytes || Name(name) != name || strings.ContainsAny(name, `/\"<> `) {
			t.Fatalf("%q became the name %q", text, name)
		}
		if err != nil {
			return
		}
		if again, err := Origin(origin); err != nil || again != origin {
			t.Fatalf("%q became %q, then %q, %v", text, origin, again, err)
		}
		if strings.ContainsAny(origin, "*?\\\"<>&\r\n") {
			t.Fatalf("%q became %q", text, origin)
		}
		s := set(t, Name(text), text)
		var all map[string][]string
		if err := json.Unmarshal(s.File(ChromeJSON).Content, &all); err != nil || all[names[0]][0] != origin {
			t.Fatalf("%v, %v", all, err)
		}
		if registry := fromUTF16(t, s.File(Registry).Content); strings.Count(registry, `="`+origin+"\"\r\n") != 2*len(names) {
			t.Fatalf("%q", registry)
		}
		wellFormed(t, s.File(MobileConfig).Content)
	})
}

func fromUTF16(t *testing.T, b []byte) string {
	t.Helper()
	if len(b)%2 != 0 || !bytes.HasPrefix(b, []byte{0xff, 0xfe}) {
		t.Fatalf("%d bytes that begin with %x", len(b), b[:2])
	}
	var units []uint16
	for i := 2; i < len(b); i += 2 {
		units = append(units, uint16(b[i])|uint16(b[i+1])<<8)
	}
	return string(utf16.Decode(units))
}

// wellFormed fails unless the document is XML whose dictionaries alternate between keys and values.
func wellFormed(t *testing.T, document []byte) {
	t.Helper()
	d := xml.NewDecoder(bytes.NewReader(document))
	var stack []string // of open elements; a dictionary's is followed by what it expects
	expectsKey := map[int]bool{}
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("%v: %s", err, document)
		}
		switch e := token.(type) {
		case xml.StartElement:
			if n := len(stack); n > 0 && stack[n-1] == "dict" {
				if isKey := e.Name.Local == "key"; isKey != expectsKey[n] {
					t.Fatalf("%s in a dictionary: %s", e.Name.Local, document)
				}
				expectsKey[n] = !expectsKey[n]
			}
			stack = append(stack, e.Name.Local)
			expectsKey[len(stack)] = true
		case xml.EndElement:
			if e.Name.Local == "dict" && !expectsKey[len(stack)] {
				t.Fatalf("a key without a value: %s", document)
			}
			stack = stack[:len(stack)-1]
		}
	}
	if len(stack) != 0 {
		t.Fatalf("%v is not closed", stack)
	}
}
