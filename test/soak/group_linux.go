package main

import "syscall"

// ownGroup keeps a Ctrl-C from the programs, which are ended in their order, and
// ends them if this program is killed.
func ownGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
