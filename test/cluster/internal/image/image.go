package image

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// nobody is the user of images that do not say otherwise: numeric, so that a pod may demand runAsNonRoot.
const nobody = "65532:65532"

// Write makes an image that holds one static binary as its entrypoint, named such as
// localhost/p2pstream:dev, and writes it to a file as an OCI archive. The same binary gives the same bytes.
func Write(binary, name, file, arch string) error {
	if err := CheckName(name); err != nil {
		return err
	}
	img, err := fromBinary(binary, arch)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp(filepath.Dir(file), ".image-")
	if err != nil {
		return fmt.Errorf("making image folder: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	oci, err := layout.Write(dir, empty.Index)
	if err != nil {
		return fmt.Errorf("writing image: %w", err)
	}
	// The first annotation is how containerd names what it imports, the second how other tools do.
	annotations := map[string]string{
		"io.containerd.image.name":          name,
		"org.opencontainers.image.ref.name": name,
	}
	if err := oci.AppendImage(img, layout.WithAnnotations(annotations)); err != nil {
		return fmt.Errorf("writing image: %w", err)
	}
	return pack(dir, file)
}

// CheckName says why pods could not use an image of this name.
func CheckName(name string) error {
	if !strings.Contains(name, "/") || !strings.Contains(path.Base(name), ":") {
		return fmt.Errorf("--tag %q: write the registry and the tag too, such as localhost/p2pstream:dev", name)
	}
	return nil
}

func fromBinary(binary, arch string) (v1.Image, error) {
	content, err := os.ReadFile(binary)
	if err != nil {
		return nil, fmt.Errorf("reading binary: %w", err)
	}
	name := filepath.Base(binary)
	var layer bytes.Buffer
	w := tar.NewWriter(&layer)
	if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o755, Size: int64(len(content)), Typeflag: tar.TypeReg, Format: tar.FormatPAX}); err != nil {
		return nil, fmt.Errorf("writing layer: %w", err)
	}
	if _, err := w.Write(content); err != nil {
		return nil, fmt.Errorf("writing layer: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("writing layer: %w", err)
	}
	base := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	img, err := mutate.AppendLayers(base, static.NewLayer(layer.Bytes(), types.OCIUncompressedLayer))
	if err != nil {
		return nil, fmt.Errorf("adding layer: %w", err)
	}
	config, err := img.ConfigFile()
	if err != nil {
		return nil, fmt.Errorf("reading image config: %w", err)
	}
	config = config.DeepCopy()
	config.OS, config.Architecture = "linux", arch
	config.Config.Entrypoint = []string{"/" + name}
	config.Config.User = nobody
	if img, err = mutate.ConfigFile(img, config); err != nil {
		return nil, fmt.Errorf("writing image config: %w", err)
	}
	return img, nil
}

// pack writes a folder as a tar, under a name that appears only once it is whole.
func pack(dir, file string) (err error) {
	out, err := os.CreateTemp(filepath.Dir(file), ".image-*.tar")
	if err != nil {
		return fmt.Errorf("writing archive: %w", err)
	}
	defer func() {
		if err != nil {
			_ = out.Close()
			_ = os.Remove(out.Name())
		}
	}()
	w := tar.NewWriter(out)
	err = filepath.WalkDir(dir, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		return add(w, dir, name)
	})
	if err := errors.Join(err, w.Close(), out.Chmod(0o644), out.Close()); err != nil {
		return fmt.Errorf("writing archive: %w", err)
	}
	if err := os.Rename(out.Name(), file); err != nil {
		return fmt.Errorf("writing archive: %w", err)
	}
	return nil
}

func add(w *tar.Writer, dir, name string) error {
	in, err := os.Open(name)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	inside, err := filepath.Rel(dir, name)
	if err != nil {
		return err
	}
	if err := w.WriteHeader(&tar.Header{Name: filepath.ToSlash(inside), Mode: 0o644, Size: info.Size(), Typeflag: tar.TypeReg}); err != nil {
		return err
	}
	_, err = io.Copy(w, in)
	return err
}
