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
	// clusterName tells the demo's cluster from others on this machine.
	clusterName = "demo"
	// officeRate is the uplink of an office: the viewers in it could not all fetch from the origin.
	officeRate = "20mbit"
)

// ownCluster is a cluster that the demo starts on this machine and removes.
type ownCluster struct {
	*demo
	program    string // kubectl
	kubeconfig string
	viewers    processes
}

func (o *ownCluster) headline() string {
	return fmt.Sprintf("a cluster of two nodes on this machine, %d viewers in two offices", o.opts.viewers)
}

// tool is a command of bin/cluster for our cluster.
func (o *ownCluster) tool(name string, args ...string) []string {
	return append([]string{o.bin("cluster"), name, "--name", clusterName}, args...)
}

func (o *ownCluster) kubectl() []string {
	// Its own cache folder, as a cluster that is gone tomorrow has no business in the user's.
	return []string{o.program, "--kubeconfig", o.kubeconfig, "--cache-dir", filepath.Join(o.scratch, "kubectl")}
}

func (o *ownCluster) image() string { return localImage }

func (o *ownCluster) hint() string {
	const get = " get p2pstreams -A -o wide"
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
	// This also ends viewers that still run in the offices.
	if err := o.demo.begin(ctx, left, o.down); err != nil {
		return err
	}
	archive := filepath.Join(o.scratch, "p2pstream.oci.tar")
	steps := []struct {
		title, next string
		args        []string
		time        time.Duration
	}{
		{"installing what is missing", "install the packages by hand with apt-get, then run make demo again", o.tool("deps"), shortTime},
		{"building the cluster's programs", o.seeLog(), o.tool("build"), buildTime},
		{"making the image", o.seeLog(), []string{o.bin("image"), "--binary", o.bin(staticBinary), "--tag", localImage, "--out", archive}, shortTime},
	}
	for _, s := range steps {
		err := o.ui.step(ctx, s.title, func(ctx context.Context, a *activity) error {
			return withNext(o.runner.run(ctx, command{args: s.args, dir: o.root, timeout: s.time}, a), "%s", s.next)
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

// refuseForeign stops before a cluster of our name that no demo made is taken over and removed.
func (o *ownCluster) refuseForeign(ctx context.Context, a *activity) error {
	out, err := o.runner.output(ctx, command{args: o.tool("list"), timeout: shortTime}, a)
	if err != nil {
		return err
	}
	if slices.Contains(strings.Fields(string(out)), clusterName) {
		return withNext(fmt.Errorf("a cluster named %s is on this machine, and no demo made it", clusterName),
			"remove it if nobody needs it: bin/cluster down --name %s", clusterName)
	}
	return nil
}

func (o *ownCluster) startViewers(_ context.Context, office, configURL string, viewers int, _ *activity) error {
	for i := range viewers {
		args := o.tool("exec", office, "--", o.bin(staticBinary), "viewer", "--headless", "--config-url", configURL, "--log-level", "warn")
		if err := o.viewers.start(office, fmt.Sprintf("viewer %d", i+1), args...); err != nil {
			return err
		}
	}
	return nil
}

func (o *ownCluster) playing(context.Context) (map[string]int, []string, error) {
	running := map[string]int{}
	for _, office := range offices {
		running[office] = o.viewers.running(office)
	}
	return running, o.viewers.troubles(), nil
}

func (o *ownCluster) wan(ctx context.Context) (map[string]counters, error) {
	out, err := o.quiet.output(ctx, command{args: o.tool("offices", "--json"), timeout: 10 * time.Second}, nil)
	if err != nil {
		return nil, err
	}
	return officeCounters(out)
}

// officeCounters reads what `cluster offices` prints.
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

// remove takes the viewers out first: they would complain about a cluster that goes away.
func (o *ownCluster) remove(ctx context.Context) error {
	return errors.Join(o.viewers.stop(ctx), o.down(ctx))
}

func (o *ownCluster) down(ctx context.Context) error {
	err := o.runner.run(ctx, command{args: o.tool("down"), timeout: shortTime}, nil)
	return withNext(err, "try again by hand: bin/cluster down --name %s", clusterName)
}
