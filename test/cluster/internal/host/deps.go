package host

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// CNIDir is where Debian puts the CNI plugins.
const CNIDir = "/usr/lib/cni"

// needs maps each program that a cluster runs to the Debian package that has it.
var needs = map[string]string{
	"containerd":                        "containerd",
	"containerd-shim-runc-v2":           "containerd",
	"ctr":                               "containerd",
	"runc":                              "runc",
	filepath.Join(CNIDir, "ptp"):        "containernetworking-plugins",
	filepath.Join(CNIDir, "portmap"):    "containernetworking-plugins",
	filepath.Join(CNIDir, "host-local"): "containernetworking-plugins",
	"iptables":                          "iptables",
	"nft":                               "nftables",
	"conntrack":                         "conntrack",
	"ipset":                             "ipset",
	"ethtool":                           "ethtool",
	"socat":                             "socat",
	"ip":                                "iproute2",
	"tc":                                "iproute2",
}

// MissingPackages lists the Debian packages whose programs are not there.
func MissingPackages() []string {
	var missing []string
	for program, pkg := range needs {
		if _, err := exec.LookPath(program); err != nil && !slices.Contains(missing, pkg) {
			missing = append(missing, pkg)
		}
	}
	slices.Sort(missing)
	return missing
}

// Install installs Debian packages without removing or upgrading any. The package lists are fetched
// first only if they turn out to be stale.
func Install(ctx context.Context, packages []string, out io.Writer) error {
	install := func() error {
		return apt(ctx, out, append([]string{"install", "--yes", "--no-remove", "--no-upgrade", "--no-install-recommends"}, packages...)...)
	}
	err := install()
	if err == nil {
		return nil
	}
	if updateErr := apt(ctx, out, "update"); updateErr != nil {
		return fmt.Errorf("installing %s: %w, then updating the package lists: %w", strings.Join(packages, " "), err, updateErr)
	}
	if err := install(); err != nil {
		return fmt.Errorf("installing %s: %w", strings.Join(packages, " "), err)
	}
	return nil
}

func apt(ctx context.Context, out io.Writer, args ...string) error {
	cmd := exec.CommandContext(ctx, "apt-get", args...)
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
	cmd.Stdout, cmd.Stderr = out, out
	return cmd.Run()
}
