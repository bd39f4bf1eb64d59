package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/p2pstream/p2pstream/test/cluster/internal/binaries"
	"github.com/p2pstream/p2pstream/test/cluster/internal/host"
	"github.com/p2pstream/p2pstream/test/cluster/internal/plan"
)

// Options are the settings of `up`.
type Options struct {
	Name       string
	Nodes      int
	Masquerade bool
	// Wait is how long the cluster may take to work, building not included.
	Wait time.Duration
}

// Up starts a cluster and returns when its nodes are ready, its Services answer and its names resolve. A
// cluster of that name that already works is left as it is, except for masquerading; one that does not work
// is removed first. If Up fails, it leaves nothing behind.
func Up(ctx context.Context, o Options, out io.Writer) (*State, error) {
	if err := errors.Join(plan.CheckName(o.Name), plan.CheckNodes(o.Nodes)); err != nil {
		return nil, err
	}
	if missing := host.MissingPackages(); len(missing) > 0 {
		return nil, fmt.Errorf("missing Debian packages %s: run `cluster deps`", strings.Join(missing, " "))
	}
	source, err := binaries.FindSource()
	if err != nil {
		return nil, err
	}
	set, err := binaries.Ensure(ctx, source, out)
	if err != nil {
		return nil, err
	}
	release, err := lock(ctx, o.Name, out)
	if err != nil {
		return nil, err
	}
	defer func() { release() }()
	if s, err := Load(o.Name); err == nil && s.recovers(ctx) {
		return s, s.keep(ctx, o, out)
	}
	// The remains of a crash may include the folder that is locked: remove it, then lock the new one.
	if err := remove(ctx, o.Name, out); err != nil {
		return nil, err
	}
	release()
	if release, err = lock(ctx, o.Name, out); err != nil {
		release = func() {}
		return nil, err
	}
	s, err := create(ctx, o, set, out)
	if err != nil {
		_, _ = fmt.Fprintln(out, "cleaning up…")
		// The context may be what ended; cleaning up must not end with it.
		if cleanErr := remove(context.WithoutCancel(ctx), o.Name, io.Discard); cleanErr != nil {
			return nil, errors.Join(err, cleanErr)
		}
		return nil, err
	}
	return s, nil
}

// keep keeps a cluster that works, if it is as the options ask.
func (s *State) keep(ctx context.Context, o Options, out io.Writer) error {
	if s.NodeCount != o.Nodes {
		return fmt.Errorf("cluster %s is up with %d nodes, not %d: run `cluster down --name %s` first", s.Name, s.NodeCount, o.Nodes, s.Name)
	}
	_, _ = fmt.Fprintf(out, "cluster %s is already up\n", s.Name)
	return s.masquerade(ctx, o.Masquerade)
}

// recoverLimit is how long a cluster that is up may take to show that it works: what was killed a moment
// ago is being started again.
const recoverLimit = 15 * time.Second

// recovers reports whether a cluster that was up works, or works again within recoverLimit.
func (s *State) recovers(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, recoverLimit)
	defer cancel()
	for s.Ready && s.broken() == "" {
		if st, err := Inspect(ctx, s.Name); err == nil && st.Working {
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-time.After(pollInterval):
		}
	}
	return false
}

func create(ctx context.Context, o Options, set binaries.Set, out io.Writer) (*State, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, o.Wait, fmt.Errorf("the cluster is not working after %s (--wait)", o.Wait))
	defer cancel()
	began := time.Now()
	step := func(format string, args ...any) {
		_, _ = fmt.Fprintf(out, "%5.1fs  %s\n", time.Since(began).Seconds(), fmt.Sprintf(format, args...))
	}
	s, err := reserve(ctx, o, set, out)
	if err != nil {
		return nil, err
	}
	step("networks: nodes and host in %s, offices in %s", s.NodesCIDR(), s.OfficesCIDR())
	if err := s.makeNetworks(ctx); err != nil {
		return nil, err
	}
	if err := s.masquerade(ctx, o.Masquerade); err != nil {
		return nil, err
	}
	if err := s.writeConfig(set.Pause); err != nil {
		return nil, err
	}
	step("control plane and %d nodes are starting", s.NodeCount)
	if err := s.startPlaces(); err != nil {
		return nil, err
	}
	if err := s.waitUntilItWorks(ctx, step); err != nil {
		return nil, err
	}
	s.Ready = true
	if err := s.save(); err != nil {
		return nil, err
	}
	step("cluster %s is up", s.Name)
	return s, nil
}

// reserve takes a block of addresses and records it, so that the next cluster takes another one.
func reserve(ctx context.Context, o Options, set binaries.Set, out io.Writer) (*State, error) {
	release, err := host.Lock(ctx, Root, func() { _, _ = fmt.Fprintln(out, "waiting until another cluster has chosen its addresses…") })
	if err != nil {
		return nil, err
	}
	defer release()
	if err := rememberMachine(); err != nil {
		return nil, err
	}
	used, err := host.UsedPrefixes(ctx)
	if err != nil {
		return nil, err
	}
	names, err := Names()
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if other, err := Load(name); err == nil {
			used = append(used, other.Whole())
		}
	}
	net, err := plan.ChooseNet(used)
	if err != nil {
		return nil, err
	}
	s := &State{Cluster: plan.Cluster{Name: o.Name, Net: net, NodeCount: o.Nodes}, Masquerade: o.Masquerade}
	s.use(set)
	return s, s.save()
}

func (s *State) makeNetworks(ctx context.Context) error {
	cgroups, err := host.Cgroups()
	if err != nil {
		return err
	}
	places := []string{plan.WAN, plan.ControlPlane}
	for _, n := range s.Nodes() {
		places = append(places, n.Name)
		if err := host.MakeCgroup(cgroups, s.Cgroup(n.Name)); err != nil {
			return err
		}
	}
	for _, place := range places {
		if err := host.AddNetns(ctx, s.Cluster.Netns(place)); err != nil {
			return err
		}
	}
	for _, batch := range s.Topology() {
		if err := host.IPBatch(ctx, batch.Netns, batch.Lines); err != nil {
			return err
		}
	}
	return nil
}

// Masquerade switches whether pods hide behind their node's address when they leave the cluster.
func Masquerade(ctx context.Context, name string, on bool, out io.Writer) error {
	return change(ctx, name, out, func(s *State) error { return s.masquerade(ctx, on) })
}

func (s *State) masquerade(ctx context.Context, on bool) error {
	for _, n := range s.Nodes() {
		if _, err := host.Run(ctx, n.Netns, s.MasqueradeFilter(n, on), "nft", "-f", "-"); err != nil {
			return err
		}
		// UDP flows keep the addresses of their first packet for minutes. Forgetting them makes the next
		// packet follow the new rule. conntrack fails if there is nothing to forget.
		if s.Ready && on != s.Masquerade {
			_, _ = host.Run(ctx, n.Netns, "", "conntrack", "-D", "-p", "udp")
		}
	}
	s.Masquerade = on
	return s.save()
}
