//go:build !linux

package program

import "syscall"

func attributes(bool) *syscall.SysProcAttr { return nil }

func lock(string) (unlock func() error, err error) { return func() error { return nil }, nil }
