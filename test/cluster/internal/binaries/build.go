package binaries

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/p2pstream/p2pstream/test/cluster/internal/host"
)

// KubernetesVersion is the version that the kube module requires and that the API server reports.
const KubernetesVersion = "v1.36.3"

// program is one binary: the folder of its main package, the inputs of its cache key, and its names.
type program struct {
	name    string
	version string
	dir     string
	sources []string
	ldflags string
	links   []string
	expect  string
}

func programs() []program {
	version := "k8s.io/component-base/version.git"
	minor := strings.Split(strings.TrimPrefix(KubernetesVersion, "v"), ".")
	return []program{
		{
			name: "kube", version: KubernetesVersion, dir: "kube", sources: []string{"go.mod", "go.sum", "*.go"},
			ldflags: fmt.Sprintf("-s -w -X %[1]sVersion=%[2]s -X %[1]sMajor=%[3]s -X %[1]sMinor=%[4]s", version, KubernetesVersion, minor[0], minor[1]),
			links:   []string{"etcd", "kubectl", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy", "kubelet"},
			expect:  "about 6 minutes on two cores",
		},
		{
			name: "coredns", dir: "coredns", sources: []string{"go.mod", "go.sum", "*.go"}, ldflags: "-s -w",
			expect: "about 1 minute on two cores",
		},
		{name: "pause", dir: "pause", sources: []string{"*.go"}, ldflags: "-s -w", expect: "a few seconds"},
	}
}

// Set says where the built programs are.
type Set struct {
	// Kube is the folder with etcd, kubectl, kubelet and the kube-… programs.
	Kube string
	// CoreDNS and Pause are files.
	CoreDNS, Pause string
}

// CacheDir is where built programs are kept.
func CacheDir() (string, error) {
	base, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("finding the cache folder: %w; set XDG_CACHE_HOME", err)
	}
	return filepath.Join(base, "p2pstream", "cluster"), nil
}

// Ensure builds what is not in the cache yet, and writes progress to out every ten seconds. A build has no
// time limit: it ends when it is done, when it fails or when ctx ends.
func Ensure(ctx context.Context, source string, out io.Writer) (Set, error) {
	cache, err := CacheDir()
	if err != nil {
		return Set{}, err
	}
	found := map[string]string{}
	for _, p := range programs() {
		dir, err := p.ensure(ctx, source, cache, out)
		if err != nil {
			return Set{}, err
		}
		found[p.name] = dir
	}
	return set(found), nil
}

// Find returns the programs if all of them are in the cache.
func Find(source string) (Set, error) {
	cache, err := CacheDir()
	if err != nil {
		return Set{}, err
	}
	found := map[string]string{}
	for _, p := range programs() {
		key, err := p.key(source)
		if err != nil {
			return Set{}, err
		}
		dir := filepath.Join(cache, key)
		if _, err := os.Stat(filepath.Join(dir, p.name)); err != nil {
			return Set{}, fmt.Errorf("%s is not built: run `cluster build` first (%s)", p.name, p.expect)
		}
		found[p.name] = dir
	}
	return set(found), nil
}

func set(dirs map[string]string) Set {
	return Set{Kube: dirs["kube"], CoreDNS: filepath.Join(dirs["coredns"], "coredns"), Pause: filepath.Join(dirs["pause"], "pause")}
}

// key names a build by everything that decides its bytes, except the Go version: any will do.
func (p program) key(source string) (string, error) {
	hash := sha256.New()
	_, _ = fmt.Fprintln(hash, p.ldflags, p.links, runtime.GOARCH)
	for _, pattern := range p.sources {
		files, err := filepath.Glob(filepath.Join(source, p.dir, pattern))
		if err != nil {
			return "", fmt.Errorf("listing source: %w", err)
		}
		for _, file := range files {
			content, err := os.ReadFile(file)
			if err != nil {
				return "", fmt.Errorf("reading source: %w", err)
			}
			_, _ = fmt.Fprintln(hash, filepath.Base(file), len(content))
			_, _ = hash.Write(content)
		}
	}
	parts := []string{p.name}
	if p.version != "" {
		parts = append(parts, p.version)
	}
	return strings.Join(append(parts, hex.EncodeToString(hash.Sum(nil))[:12]), "-"), nil
}

func (p program) ensure(ctx context.Context, source, cache string, out io.Writer) (string, error) {
	key, err := p.key(source)
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, key)
	if _, err := os.Stat(filepath.Join(dir, p.name)); err == nil {
		return dir, nil
	}
	release, err := host.Lock(ctx, filepath.Join(cache, "lock-"+p.name), func() {
		_, _ = fmt.Fprintf(out, "waiting for another process that builds %s (%s)…\n", p.name, p.expect)
	})
	if err != nil {
		return "", err
	}
	defer release()
	if _, err := os.Stat(filepath.Join(dir, p.name)); err == nil {
		return dir, nil
	}
	return dir, p.build(ctx, filepath.Join(source, p.dir), dir, out)
}

// build builds into a folder beside the final one and renames it, so that the final one is always complete.
func (p program) build(ctx context.Context, source, dir string, out io.Writer) error {
	scratch, err := os.MkdirTemp(filepath.Dir(dir), ".building-")
	if err != nil {
		return fmt.Errorf("making build folder: %w", err)
	}
	defer func() { _ = os.RemoveAll(scratch) }()
	label := strings.TrimSpace(p.name + " " + p.version)
	_, _ = fmt.Fprintf(out, "building %s (from an empty build cache %s, longer on a busy machine)…\n", label, p.expect)
	began := time.Now()
	if err := p.compile(ctx, source, filepath.Join(scratch, p.name), out); err != nil {
		return fmt.Errorf("building %s: %w", p.name, err)
	}
	for _, link := range p.links {
		if err := os.Symlink(p.name, filepath.Join(scratch, link)); err != nil {
			return fmt.Errorf("naming %s: %w", link, err)
		}
	}
	if err := os.Chmod(scratch, 0o755); err != nil {
		return fmt.Errorf("opening build folder: %w", err)
	}
	if err := os.Rename(scratch, dir); err != nil {
		return fmt.Errorf("keeping build: %w", err)
	}
	_, _ = fmt.Fprintf(out, "built %s in %s\n", label, time.Since(began).Round(time.Second))
	return nil
}
