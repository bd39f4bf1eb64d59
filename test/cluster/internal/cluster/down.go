package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/p2pstream/p2pstream/test/cluster/internal/host"
	"github.com/p2pstream/p2pstream/test/cluster/internal/plan"
)

// Down removes a cluster and everything made for it. It does nothing if there is no such cluster.
func Down(ctx context.Context, name string, out io.Writer) error {
	if err := plan.CheckName(name); err != nil {
		return err
	}
	release, err := lock(ctx, name, out)
	if err != nil {
		return err
	}
	defer release()
	return remove(ctx, name, out)
}

// dyingLimit is how long the kernel may take to end what ran on a node.
const dyingLimit = 15 * time.Second

// remove looks for what exists instead of reading the state file, so that it also cleans up after a crash
// at any moment. It goes on after a failure and reports all of them.
func remove(ctx context.Context, name string, out io.Writer) error {
	c := plan.Cluster{Name: name}
	errs := []error{endPlaces(name)}
	if names, err := host.Netnses(c.NetnsPrefix()); err != nil {
		errs = append(errs, err)
	} else {
		errs = append(errs, endPrograms(ctx, names, c.NetnsPrefix(), out))
	}
	errs = append(errs, host.UnmountBelow(Dir(name)), removeNetworks(ctx, c))
	if cgroups, err := host.Cgroups(); err != nil {
		errs = append(errs, err)
	} else {
		errs = append(errs, host.RemoveCgroups(cgroups, c.NetnsPrefix()))
	}
	if err := errors.Join(errs...); err != nil {
		// The state stays, so that the next `down` knows where to go on.
		return fmt.Errorf("taking cluster %s down: %w", name, err)
	}
	if err := os.RemoveAll(Dir(name)); err != nil {
		return fmt.Errorf("removing state: %w", err)
	}
	return restoreMachine(ctx, out)
}

// endPlaces kills the first process of every place; the kernel then kills all that the place ever
// started, pods included, and undoes its mounts.
func endPlaces(name string) error {
	var victims []host.Process
	if s, err := Load(name); err == nil {
		for _, place := range s.Places {
			victims = append(victims, place.Init)
		}
	}
	// A crash may have come between the start of a process and its record in the state file.
	processes, err := host.Processes()
	if err != nil {
		return err
	}
	for _, p := range processes {
		if isInit(p.Args, name) {
			victims = append(victims, p.Process)
		}
	}
	own, err := host.PIDnsOfSelf()
	if err != nil {
		return err
	}
	worlds := map[uint64]bool{}
	for _, p := range processes {
		if slices.Contains(victims, p.Process) && p.PIDns != own {
			worlds[p.PIDns] = true
		}
	}
	if left := host.End(victims, 0); len(left) > 0 {
		return fmt.Errorf("processes are still alive after SIGKILL: %v", left)
	}
	return host.WaitPIDnsGone(worlds, dyingLimit)
}

// isInit reports whether a process is the first of a place of this cluster, by its command line.
func isInit(args []string, name string) bool {
	return len(args) == 3 && args[1] == InitCommand && strings.HasPrefix(args[2], Dir(name)+"/")
}

// endPrograms ends the programs that callers still run inside these network namespaces (`cluster exec`),
// except this program and its ancestors.
func endPrograms(ctx context.Context, names []string, prefix string, out io.Writer) error {
	places := map[uint64]string{}
	for _, name := range names {
		if inode, err := host.NetnsInode(name); err == nil {
			places[inode] = strings.TrimPrefix(name, prefix)
		}
	}
	own, err := host.NetnsInodeOfSelf()
	if err != nil {
		return err
	}
	delete(places, own) // a name whose mount is gone leads to nothing, and must never lead to the machine
	processes, err := host.Processes()
	if err != nil {
		return err
	}
	family := host.Ancestors()
	var victims []host.Process
	for _, p := range processes {
		if place, ok := places[p.Netns]; ok && !family[p.PID] {
			_, _ = fmt.Fprintf(out, "ending process %d in %s: %s\n", p.PID, place, strings.Join(p.Args, " "))
			victims = append(victims, p.Process)
		}
	}
	if left := host.End(victims, 2*time.Second); len(left) > 0 {
		return fmt.Errorf("processes are still alive after SIGKILL: %v", left)
	}
	return ctx.Err()
}

func removeNetworks(ctx context.Context, c plan.Cluster) error {
	var errs []error
	// Namespaces are torn down some time after they are deleted; the host's own interface goes now.
	if links, err := host.Counters(ctx, ""); err != nil {
		errs = append(errs, err)
	} else if _, there := links[c.HostInterface()]; there {
		_, err := host.Run(ctx, "", "", "ip", "link", "delete", c.HostInterface())
		errs = append(errs, err)
	}
	names, err := host.Netnses(c.NetnsPrefix())
	errs = append(errs, err)
	slices.Sort(names)
	for _, name := range names {
		errs = append(errs, host.DeleteNetns(ctx, name))
	}
	return errors.Join(errs...)
}
