// Package entrance is what leads viewers into a cluster of a test: a real proxy, Caddy or
// Debian's HAProxy, and the small controller of Ingresses and Gateways that configures it from the objects and says in their
// status what it did.
//
// Run starts both, in the network namespace of a node, from which Services are reached:
//
//	err := entrance.Run(ctx, entrance.Options{
//		Client: k8s, Netns: node.Netns, Listen: net.JoinHostPort(node.IP, "8443"), Class: "haproxy",
//	})
//
// It serves Ingresses and Gateways whose class is Class. Certificates are those of the Secrets that Ingresses and listeners name.
// TLS ends at the proxy, or, for a TLSRoute, passes through HAProxy. Connections on which nothing is sent for Idle are closed, and with
// ProxyProtocol the tracker is told the addresses of viewers.
package entrance
