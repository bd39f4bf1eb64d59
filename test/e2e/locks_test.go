//go:build e2e

package e2e

import (
	"context"
	"os"
	"path/filepath"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"golang.org/x/sys/unix"
)

// Specs in several processes share one cluster and one machine. These locks keep those apart that would change what
// another one asserts; the system gives them back when a process ends.

const (
	// operatorLock is held by specs that replace the operator or close a node to new pods, and shared by those that limit
	// how soon the operator reacts.
	operatorLock = "operator"
	// startLock is held while a browser or a tab starts, and shared by the starts of pods: two processors cannot start two
	// as they would start one.
	startLock = "start"
)

// lockWithin is longer than any spec holds a lock.
const lockWithin = 3 * time.Minute

// holdAlone waits until no other process holds or shares a lock. It is given back by release, or when the spec ends.
func holdAlone(ctx context.Context, name string) (release func()) {
	GinkgoHelper()
	return hold(ctx, name, unix.LOCK_EX)
}

// share waits until no other process holds a lock alone.
func share(ctx context.Context, name string) (release func()) {
	GinkgoHelper()
	return hold(ctx, name, unix.LOCK_SH)
}

func hold(ctx context.Context, name string, how int) (release func()) {
	GinkgoHelper()
	file, err := os.OpenFile(filepath.Join(os.TempDir(), "p2pstream-e2e-"+lab.Name+"-"+name+".lock"), os.O_CREATE|os.O_RDWR, 0o600)
	Expect(err).NotTo(HaveOccurred())
	release = func() { _ = file.Close() } // a second time, it is closed already
	DeferCleanup(release)
	Eventually(ctx, func() error { return unix.Flock(int(file.Fd()), how|unix.LOCK_NB) }).WithTimeout(lockWithin).
		WithPolling(100*time.Millisecond).Should(Succeed(), "waiting for the lock %q", name)
	return release
}
