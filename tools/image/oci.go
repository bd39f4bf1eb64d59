package main

import (
	"fmt"

	"github.com/google/go-containerregistry/pkg/name"

	"github.com/p2pstream/p2pstream/tools/oci"
)

const source = "https://github.com/p2pstream/p2pstream"

// parseTag wants the whole name: containerd keeps what it is given, while a kubelet looks for the name with
// its registry, so that it would never find a short one.
func parseTag(s string) (name.Tag, error) {
	tag, err := name.NewTag(s, name.StrictValidation)
	if err != nil {
		return name.Tag{}, fmt.Errorf("--tag %q: %w; write host, name and tag, such as localhost/p2pstream:dev", s, err)
	}
	return tag, nil
}

// assemble describes the image, one layer for each list of files.
func assemble(arch, version string, layers ...[]oci.File) oci.Image {
	return oci.Image{Architecture: arch, Entrypoint: []string{entrypoint}, User: user, Labels: labels(version), Layers: layers}
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
