// Package kube is how the suite talks to a cluster: with kubectl where users would, with a client where a
// test has to look closely, and with a dump of everything when a spec failed.
package kube

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	clientscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/cli-utils/pkg/kstatus/status"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
	"sigs.k8s.io/yaml"

	v1 "github.com/p2pstream/p2pstream/api/v1"
)

// Client reads and writes a cluster's objects, uncached.
type Client struct {
	client.WithWatch

	kubeconfig string
	kubectl    []string
}

// New makes a client. kubectl is the command line that kubectl's arguments follow.
func New(kubeconfig string, kubectl ...string) (*Client, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("reading kubeconfig: %w", err)
	}
	config.QPS = -1 // a test waits for the cluster, not for itself
	config.WarningHandler = rest.NoWarnings{}
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientscheme.AddToScheme, v1.AddToScheme, gatewayv1.Install} {
		if err := add(scheme); err != nil {
			return nil, fmt.Errorf("making scheme: %w", err)
		}
	}
	c, err := client.NewWithWatch(config, client.Options{Scheme: scheme})
	if err != nil {
		return nil, fmt.Errorf("making client: %w", err)
	}
	return &Client{WithWatch: c, kubeconfig: kubeconfig, kubectl: kubectl}, nil
}

// Kubectl runs kubectl and returns its output; an error contains what it wrote to stderr.
func (c *Client) Kubectl(ctx context.Context, args ...string) (string, error) {
	return c.KubectlIn(ctx, "", args...)
}

// KubectlIn is Kubectl with standard input.
func (c *Client) KubectlIn(ctx context.Context, in string, args ...string) (string, error) {
	all := append(append([]string{}, c.kubectl...), args...)
	cmd := exec.CommandContext(ctx, all[0], all[1:]...)
	cmd.Env = append(cmd.Environ(), "KUBECONFIG="+c.kubeconfig)
	cmd.Stdin = strings.NewReader(in)
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		return string(out), fmt.Errorf("kubectl %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(complaint.String()))
	}
	return string(out), nil
}

// Apply is kubectl apply of objects.
func (c *Client) Apply(ctx context.Context, objects ...client.Object) error {
	var docs []string
	for _, o := range objects {
		doc, err := c.Manifest(o)
		if err != nil {
			return err
		}
		docs = append(docs, doc)
	}
	_, err := c.KubectlIn(ctx, strings.Join(docs, "---\n"), "apply", "-f", "-")
	return err
}

// Manifest is an object as a user would write it: with its kind, without the fields that only a cluster fills in.
func (c *Client) Manifest(o client.Object) (string, error) {
	kind, err := c.GroupVersionKindFor(o)
	if err != nil {
		return "", fmt.Errorf("naming the kind of %s: %w", o.GetName(), err)
	}
	fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(o)
	if err != nil {
		return "", fmt.Errorf("writing %s: %w", o.GetName(), err)
	}
	delete(fields, "status")
	unstructured.RemoveNestedField(fields, "metadata", "creationTimestamp")
	u := unstructured.Unstructured{Object: fields}
	u.SetGroupVersionKind(kind)
	raw, err := yaml.Marshal(u.Object)
	if err != nil {
		return "", fmt.Errorf("writing %s: %w", o.GetName(), err)
	}
	return string(raw), nil
}

// Stream reads a stream.
func (c *Client) Stream(ctx context.Context, key client.ObjectKey) (*v1.P2PStream, error) {
	var s v1.P2PStream
	if err := c.Get(ctx, key, &s); err != nil {
		return nil, fmt.Errorf("reading stream %s: %w", key, err)
	}
	return &s, nil
}

// KStatus computes the status of a stream as generic tools do (kstatus).
func (c *Client) KStatus(ctx context.Context, key client.ObjectKey) (*status.Result, error) {
	var u unstructured.Unstructured
	u.SetGroupVersionKind(schema.GroupVersionKind{Group: v1.GroupVersion.Group, Version: v1.GroupVersion.Version, Kind: v1.Kind})
	if err := c.Get(ctx, key, &u); err != nil {
		return nil, fmt.Errorf("reading stream %s: %w", key, err)
	}
	r, err := status.Compute(&u)
	if err != nil {
		return nil, fmt.Errorf("computing the status of %s: %w", key, err)
	}
	return r, nil
}
