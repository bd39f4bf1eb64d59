//go:build !linux

package entrance

import "syscall"

func endWithParent() *syscall.SysProcAttr { return nil }
