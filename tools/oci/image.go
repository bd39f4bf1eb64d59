package oci

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// Unprivileged is a user and group for images that need no rights: numbers, so that Kubernetes can see that
// they are not root.
const Unprivileged = "65532:65532"

// Image is a Linux image.
type Image struct {
	// Architecture is in Go's words, such as amd64.
	Architecture string
	Entrypoint   []string
	// User is UID:GID.
	User   string
	Labels map[string]string
	// Layers are the files, lowest layer first.
	Layers [][]File
}

// FromBinary is an image that holds one static binary as its entrypoint, and nothing else.
func FromBinary(binary, architecture string) (Image, error) {
	data, err := os.ReadFile(binary)
	if err != nil {
		return Image{}, fmt.Errorf("reading binary: %w", err)
	}
	name := filepath.Base(binary)
	return Image{
		Architecture: architecture, Entrypoint: []string{"/" + name}, User: Unprivileged,
		Layers: [][]File{{{Path: name, Mode: 0o755, Data: data}}},
	}, nil
}

// CheckName returns an error if pods could not use an image of this name: containerd keeps a name as it is
// given, while a kubelet looks for one with registry and tag.
func CheckName(name string) error {
	if !strings.Contains(name, "/") || !strings.Contains(path.Base(name), ":") {
		return fmt.Errorf("image name %q: write the registry and the tag too, such as localhost/p2pstream:dev", name)
	}
	return nil
}

// Media types of the OCI image specification, version 1.1.
const (
	manifestType = "application/vnd.oci.image.manifest.v1+json"
	indexType    = "application/vnd.oci.image.index.v1+json"
	configType   = "application/vnd.oci.image.config.v1+json"
	layerType    = "application/vnd.oci.image.layer.v1.tar+gzip"
)

// epoch is the time of everything in an image.
const epoch = "1970-01-01T00:00:00Z"

type (
	descriptor struct {
		MediaType   string            `json:"mediaType"`
		Size        int               `json:"size"`
		Digest      string            `json:"digest"`
		Annotations map[string]string `json:"annotations,omitempty"`
	}
	manifest struct {
		SchemaVersion int          `json:"schemaVersion"`
		MediaType     string       `json:"mediaType"`
		Config        descriptor   `json:"config"`
		Layers        []descriptor `json:"layers"`
	}
	index struct {
		SchemaVersion int          `json:"schemaVersion"`
		MediaType     string       `json:"mediaType"`
		Manifests     []descriptor `json:"manifests"`
	}
	history struct {
		Created   string `json:"created"`
		CreatedBy string `json:"created_by"`
	}
	config struct {
		Created      string    `json:"created"`
		Architecture string    `json:"architecture"`
		OS           string    `json:"os"`
		Config       runConfig `json:"config"`
		RootFS       rootFS    `json:"rootfs"`
		History      []history `json:"history"`
	}
	runConfig struct {
		User       string
		Entrypoint []string
		WorkingDir string
		Labels     map[string]string `json:",omitempty"`
	}
	rootFS struct {
		Type    string   `json:"type"`
		DiffIDs []string `json:"diff_ids"`
	}
	// dockerManifest is one image in manifest.json, which engines without OCI layouts read.
	dockerManifest struct {
		Config   string
		RepoTags []string
		Layers   []string
	}
)

// Write writes an image to a file as an OCI layout in a tar, with Docker's manifest.json beside it so that
// every engine loads it. It returns the manifest's digest. The name is the whole one (see CheckName). The
// file appears when it is complete; nothing is left when writing fails.
func Write(file, name string, img Image) (digest string, err error) {
	if err := CheckName(name); err != nil {
		return "", err
	}
	files, digest, err := layout(name, img)
	if err != nil {
		return "", err
	}
	raw, err := pack(files)
	if err != nil {
		return "", fmt.Errorf("writing archive: %w", err)
	}
	part := file + ".part"
	if err := errors.Join(os.WriteFile(part, raw, 0o644), os.Rename(part, file)); err != nil { //nolint:gosec // an image holds no secret
		_ = os.Remove(part)
		return "", fmt.Errorf("writing archive: %w", err)
	}
	return digest, nil
}

// blobs collects the contents of an archive by their digest.
type blobs []File

func (b *blobs) add(mediaType string, data []byte) descriptor {
	d := descriptor{MediaType: mediaType, Size: len(data), Digest: digestOf(data)}
	*b = append(*b, File{Path: blobPath(d), Mode: 0o644, Data: data})
	return d
}

func (b *blobs) addJSON(mediaType string, v any) (descriptor, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return descriptor{}, fmt.Errorf("encoding %s: %w", mediaType, err)
	}
	return b.add(mediaType, data), nil
}

// layout makes the files of the archive and the manifest's digest.
func layout(name string, img Image) ([]File, string, error) {
	var content blobs
	m := manifest{SchemaVersion: 2, MediaType: manifestType, Layers: []descriptor{}}
	c := config{
		Created: epoch, Architecture: img.Architecture, OS: "linux",
		Config: runConfig{User: img.User, Entrypoint: img.Entrypoint, WorkingDir: "/", Labels: img.Labels},
		RootFS: rootFS{Type: "layers", DiffIDs: []string{}},
	}
	docker := dockerManifest{RepoTags: []string{name}}
	for _, files := range img.Layers {
		raw, err := pack(files)
		if err != nil {
			return nil, "", fmt.Errorf("making layer: %w", err)
		}
		packed, err := compress(raw)
		if err != nil {
			return nil, "", err
		}
		layer := content.add(layerType, packed)
		m.Layers = append(m.Layers, layer)
		c.RootFS.DiffIDs = append(c.RootFS.DiffIDs, digestOf(raw))
		c.History = append(c.History, history{Created: epoch, CreatedBy: "p2pstream tools/oci"})
		docker.Layers = append(docker.Layers, blobPath(layer))
	}
	var err error
	if m.Config, err = content.addJSON(configType, c); err != nil {
		return nil, "", err
	}
	docker.Config = blobPath(m.Config)
	entry, err := content.addJSON(manifestType, m)
	if err != nil {
		return nil, "", err
	}
	// The first annotation is how containerd names what it imports, the second is the specification's tag.
	entry.Annotations = map[string]string{
		"io.containerd.image.name":          name,
		"org.opencontainers.image.ref.name": name[strings.LastIndex(name, ":")+1:],
	}
	rawIndex, err1 := json.Marshal(index{SchemaVersion: 2, MediaType: indexType, Manifests: []descriptor{entry}})
	rawDocker, err2 := json.Marshal([]dockerManifest{docker})
	if err := errors.Join(err1, err2); err != nil {
		return nil, "", fmt.Errorf("encoding index: %w", err)
	}
	return append([]File{
		{Path: "oci-layout", Mode: 0o644, Data: []byte(`{"imageLayoutVersion":"1.0.0"}`)},
		{Path: "index.json", Mode: 0o644, Data: rawIndex},
		{Path: "manifest.json", Mode: 0o644, Data: rawDocker},
	}, content...), entry.Digest, nil
}

func digestOf(data []byte) string {
	sum := sha256.Sum256(data)
	return "sha256:" + hex.EncodeToString(sum[:])
}

func blobPath(d descriptor) string { return "blobs/" + strings.Replace(d.Digest, ":", "/", 1) }
