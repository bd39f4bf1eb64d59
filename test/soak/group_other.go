//go:build !linux

package main

import "syscall"

// ownGroup does nothing where it is not known how.
func ownGroup() *syscall.SysProcAttr { return nil }
