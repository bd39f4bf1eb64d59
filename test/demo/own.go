package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

const (
	// clusterName is the name of the demo's cluster among those of this machine.
	clusterName = "demo"
	// officeRate is the rate of an office's uplink.
	officeRate = "20mbit"
	// clusterPackages are the Debian packages that `cluster deps` installs if they are missing.
	clusterPackages = "conntrack, containerd, containernetworking-plugins, ethtool, iproute2, ipset, iptables, nftables, runc, socat"
)

// ownCluster is a cluster that the demo starts on this machine and removes.
type ownCluster struct {
	*demo
	program    string // kubectl
	kubeconfig string
	viewers    viewers
}

func (o *ownCluster) headline() string {
	return fmt.Sprintf("a cluster of two nodes on this machine, %s, %d viewers in two offices", o.opts.scenery(), o.opts.viewers)
}

func (o *ownCluster) opening() []string {
	return []string{
		"time", "about 10 minutes the first time on two idle cores, most of it to compile Kubernetes; later runs about 2 minutes",
		"installs", "with apt-get, those of these Debian packages that are missing: " + clusterPackages + ". They stay after the demo",
		"removes", "everything else at the end, except what is built: bin/, Go's caches and ~/.cache/p2pstream",
	}
}

// steps are those of setUp and of begin.
func (o *ownCluster) steps() int { return setUpSteps(o.opts) + 8 }

// tool is a command of bin/cluster for the demo's cluster.
func (o *ownCluster) tool(name string, args ...string) []string {
	return append([]string{o.bin("cluster"), name, "--name", clusterName}, args...)
}

func (o *ownCluster) kubectl() []string {
	// A cache folder of its own, because the cluster does not outlive the demo.
	return []string{o.program, "--kubeconfig", o.kubeconfig, "--cache-dir", filepath.Join(o.scratch, "kubectl")}
}

func (o *ownCluster) image() string { return localImage }

func (o *ownCluster) hint() string {
	const get = " get p2pstreams,p2pnetworks -A"
	if _, err := exec.LookPath("kubectl"); err == nil {
		return "kubectl --kubeconfig " + o.kubeconfig + get
	}
	return "bin/cluster kubectl --name " + clusterName + " --" + get + "   (kubeconfig " + o.kubeconfig + ")"
}

func (o *ownCluster) namespace() string { return "" }

func (o *ownCluster) begin(ctx context.Context, left *entry) error {
	o.viewers.log = o.logFile
	o.warnOfMemory()
	for _, b := range o.programs(o.version(ctx)) {
		if err := o.build(ctx, b); err != nil {
			return err
		}
	}
	o.estimate(ctx)
	// Removing a cluster also ends the viewers that still run in its offices.
	if err := o.demo.begin(ctx, left, o.down); err != nil {
		return err
	}
	archive := filepath.Join(o.scratch, "p2pstream.oci.tar")
	steps := []struct {
		title, next string
		command     command
	}{
		{
			"installing Debian packages", "install the packages with apt-get, then run make demo again",
			command{args: o.tool("deps"), idle: shortTime, notice: o.noteInstall},
		},
		{
			"building Kubernetes", "run make demo again: compiled packages stay in Go's build cache; without a cluster: scripts/demo.sh --in-process; " + o.seeLog(),
			command{args: o.tool("build"), idle: buildIdle},
		},
		{
			"writing the image", o.seeLog(),
			command{args: []string{o.bin("image"), "--binary", o.bin(staticBinary), "--tag", localImage, "--out", archive}, timeout: shortTime},
		},
	}
	for _, s := range steps {
		s.command.dir = o.root
		err := o.ui.step(ctx, s.title, func(ctx context.Context, a *activity) error {
			return withNext(o.runner.run(ctx, s.command, a), "%s", s.next)
		})
		if err != nil {
			return err
		}
	}
	if err := o.up(ctx); err != nil {
		return err
	}
	return o.ui.step(ctx, "loading the image", func(ctx context.Context, a *activity) error {
		return o.runner.run(ctx, command{args: o.tool("load", archive), timeout: shortTime}, a)
	})
}

// estimate says how long the rest takes, once bin/cluster can tell whether Kubernetes is built.
func (o *ownCluster) estimate(ctx context.Context) {
	_, err := o.quiet.output(ctx, command{args: o.tool("path"), dir: o.root, timeout: shortTime}, nil)
	o.ui.note("%s", remaining(err == nil))
}

