// Command entrance is a small ingress controller for clusters on one machine, with Debian's HAProxy as the proxy: docs/first-stream.md
// uses it, and tests run the same package. It has to run where Services are reached, such as on a node:
//
//	cluster exec n1 -- entrance --class haproxy --listen 10.200.1.2:443
//
// It reads the kubeconfig that KUBECONFIG names, and serves until it is interrupted.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/p2pstream/p2pstream/test/lab/entrance"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	o := entrance.Options{Log: func(err error) { fmt.Fprintln(os.Stderr, "entrance:", err) }}
	flag.StringVar(&o.Class, "class", "haproxy", "class of the Ingresses and Gateways that it serves")
	flag.StringVar(&o.Listen, "listen", "", "IP:port at which viewers reach it (required)")
	flag.BoolVar(&o.ProxyProtocol, "proxy-protocol", false, "tell trackers the addresses of viewers by the PROXY protocol, too")
	flag.Parse()
	if o.Listen == "" || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "entrance:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o entrance.Options) error {
	config, err := clientcmd.BuildConfigFromFlags("", os.Getenv(clientcmd.RecommendedConfigPathEnvVar))
	if err != nil {
		return fmt.Errorf("reading kubeconfig: %w", err)
	}
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), gatewayv1.Install(scheme)); err != nil {
		return fmt.Errorf("making scheme: %w", err)
	}
	if o.Client, err = client.New(config, client.Options{Scheme: scheme}); err != nil {
		return fmt.Errorf("making client: %w", err)
	}
	return entrance.Run(ctx, o)
}
