package browser

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// managed writes the policy file and returns what makes a command run with a view of the files in which it is in the folder
// that Chromium reads.
func managed(chromium, home, origin string, policies func(origin string) ([]byte, error)) (wrap func(*exec.Cmd), err error) {
	if os.Geteuid() != 0 {
		return nil, errors.New("mount namespaces need root; run: sudo -E env PATH=$PATH make interop")
	}
	content, err := policies(origin)
	if err != nil {
		return nil, fmt.Errorf("making policies: %w", err)
	}
	unshare, err := exec.LookPath("unshare")
	if err != nil {
		return nil, fmt.Errorf("finding unshare: %w; install util-linux", err)
	}
	folder := policyFolder(chromium)
	if _, err := os.Stat(folder); err != nil {
		return nil, fmt.Errorf("finding the folder that hides the machine's policies: %w; make it, empty", err)
	}
	view := filepath.Join(home, "etc")
	file := filepath.Join(view, "policies", "managed", "test.json")
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return nil, fmt.Errorf("making a folder for policies: %w", err)
	}
	if err := os.WriteFile(file, content, 0o600); err != nil {
		return nil, fmt.Errorf("writing policies: %w", err)
	}
	return func(cmd *exec.Cmd) {
		const script = `mount --bind "$1" "$2" && shift 2 && exec "$@"`
		cmd.Args = append([]string{unshare, "--mount", "sh", "-c", script, "sh", view, folder, cmd.Path}, cmd.Args[1:]...)
		cmd.Path = unshare
	}, nil
}

// policyFolder is the folder of an executable's policies, without policies/managed.
func policyFolder(chromium string) string {
	if strings.HasPrefix(filepath.Base(chromium), "google-chrome") {
		return "/etc/opt/chrome"
	}
	return "/etc/chromium"
}
