package main

import (
	"archive/tar"
	"bytes"
	"crypto/x509"
	"debug/elf"
	"encoding/binary"
	"encoding/pem"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

const tag = "localhost/p2pstream:dev"

// program writes the smallest file that reads as a Linux program.
func program(t *testing.T, machine elf.Machine, segment elf.ProgType) string {
	t.Helper()
	header := elf.Header64{
		Type: uint16(elf.ET_EXEC), Machine: uint16(machine), Version: uint32(elf.EV_CURRENT),
		Phoff: 64, Ehsize: 64, Phentsize: 56, Phnum: 1,
	}
	copy(header.Ident[:], elf.ELFMAG)
	header.Ident[elf.EI_CLASS] = byte(elf.ELFCLASS64)
	header.Ident[elf.EI_DATA] = byte(elf.ELFDATA2LSB)
	header.Ident[elf.EI_VERSION] = byte(elf.EV_CURRENT)
	var out bytes.Buffer
	for _, part := range []any{header, elf.Prog64{Type: uint32(segment)}} {
		if err := binary.Write(&out, binary.LittleEndian, part); err != nil {
			t.Fatal(err)
		}
	}
	name := filepath.Join(t.TempDir(), "p2pstream")
	if err := os.WriteFile(name, out.Bytes(), 0o755); err != nil {
		t.Fatal(err)
	}
	return name
}

// makeImage runs the command and returns the archive that it wrote.
func makeImage(t *testing.T, machine elf.Machine, args ...string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "image.tar")
	var stdout, stderr strings.Builder
	args = append([]string{"--binary", program(t, machine, elf.PT_LOAD), "--tag", tag, "--out", out}, args...)
	if code := run(args, &stdout, &stderr); code != 0 {
		t.Fatalf("exit %d: %s", code, &stderr)
	}
	if !strings.Contains(stdout.String(), tag) || !strings.Contains(stdout.String(), "sha256:") {
		t.Errorf("said %q, want the tag and the digest", &stdout)
	}
	return out
}

// unpack writes a tar's files to a folder.
func unpack(t *testing.T, name string) string {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	dir := t.TempDir()
	for r := tar.NewReader(f); ; {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			return dir
		}
		if err != nil {
			t.Fatal(err)
		}
		if !header.ModTime.IsZero() && header.ModTime.Unix() != 0 {
			t.Errorf("%s carries the time %s", header.Name, header.ModTime)
		}
		if header.Typeflag == tar.TypeDir {
			continue
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		to := filepath.Join(dir, header.Name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(to), 0o755), os.WriteFile(to, data, 0o644)); err != nil {
			t.Fatal(err)
		}
	}
}

// contents reads the files of an image as a container would see them.
func contents(t *testing.T, img v1.Image) map[string]*tar.Header {
	t.Helper()
	found := map[string]*tar.Header{}
	r := mutate.Extract(img)
	defer r.Close()
	for tr := tar.NewReader(r); ; {
		header, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return found
		}
		if err != nil {
			t.Fatal(err)
		}
		found[header.Name] = header
	}
}

func ociImage(t *testing.T, archive string) (v1.Image, v1.Descriptor) {
	t.Helper()
	index, err := layout.ImageIndexFromPath(unpack(t, archive))
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	if len(manifest.Manifests) != 1 {
		t.Fatalf("index names %d images, want 1", len(manifest.Manifests))
	}
	img, err := index.Image(manifest.Manifests[0].Digest)
	if err != nil {
		t.Fatal(err)
	}
	return img, manifest.Manifests[0]
}

func TestArchiveIsAnOCIImage(t *testing.T) {
	t.Parallel()
	img, entry := ociImage(t, makeImage(t, elf.EM_AARCH64, "--version", "v1.2.3", "--platform", "linux/arm64"))
	if err := validate.Image(img); err != nil {
		t.Error(err)
	}
	if got := entry.Annotations["io.containerd.image.name"]; got != tag {
		t.Errorf("containerd will call it %q, want %q", got, tag)
	}
	if got := entry.Annotations["org.opencontainers.image.ref.name"]; got != "dev" {
		t.Errorf("ref name is %q, want dev", got)
	}
	config, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	if config.OS != "linux" || config.Architecture != "arm64" {
		t.Errorf("platform is %s/%s", config.OS, config.Architecture)
	}
	if config.Config.User != "65532:65532" || !slices.Equal(config.Config.Entrypoint, []string{"/p2pstream"}) {
		t.Errorf("runs %q as %q", config.Config.Entrypoint, config.Config.User)
	}
	for label, want := range map[string]string{
		"org.opencontainers.image.version":  "v1.2.3",
		"org.opencontainers.image.licenses": "Apache-2.0",
		"org.opencontainers.image.source":   source,
	} {
		if got := config.Config.Labels[label]; got != want {
			t.Errorf("label %s is %q, want %q", label, got, want)
		}
	}
	files := contents(t, img)
	for name, mode := range map[string]int64{"p2pstream": 0o755, "etc/passwd": 0o644, "etc/group": 0o644, rootsPath: 0o644} {
		if f := files[name]; f == nil || f.Mode != mode || f.Uid != 0 {
			t.Errorf("%s: got %+v, want mode %o, owned by root", name, f, mode)
		}
	}
}

func TestDockerReadsTheArchiveToo(t *testing.T) {
	t.Parallel()
	archive := makeImage(t, elf.EM_X86_64)
	viaDocker, err := tarball.ImageFromPath(archive, nil)
	if err != nil {
		t.Fatal(err)
	}
	viaOCI, _ := ociImage(t, archive)
	docker, err1 := viaDocker.ConfigName()
	oci, err2 := viaOCI.ConfigName()
	if err := errors.Join(err1, err2, validate.Image(viaDocker)); err != nil {
		t.Fatal(err)
	}
	if docker != oci {
		t.Errorf("Docker reads the image %s, others %s", docker, oci)
	}
}

func TestSameInputSameBytes(t *testing.T) {
	t.Parallel()
	first, err1 := os.ReadFile(makeImage(t, elf.EM_X86_64))
	second, err2 := os.ReadFile(makeImage(t, elf.EM_X86_64))
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first, second) {
		t.Error("two archives of one binary differ")
	}
}

func TestRootCertificatesParse(t *testing.T) {
	t.Parallel()
	raw, n := rootCertificates()
	pool := 0
	for block, rest := pem.Decode(raw); block != nil; block, rest = pem.Decode(rest) {
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		if !cert.IsCA {
			t.Errorf("%s is no certificate authority", cert.Subject)
		}
		pool++
	}
	if pool != n || n < fewestRoots {
		t.Errorf("%d of %d roots parse, want all and at least %d", pool, n, fewestRoots)
	}
}

func TestTreeHoldsTheFilesOfTheImage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var stdout, stderr strings.Builder
	if code := run([]string{"--binary", program(t, elf.EM_X86_64, elf.PT_LOAD), "--rootfs", dir}, &stdout, &stderr); code != 0 {
		t.Fatalf("exit %d: %s", code, &stderr)
	}
	img, _ := ociImage(t, makeImage(t, elf.EM_X86_64))
	for name, header := range contents(t, img) {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Error(err)
			continue
		}
		if header.Typeflag == tar.TypeReg && (info.Size() != header.Size || int64(info.Mode().Perm()) != header.Mode) {
			t.Errorf("%s: %d bytes, mode %o; the image has %d, %o", name, info.Size(), info.Mode().Perm(), header.Size, header.Mode)
		}
	}
}
