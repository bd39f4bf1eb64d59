package commands

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/p2pstream/p2pstream/test/cluster/internal/cluster"
	"github.com/p2pstream/p2pstream/test/cluster/internal/host"
)

func (a *app) exec() *cobra.Command {
	return &cobra.Command{
		Use:   "exec PLACE -- COMMAND [ARGUMENT…]",
		Short: "Run a command in the network namespace of an office, a node (n1, …), the control plane (n0) or the wan",
		Long: `Run a command in the network namespace of an office, a node (n1, n2, …), the control plane (n0) or the
router (wan). Only the network differs; files, user and process tree are the caller's. The command replaces
this process: signals and exit status are its own.`,
		Example: `  cluster exec paris -- curl http://10.200.1.2:30080/
  cluster exec wan -- ip link set n1 down    # pull a node's plug; up puts it back`,
		Args:    args(cobra.MinimumNArgs(2)),
		PreRunE: needRoot,
		RunE: func(_ *cobra.Command, given []string) error {
			s, err := cluster.Load(a.name)
			if err != nil {
				return err
			}
			netns, err := s.Netns(given[0])
			if err != nil {
				return usageError{err}
			}
			return become(netns, given[1:], os.Environ())
		},
	}
}

func (a *app) kubectl() *cobra.Command {
	return &cobra.Command{
		Use:     "kubectl -- ARGUMENT…",
		Short:   "Run the built-in kubectl on the cluster",
		Example: "  cluster kubectl -- get nodes -o wide",
		RunE: func(_ *cobra.Command, given []string) error {
			s, err := cluster.Load(a.name)
			if err != nil {
				return err
			}
			environment := append(os.Environ(), "KUBECONFIG="+s.Paths().Kubeconfig())
			return become("", append([]string{filepath.Join(s.Kube, "kubectl")}, given...), environment)
		},
	}
}

// become replaces this process by a command. It returns only if that fails.
func become(netns string, command, environment []string) error {
	path, err := exec.LookPath(command[0])
	if errors.Is(err, exec.ErrDot) {
		err = nil
	}
	if err != nil {
		return fmt.Errorf("finding command: %w", err)
	}
	// The namespace is a thread's; replacing the process from that thread makes it the process's.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if netns != "" {
		if err := host.EnterNetns(netns); err != nil {
			return err
		}
	}
	if err := syscall.Exec(path, command, environment); err != nil {
		return fmt.Errorf("running %s: %w", path, err)
	}
	return nil
}
