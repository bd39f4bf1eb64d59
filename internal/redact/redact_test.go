package redact

import "testing"

func TestURL(t *testing.T) {
	for in, want := range map[string]string{
		"https://user:secret@h:1/a/b.m3u8?token=secret#secret": "https://h:1/a/b.m3u8",
		"https://h/a@b":      "https://h/a@b",
		"https://h":          "https://h",
		"https://h?t=secret": "https://h",
		"not a URL?secret":   "not a URL",
		"":                   "",
	} {
		if got := URL(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