func remaining(built bool) string {
	if built {
		return "Kubernetes is built already: about 90 seconds from here"
	}
	return "Kubernetes is not built yet: about 10 minutes from here on two idle cores, longer on a busy machine"
}

// noteInstall shows which packages apt-get is about to install.
func (o *ownCluster) noteInstall(line string) {
	if packages, ok := strings.CutPrefix(line, "installing "); ok {
		o.ui.note("apt-get installs %s; they stay after the demo", packages)
	}
}

func (o *ownCluster) up(ctx context.Context) error {
	return o.ui.step(ctx, "starting two nodes", func(ctx context.Context, a *activity) error {
		if err := o.refuseForeign(ctx, a); err != nil {
			return err
		}
		if err := o.made(); err != nil {
			return err
		}
		if err := o.runner.run(ctx, command{args: o.tool("up", "--nodes", "2"), timeout: shortTime}, a); err != nil {
			return withNext(err, "%s", o.seeLog())
		}
		for _, ask := range []struct {
			args []string
			into *string
		}{{o.tool("kubeconfig"), &o.kubeconfig}, {o.tool("path", "kubectl"), &o.program}} {
			out, err := o.runner.output(ctx, command{args: ask.args, dir: o.root, timeout: shortTime}, a)
			if err != nil {
				return err
			}
			*ask.into = strings.TrimSpace(string(out))
		}
		for _, office := range offices {
			if err := o.runner.run(ctx, command{args: o.tool("office", office, "--rate", officeRate), timeout: shortTime}, a); err != nil {
				return err
			}
		}
		return nil
	})
}

// refuseForeign fails when a cluster with the demo's name exists that no demo has created.
func (o *ownCluster) refuseForeign(ctx context.Context, a *activity) error {
	out, err := o.runner.output(ctx, command{args: o.tool("list"), timeout: shortTime}, a)
	if err != nil {
		return err
	}
	if slices.Contains(strings.Fields(string(out)), clusterName) {
		return withNext(fmt.Errorf("this machine already has a cluster named %s, which no demo has created", clusterName),
			"remove it if it is not in use: bin/cluster down --name %s", clusterName)
	}
	return nil
}

func (o *ownCluster) startViewers(ctx context.Context, office string, of []audience, _ *activity) error {
	n := 0
	for _, a := range of {
		for range a.viewers {
			n++
			err := o.viewers.start(ctx, office, n, o.tool("exec", office, "--"), o.bin(staticBinary), "--headless", "--config-url", a.configURL, "--log-level", "warn")
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func (o *ownCluster) playing(context.Context) (map[string]int, []string, error) {
	return o.viewers.running(), o.viewers.ended(), nil
}

func (o *ownCluster) wan(ctx context.Context) (map[string]counters, error) {
	out, err := o.offices(ctx)
	if err != nil {
		return nil, err
	}
	return officeCounters(out)
}

func (o *ownCluster) ranges(ctx context.Context) (map[string]string, error) {
	out, err := o.offices(ctx)
	if err != nil {
		return nil, err
	}
	return officeRanges(out)
}

func (o *ownCluster) offices(ctx context.Context) ([]byte, error) {
	return o.quiet.output(ctx, command{args: o.tool("offices", "--json"), timeout: 10 * time.Second}, nil)
}

// officeCounters reads the output of `cluster offices`.
func officeCounters(raw []byte) (map[string]counters, error) {
	var infos []struct {
		Name string `json:"name"`
		In   uint64 `json:"wanBytesIn"`
		Out  uint64 `json:"wanBytesOut"`
	}
	if err := json.Unmarshal(raw, &infos); err != nil {
		return nil, fmt.Errorf("reading the offices' counters: %w", err)
	}
	all := map[string]counters{}
	for _, i := range infos {
		all[i.Name] = counters{down: i.In, up: i.Out}
	}
	return all, nil
}

// remove stops the viewers first: they would report errors while the cluster disappears.
func (o *ownCluster) remove(ctx context.Context) error {
	return errors.Join(o.viewers.stop(), o.down(ctx))
}

func (o *ownCluster) down(ctx context.Context) error {
	err := o.runner.run(ctx, command{args: o.tool("down"), timeout: shortTime}, nil)
	return withNext(err, "remove it by hand: bin/cluster down --name %s", clusterName)
}
