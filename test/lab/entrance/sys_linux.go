package entrance

import "syscall"

// endWithParent ends the proxy together with the program that started it, however that ends.
func endWithParent() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM} }
