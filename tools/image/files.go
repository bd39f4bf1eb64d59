package main

import (
	"archive/tar"
	"bytes"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	"golang.org/x/crypto/x509roots/fallback/bundle"
)

const (
	// user is the number that Kubernetes can check to be unprivileged, which a name it cannot.
	user       = "65532:65532"
	entrypoint = "/p2pstream"
	rootsPath  = "etc/ssl/certs/ca-certificates.crt"
	// fewestRoots is a floor below which something is wrong with the bundle itself.
	fewestRoots = 100
)

// file is one entry of the image, by its path below the root.
type file struct {
	path string
	mode int64
	data []byte
}

// baseFiles is everything but the program: it changes seldom, so it is a layer of its own.
func baseFiles() ([]file, error) {
	roots, n := rootCertificates()
	if n < fewestRoots {
		return nil, fmt.Errorf("reading root certificates: found %d, want at least %d", n, fewestRoots)
	}
	return []file{
		{"etc/group", 0o644, []byte("root:x:0:\nnonroot:x:65532:\n")},
		{"etc/passwd", 0o644, []byte("root:x:0:0:root:/:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/:/sbin/nologin\n")},
		{rootsPath, 0o644, roots},
	}, nil
}

// rootCertificates is the public trust store in PEM. Roots that are trusted for some names only are
// left out, because a PEM file cannot say so.
func rootCertificates() ([]byte, int) {
	var out bytes.Buffer
	n := 0
	for root := range bundle.Roots() {
		if root.Constraint != nil {
			continue
		}
		out.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate}))
		n++
	}
	return out.Bytes(), n
}

func programFile(name string) (file, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return file{}, fmt.Errorf("reading binary: %w", err)
	}
	return file{strings.TrimPrefix(entrypoint, "/"), 0o755, data}, nil
}

// archive is the tar of one layer. Entries carry no time and no name of a builder.
func archive(files []file) ([]byte, error) {
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	made := map[string]bool{}
	for _, f := range files {
		for _, dir := range parents(f.path) {
			if made[dir] {
				continue
			}
			made[dir] = true
			if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: dir + "/", Mode: 0o755, Format: tar.FormatUSTAR}); err != nil {
				return nil, fmt.Errorf("writing layer: %w", err)
			}
		}
		header := &tar.Header{Typeflag: tar.TypeReg, Name: f.path, Mode: f.mode, Size: int64(len(f.data)), Format: tar.FormatUSTAR}
		if err := errors.Join(w.WriteHeader(header), second(w.Write(f.data))); err != nil {
			return nil, fmt.Errorf("writing layer: %w", err)
		}
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("writing layer: %w", err)
	}
	return out.Bytes(), nil
}

func second(_ int, err error) error { return err }

// parents lists the folders above a path, outermost first.
func parents(name string) []string {
	var dirs []string
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		dirs = append([]string{dir}, dirs...)
	}
	return dirs
}

// writeTree writes the files below a folder, for builders that make the image themselves.
func writeTree(dir string, files []file) error {
	for _, f := range files {
		name := filepath.Join(dir, filepath.FromSlash(f.path))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil { //nolint:gosec // an image's folders are for every user
			return fmt.Errorf("making folders of the image: %w", err)
		}
		if err := os.WriteFile(name, f.data, os.FileMode(f.mode)); err != nil {
			return fmt.Errorf("writing files of the image: %w", err)
		}
	}
	return nil
}
