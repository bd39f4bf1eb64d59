package oci

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const name = "localhost/thing:dev"

func TestWriteIsAnOCIArchive(t *testing.T) {
	files := contents(t, write(t, "#!binary"))
	expectJSON(t, files["oci-layout"], "imageLayoutVersion", "1.0.0")

	var index struct {
		Manifests []struct {
			Digest      string
			Annotations map[string]string
		}
	}
	decode(t, files["index.json"], &index)
	if len(index.Manifests) != 1 || index.Manifests[0].Annotations["io.containerd.image.name"] != name {
		t.Fatalf("index names %+v", index.Manifests)
	}
	var manifest struct {
		MediaType string
		Config    struct{ Digest string }
		Layers    []struct{ MediaType, Digest string }
	}
	decode(t, blob(t, files, index.Manifests[0].Digest), &manifest)
	if manifest.MediaType != "application/vnd.oci.image.manifest.v1+json" || len(manifest.Layers) != 1 {
		t.Fatalf("manifest is %+v", manifest)
	}
	var config struct {
		Architecture, OS string
		Config           struct {
			Entrypoint []string
			User       string
		}
		RootFS struct {
			DiffIDs []string `json:"diff_ids"`
		}
	}
	decode(t, blob(t, files, manifest.Config.Digest), &config)
	if config.Architecture != "riscv64" || config.OS != "linux" || strings.Join(config.Config.Entrypoint, " ") != "/thing" || config.Config.User != Unprivileged {
		t.Errorf("config is %+v", config)
	}
	layer := unzip(t, blob(t, files, manifest.Layers[0].Digest))
	if len(config.RootFS.DiffIDs) != 1 || config.RootFS.DiffIDs[0] != digestOf(layer) {
		t.Errorf("the layer's digest is %s, the config says %v", digestOf(layer), config.RootFS.DiffIDs)
	}
	r := tar.NewReader(bytes.NewReader(layer))
	header, err := r.Next()
	if err != nil || header.Name != "thing" || header.Mode != 0o755 {
		t.Fatalf("the layer begins with %+v, %v", header, err)
	}
	if content, err := io.ReadAll(r); err != nil || string(content) != "#!binary" {
		t.Errorf("the binary is %q, %v", content, err)
	}
	if _, err := r.Next(); !errors.Is(err, io.EOF) {
		t.Errorf("the layer holds more than the binary: %v", err)
	}
}

func TestWriteIsReproducible(t *testing.T) {
	first, second := read(t, write(t, "same")), read(t, write(t, "same"))
	if !bytes.Equal(first, second) {
		t.Error("the same binary gives other bytes")
	}
	if bytes.Equal(first, read(t, write(t, "other"))) {
		t.Error("another binary gives the same bytes")
	}
}

func TestWriteLeavesNothingElse(t *testing.T) {
	file := write(t, "x")
	entries, err := os.ReadDir(filepath.Dir(file))
	if err != nil || len(entries) != 2 {
		t.Errorf("the folder holds %v, %v; want the binary and the archive", entries, err)
	}
}

func TestWriteRefusesNamesThatPodsCannotUse(t *testing.T) {
	for _, bad := range []string{"", "thing", "thing:dev", "localhost/thing", "localhost:5000/thing"} {
		if _, err := Write(filepath.Join(t.TempDir(), "x.tar"), bad, Image{Architecture: "amd64"}); err == nil || !strings.Contains(err.Error(), "localhost/p2pstream:dev") {
			t.Errorf("%q: got %v", bad, err)
		}
	}
}

func TestWriteLeavesNothingWhenItFails(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "taken.tar")
	if err := os.MkdirAll(filepath.Join(file, "x"), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := Write(file, name, Image{Architecture: "amd64"}); err == nil {
		t.Error("an archive took the place of a folder")
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("the folder holds %v, %v", entries, err)
	}
}

func write(t *testing.T, content string) string {
	t.Helper()
	dir := t.TempDir()
	binary := filepath.Join(dir, "thing")
	if err := os.WriteFile(binary, []byte(content), 0o755); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "thing.tar")
	img, err := FromBinary(binary, "riscv64")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Write(file, name, img); err != nil {
		t.Fatal(err)
	}
	return file
}

func read(t *testing.T, file string) []byte {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func contents(t *testing.T, file string) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	for r := tar.NewReader(bytes.NewReader(read(t, file))); ; {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		if files[header.Name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
	}
}

func unzip(t *testing.T, data []byte) []byte {
	t.Helper()
	r, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func blob(t *testing.T, files map[string][]byte, want string) []byte {
	t.Helper()
	data, ok := files["blobs/sha256/"+strings.TrimPrefix(want, "sha256:")]
	if !ok || digestOf(data) != want {
		t.Fatalf("blob %s is missing or has other bytes", want)
	}
	return data
}

func decode(t *testing.T, data []byte, v any) {
	t.Helper()
	if err := json.Unmarshal(data, v); err != nil {
		t.Fatal(err)
	}
}

func expectJSON(t *testing.T, data []byte, key, want string) {
	t.Helper()
	var got map[string]string
	decode(t, data, &got)
	if got[key] != want {
		t.Errorf("%s is %q, want %q", key, got[key], want)
	}
}
