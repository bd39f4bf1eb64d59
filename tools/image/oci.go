package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

const source = "https://github.com/p2pstream/p2pstream"

// epoch is the time of everything in an image, so that the same input gives the same digest.
var epoch = v1.Time{Time: time.Unix(0, 0).UTC()}

// parseTag wants the whole name: containerd keeps what it is told, while a kubelet looks for the
// name with its registry, so that a short one would never be found.
func parseTag(s string) (name.Tag, error) {
	tag, err := name.NewTag(s, name.StrictValidation)
	if err != nil {
		return name.Tag{}, fmt.Errorf("--tag %q: %w; write host, name and tag, such as localhost/p2pstream:dev", s, err)
	}
	return tag, nil
}

// assemble makes the image, one layer for each list of files.
func assemble(arch, version string, layers ...[]file) (v1.Image, error) {
	img := mutate.MediaType(empty.Image, types.OCIManifestSchema1)
	img = mutate.ConfigMediaType(img, types.OCIConfigJSON)
	for _, files := range layers {
		raw, err := archive(files)
		if err != nil {
			return nil, err
		}
		open := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(raw)), nil }
		layer, err := tarball.LayerFromOpener(open, tarball.WithMediaType(types.OCILayer), tarball.WithCompressedCaching)
		if err != nil {
			return nil, fmt.Errorf("making layer: %w", err)
		}
		img, err = mutate.Append(img, mutate.Addendum{Layer: layer, History: v1.History{Created: epoch, CreatedBy: "p2pstream tools/image"}})
		if err != nil {
			return nil, fmt.Errorf("adding layer: %w", err)
		}
	}
	config, err := img.ConfigFile()
	if err != nil {
		return nil, fmt.Errorf("reading image config: %w", err)
	}
	config = config.DeepCopy()
	config.OS, config.Architecture, config.Created = "linux", arch, epoch
	config.Config = v1.Config{User: user, Entrypoint: []string{entrypoint}, WorkingDir: "/", Labels: labels(version)}
	img, err = mutate.ConfigFile(img, config)
	if err != nil {
		return nil, fmt.Errorf("writing image config: %w", err)
	}
	return img, nil
}

func labels(version string) map[string]string {
	l := map[string]string{
		"org.opencontainers.image.title":       "p2pstream",
		"org.opencontainers.image.description": "Enterprise CDN for live and on-demand video: tracker, STUN, seeder, viewer and operator",
		"org.opencontainers.image.source":      source,
		"org.opencontainers.image.licenses":    "Apache-2.0",
	}
	if version != "" {
		l["org.opencontainers.image.version"] = version
	}
	return l
}

// writeArchive writes the image as an OCI layout in a tar, with Docker's manifest.json beside it so
// that every engine loads it, and returns the digest. Nothing is left at out when it fails.
func writeArchive(out string, tag name.Tag, img v1.Image) (v1.Hash, error) {
	entries, digest, err := archiveEntries(tag, img)
	if err != nil {
		return v1.Hash{}, err
	}
	raw, err := archive(entries)
	if err != nil {
		return v1.Hash{}, err
	}
	part := out + ".part"
	if err := errors.Join(os.WriteFile(part, raw, 0o644), os.Rename(part, out)); err != nil { //nolint:gosec // an image holds no secret
		return v1.Hash{}, fmt.Errorf("writing archive: %w", err)
	}
	return digest, nil
}

// dockerManifest is one image in manifest.json, which engines without OCI layouts read.
type dockerManifest struct {
	Config   string
	RepoTags []string
	Layers   []string
}

func archiveEntries(tag name.Tag, img v1.Image) ([]file, v1.Hash, error) {
	index := mutate.AppendManifests(mutate.IndexMediaType(empty.Index, types.OCIImageIndex), mutate.IndexAddendum{
		Add: img,
		Descriptor: v1.Descriptor{Annotations: map[string]string{
			"io.containerd.image.name":          tag.Name(),
			"org.opencontainers.image.ref.name": tag.TagStr(),
		}},
	})
	rawIndex, err1 := index.RawManifest()
	rawManifest, err2 := img.RawManifest()
	rawConfig, err3 := img.RawConfigFile()
	digest, err4 := img.Digest()
	configName, err5 := img.ConfigName()
	layers, err6 := img.Layers()
	if err := errors.Join(err1, err2, err3, err4, err5, err6); err != nil {
		return nil, v1.Hash{}, fmt.Errorf("describing image: %w", err)
	}
	docker := dockerManifest{Config: blobPath(configName), RepoTags: []string{tag.Name()}}
	blobs := []file{{blobPath(digest), 0o644, rawManifest}, {blobPath(configName), 0o644, rawConfig}}
	for _, layer := range layers {
		blob, err := layerBlob(layer)
		if err != nil {
			return nil, v1.Hash{}, err
		}
		docker.Layers = append(docker.Layers, blob.path)
		blobs = append(blobs, blob)
	}
	rawDocker, err := json.Marshal([]dockerManifest{docker})
	if err != nil {
		return nil, v1.Hash{}, fmt.Errorf("describing image for Docker: %w", err)
	}
	return append([]file{
		{"oci-layout", 0o644, []byte(`{"imageLayoutVersion":"1.0.0"}`)},
		{"index.json", 0o644, rawIndex},
		{"manifest.json", 0o644, rawDocker},
	}, blobs...), digest, nil
}

func layerBlob(layer v1.Layer) (file, error) {
	digest, err := layer.Digest()
	if err != nil {
		return file{}, fmt.Errorf("hashing layer: %w", err)
	}
	r, err := layer.Compressed()
	if err != nil {
		return file{}, fmt.Errorf("compressing layer: %w", err)
	}
	data, err := io.ReadAll(r)
	if err := errors.Join(err, r.Close()); err != nil {
		return file{}, fmt.Errorf("compressing layer: %w", err)
	}
	return file{blobPath(digest), 0o644, data}, nil
}

func blobPath(h v1.Hash) string { return "blobs/" + h.Algorithm + "/" + h.Hex }
