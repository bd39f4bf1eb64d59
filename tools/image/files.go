package main

import (
	"bytes"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/crypto/x509roots/fallback/bundle"

	"github.com/p2pstream/p2pstream/tools/oci"
)

const (
	user       = oci.Unprivileged
	entrypoint = "/p2pstream"
	rootsPath  = "etc/ssl/certs/ca-certificates.crt"
	// fewestRoots is the number of roots below which the bundle must be broken.
	fewestRoots = 100
)

// baseFiles are all files but the program: they seldom change, so they are a layer of their own.
func baseFiles() ([]oci.File, error) {
	roots, n := rootCertificates()
	if n < fewestRoots {
		return nil, fmt.Errorf("reading root certificates: found %d, want at least %d", n, fewestRoots)
	}
	return []oci.File{
		{Path: "etc/group", Mode: 0o644, Data: []byte("root:x:0:\nnonroot:x:65532:\n")},
		{Path: "etc/passwd", Mode: 0o644, Data: []byte("root:x:0:0:root:/:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/:/sbin/nologin\n")},
		{Path: rootsPath, Mode: 0o644, Data: roots},
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

func programFile(name string) (oci.File, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return oci.File{}, fmt.Errorf("reading binary: %w", err)
	}
	return oci.File{Path: strings.TrimPrefix(entrypoint, "/"), Mode: 0o755, Data: data}, nil
}

// writeTree writes the files below a folder, for builders that make the image themselves.
func writeTree(dir string, files []oci.File) error {
	for _, f := range files {
		name := filepath.Join(dir, filepath.FromSlash(f.Path))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil { //nolint:gosec // an image's folders are for every user
			return fmt.Errorf("making folders of the image: %w", err)
		}
		if err := os.WriteFile(name, f.Data, os.FileMode(f.Mode)); err != nil {
			return fmt.Errorf("writing files of the image: %w", err)
		}
	}
	return nil
}
