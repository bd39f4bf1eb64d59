//go:build !unix

package main

import (
	"os"
	"os/exec"
)

// Substitutes for systems without process groups and file locks.

func columns(*os.File) int { return 80 }

func ownGroup(*exec.Cmd) {}

func signalGroup(cmd *exec.Cmd, _ bool) error { return cmd.Process.Kill() }

func lockFile(*os.File) (bool, error) { return true, nil }

func become(path string, args []string) error {
	cmd := exec.Command(path, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	return cmd.Run()
}
