package cluster

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/p2pstream/p2pstream/test/cluster/internal/host"
	"github.com/p2pstream/p2pstream/test/cluster/internal/plan"
)

// InitCommand is the hidden subcommand that is the first process of a node.
const InitCommand = "node-init"

// startPlaces starts the first process of the control plane and of every node. They outlive this program.
func (s *State) startPlaces() error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("finding this program: %w", err)
	}
	for _, spec := range s.specs() {
		init, err := s.startPlace(self, spec.Place)
		if err != nil {
			return fmt.Errorf("starting %s: %w", spec.Place, err)
		}
		s.Places = append(s.Places, Place{Name: spec.Place, Init: init})
		if err := s.save(); err != nil {
			return err
		}
	}
	return nil
}

func (s *State) startPlace(self, place string) (host.Process, error) {
	log, err := os.OpenFile(s.Paths().Log(place, "init"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return host.Process{}, fmt.Errorf("opening log: %w", err)
	}
	defer func() { _ = log.Close() }()
	cmd := exec.Command(self, InitCommand, specFile(s.Paths(), place))
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Cloneflags: syscall.CLONE_NEWPID | syscall.CLONE_NEWNS}
	if err := host.InNetns(s.Cluster.Netns(place), cmd.Start); err != nil {
		return host.Process{}, err
	}
	process, err := host.FindProcess(cmd.Process.Pid)
	go func() { _ = cmd.Wait() }() // so that its end shows while this program waits for the cluster
	return process, err
}

// exited reads which programs of a place have ended since it was started: a line of "program, tab, how" each.
func (s *State) exited(place string) (program, how string) {
	data, err := os.ReadFile(s.Paths().File(place, "exits"))
	if errors.Is(err, fs.ErrNotExist) || len(data) == 0 {
		return "", ""
	}
	line, _, _ := strings.Cut(string(data), "\n")
	program, how, _ = strings.Cut(line, "\t")
	return program, how
}

// broken returns a place whose first process is gone, or an empty name.
func (s *State) broken() string {
	for _, place := range s.Places {
		if !place.Init.Alive() {
			return place.Name
		}
	}
	return ""
}

// Names lists the clusters of the machine, working or not.
func Names() ([]string, error) {
	entries, err := os.ReadDir(Root)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("listing clusters: %w", err)
	}
	var names []string
	for _, entry := range entries {
		if entry.IsDir() && plan.CheckName(entry.Name()) == nil {
			names = append(names, filepath.Base(entry.Name()))
		}
	}
	return names, nil
}
