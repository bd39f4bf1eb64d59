package table

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/p2pstream/p2pstream/runtime/tracker/config"
	"github.com/p2pstream/p2pstream/runtime/tracker/doors"
)

func entry(change func(*Entry)) Entry {
	e := Entry{Namespace: "media", Name: "town-hall", UID: "u1", Stream: config.StreamConfig{SourceURL: "http://o.example/m.m3u8"},
		AllowedOrigins: []string{"https://intranet.example.com"}, SeederTokenHashes: []string{doors.HashOf("token").String()}, Share: 2}
	if change != nil {
		change(&e)
	}
	return e
}

func TestATableIsReadAsItWasWritten(t *testing.T) {
	want := Table{Revision: "7", Streams: []Entry{entry(nil), entry(func(e *Entry) { e.Name = "all.hands-2" })}}
	b, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Parse([]byte(strings.Replace(string(b), `"revision"`, `"later":{},"revision"`, 1)), Rules{})
	if err != nil {
		t.Fatal(err)
	}
	again, _ := json.Marshal(got)
	if string(again) != string(b) {
		t.Errorf("%s\n%s", again, b)
	}
	if k := got.Streams[0].Key(); k.String() != "media/town-hall" || k.Prefix() != "/media/town-hall" || (Key{}).Prefix() != "" || (Key{}).String() != "" {
		t.Errorf("%v", k)
	}
}

func TestWrongEntriesAreNamed(t *testing.T) {
	for want, change := range map[string]func(*Entry){
		`streams[1] (/x): namespace: "" is no name`:          func(e *Entry) { e.Namespace, e.Name = "", "x" },
		`streams[1] (../x): namespace:`:                      func(e *Entry) { e.Namespace, e.Name = "..", "x" },
		`streams[1] (media/..): name:`:                       func(e *Entry) { e.Name = ".." },
		`streams[1] (media/A): name:`:                        func(e *Entry) { e.Name = "A" },
		`streams[1] (media/a/b): name:`:                      func(e *Entry) { e.Name = "a/b" },
		`streams[1] (media/town-hall): name: is also that o`: func(*Entry) {},
		`streams[1] (media/b): stream.sourceURL:`:            func(e *Entry) { e.Name, e.Stream.SourceURL = "b", "" },
		`streams[1] (media/b): stream.settings:`:             func(e *Entry) { e.Name, e.Stream.Settings = "b", json.RawMessage("[]") },
		`streams[1] (media/b): stream.stun:`:                 func(e *Entry) { e.Name, e.Stream.STUN = "b", []string{"stun:h:1"} },
		`streams[1] (media/b): stream.externalURL:`:          func(e *Entry) { e.Name, e.Stream.ExternalURL = "b", "https://t.example" },
		`streams[1] (media/b): stream.anySwarm:`:             func(e *Entry) { e.Name, e.Stream.AnySwarm = "b", true },
		`streams[1] (media/b): stream.headersDir: "/etc`:     func(e *Entry) { e.Name, e.Stream.HeadersDir = "b", "/etc/secret" },
		`streams[1] (media/b): stream.caFile: "/files/../e`:  func(e *Entry) { e.Name, e.Stream.CAFile = "b", "/files/../etc/ca" },
		`streams[1] (media/b): stream.viewerTokens.keysDir`:  func(e *Entry) { e.Name, e.Stream.ViewerTokens = "b", &config.TokensConfig{KeysDir: "/keys"} },
		`streams[1] (media/b): allowedOrigins[0]:`:           func(e *Entry) { e.Name, e.AllowedOrigins = "b", []string{"x/y"} },
		`streams[1] (media/b): allowedOrigins: has 101`:      func(e *Entry) { e.Name, e.AllowedOrigins = "b", make([]string, 101) },
		`streams[1] (media/b): seederTokenHashes[0]:`:        func(e *Entry) { e.Name, e.SeederTokenHashes = "b", []string{"token"} },
		`streams[1] (media/b): seederTokenHashes: has 9`:     func(e *Entry) { e.Name, e.SeederTokenHashes = "b", make([]string, 9) },
		`streams[1] (media/b): share: -1`:                    func(e *Entry) { e.Name, e.Share = "b", -1 },
		`streams[1] (media/b): limits.sockets:`:              func(e *Entry) { e.Name, e.Limits.Sockets = "b", -1 },
	} {
		b, _ := json.Marshal(Table{Streams: []Entry{entry(nil), entry(change)}})
		if _, err := Parse(b, Rules{Dir: "/files"}); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	inside := entry(func(e *Entry) { e.Stream.HeadersDir, e.Stream.CAFile = "/files/media/headers", "/files/media/ca" })
	if err := (Table{Streams: []Entry{inside}}).Validate(Rules{Dir: "/files/"}); err != nil {
		t.Error(err)
	}
	if err := (Table{Streams: []Entry{inside}}).Validate(Rules{}); err == nil {
		t.Error("files are read without a directory for them")
	}
}

func TestTablesAreBounded(t *testing.T) {
	many := strings.TrimSuffix(strings.Repeat("{},", MaxEntries+1), ",")
	for name, text := range map[string]string{
		"streams: has 2001": `{"streams":[` + many + `]}`,
		"decoding":          `{"streams":{}}`,
		"decoding the tabl": `{} {}`,
		"streams[0]":        `{"streams":[{"stream":{"sourceURL":7}}]}`,
		"revision":          fmt.Sprintf(`{"revision":%q}`, strings.Repeat("r", MaxRevision+1)),
		"the table has":     strings.Repeat(" ", MaxBytes+1),
	} {
		if _, err := Parse([]byte(text), Rules{}); err == nil || !strings.HasPrefix(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzParse: whatever is sent, a table that is taken is valid, and is taken again as it is written.
func FuzzParse(f *testing.F) {
	b, _ := json.Marshal(Table{Revision: "1", Streams: []Entry{entry(nil)}})
	for _, seed := range []string{string(b), `{}`, `{"streams":[{}]}`, `{"streams":[null]}`, `[`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		got, err := Parse(text, Rules{Dir: "/files"})
		if err != nil {
			return
		}
		b, err := json.Marshal(got)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Parse(b, Rules{Dir: "/files"}); err != nil {
			t.Fatalf("%s: %v", b, err)
		}
	})
}
