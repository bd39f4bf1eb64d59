package kube

import (
	"context"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
)

const (
	dumpLimit = 30 * time.Second
	logLines  = "40"
)

// Dump returns everything that helps to understand a failure: streams, pods, events, and the end of every log.
func (c *Client) Dump(ctx context.Context) string {
	ctx, cancel := context.WithTimeout(ctx, dumpLimit)
	defer cancel()
	var b strings.Builder
	show := func(title string, args ...string) {
		out, err := c.Kubectl(ctx, args...)
		if err != nil {
			out += err.Error()
		}
		_, _ = fmt.Fprintf(&b, "---- %s\n%s\n", title, strings.TrimSpace(out))
	}
	show("streams", "get", "p2pstreams", "-A", "-o", "yaml")
	show("objects", "get", "nodes,pods,services,deployments,statefulsets", "-A", "-o", "wide")
	show("events", "get", "events", "-A", "--sort-by=.lastTimestamp",
		"-o", "custom-columns=SEEN:.lastTimestamp,COUNT:.count,NAMESPACE:.metadata.namespace,OBJECT:.involvedObject.name,REASON:.reason,MESSAGE:.message")
	var pods corev1.PodList
	if err := c.List(ctx, &pods); err != nil {
		return b.String() + err.Error()
	}
	for _, p := range pods.Items {
		show("log of "+p.Namespace+"/"+p.Name, "logs", "-n", p.Namespace, p.Name, "--all-containers", "--tail="+logLines)
		for _, s := range p.Status.ContainerStatuses {
			if s.RestartCount > 0 {
				show("log of "+p.Namespace+"/"+p.Name+" before its last restart", "logs", "-n", p.Namespace, p.Name, "--previous", "--tail="+logLines)
			}
		}
	}
	return b.String()
}
