package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/tracker/joins"
)

func TestJoinCreate(t *testing.T) {
	dir := t.TempDir()
	token, out := filepath.Join(dir, "token"), filepath.Join(dir, "berlin.join.json")
	if err := os.WriteFile(token, []byte("a-seeder-token\nanother\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"join", "create", "--site", "Berlin", "--token-file", token, "--tracker", "wss://t.example/announce",
		"--source", "https://o.example/m.m3u8", "--lifetime", "1h", "-o", out}
	if code := run(args); code != 0 {
		t.Fatalf("exit code %d", code)
	}
	info, err := os.Stat(out)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	b, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	f, err := joins.ParseFile(b)
	if err != nil {
		t.Fatal(err)
	}
	c, err := joins.Verify(f.Credential, []string{"a-seeder-token"}, time.Now())
	if err != nil || c.Site != "Berlin" || c.ID != f.ID || !c.Expires.Equal(f.Expires) {
		t.Errorf("%+v, %v", c, err)
	}
	if code := run(args); code != exitFailure {
		t.Errorf("a file that exists: exit code %d", code)
	}
	for name, less := range map[string][]string{
		"no site": args[4:], "no source": args[:8], "a wrong source": append(args[:8:8], "--source", "file:///etc/passwd"),
	} {
		if name == "no site" {
			less = append([]string{"join", "create"}, less...)
		}
		if code := run(less); code != exitUsage {
			t.Errorf("%s: exit code %d", name, code)
		}
	}
}
