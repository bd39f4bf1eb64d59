package main

import (
	"debug/elf"
	"fmt"
	"os"
	"strings"
)

// checkBinary returns the architecture of a static Linux program. The image has no C library and no
// loader, so a dynamic one would only fail when its first pod starts.
func checkBinary(name, platform string) (string, error) {
	f, err := elf.Open(name)
	if os.IsNotExist(err) {
		return "", fmt.Errorf("--binary: there is no %s; build it first with CGO_ENABLED=0 go build", name)
	}
	if err != nil {
		return "", fmt.Errorf("--binary: reading %s as a Linux program: %w; build it with GOOS=linux", name, err)
	}
	defer f.Close() //nolint:errcheck // opened for reading only
	arch := map[elf.Machine]string{elf.EM_X86_64: "amd64", elf.EM_AARCH64: "arm64"}[f.Machine]
	if arch == "" {
		return "", fmt.Errorf("--binary: %s is for %s; images are made for amd64 and arm64", name, f.Machine)
	}
	if want := strings.TrimPrefix(platform, "linux/"); want != "" && want != arch {
		return "", fmt.Errorf("--platform asks for linux/%s, but %s is for linux/%s; build it with GOARCH=%s", want, name, arch, want)
	}
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			return "", fmt.Errorf("--binary: %s is dynamically linked and cannot run in an image without a C library; build it with CGO_ENABLED=0", name)
		}
	}
	return arch, nil
}
