//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"net/netip"
	"os/exec"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/test/e2e/pki"
)

// Seeders, STUN servers and the tracker by the ways that UDP has, for a page on https in an office.
var _ = Describe("Without node ports", Label("entrances"), SpecPriority(3), func() {
	It("a page plays from what load balancers lead to", func(ctx SpecContext) {
		const class = "example.com/balancer"
		balanced := balance(ctx, class)
		pair := issueFor(balanced.all()...)
		Expect(k8s.Apply(ctx, tlsSecret("balanced-tls", pair), originCA("balanced"))).To(Succeed())
		settings := &v1.LoadBalancerSettings{Class: class}
		s := stream("balanced", origin.SecureURL(livePath), func(s *v1.P2PStreamSpec) {
			trustOrigin(s, "balanced")
			s.Tracker = &v1.TrackerSpec{Exposure: &v1.TrackerExposure{Type: v1.ExposureLoadBalancer, TLSSecretName: "balanced-tls", LoadBalancer: settings}}
			s.STUN = &v1.STUNSpec{Exposure: &v1.STUNExposure{Type: v1.ExposureLoadBalancer, LoadBalancer: settings}}
			s.Seeders.Exposure = &v1.SeederExposure{Type: v1.ExposureLoadBalancer, LoadBalancer: settings}
		})
		serve(ctx, s)
		Expect(current(ctx, s).Status.Endpoints).To(HaveValue(And(
			HaveField("Announce", HavePrefix("wss://"+balancerNet())), HaveField("STUN", ConsistOf(HavePrefix("stun:"+balancerNet()))))))
		playsWell(ctx, s)
	}, SpecTimeout(5*time.Minute))

	It("a page plays from ports of nodes", func(ctx SpecContext) {
		// Pod Security forbids ports of nodes where it enforces the baseline.
		ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "host-ports"}}
		Expect(k8s.Create(ctx, ns)).To(Succeed())
		DeferCleanup(func(ctx SpecContext) { Expect(client.IgnoreNotFound(k8s.Delete(ctx, ns))).To(Succeed()) }, NodeTimeout(time.Minute))
		certificate, ca := tlsSecret("tracker-tls", issueFor(addresses()...)), originCA("ports-of-nodes")
		certificate.Namespace, ca.Namespace = ns.Name, ns.Name
		Expect(k8s.Apply(ctx, certificate, ca)).To(Succeed())
		const stunPort, seederPort = 34780, 34790
		s := stream("ports-of-nodes", origin.SecureURL(livePath), func(s *v1.P2PStreamSpec) {
			trustOrigin(s, "ports-of-nodes")
			s.Tracker.Exposure.TLSSecretName = "tracker-tls"
			s.STUN = &v1.STUNSpec{Exposure: &v1.STUNExposure{Type: v1.ExposureHostPort, Port: new(v1.Port(stunPort))}}
			s.Seeders.Exposure = &v1.SeederExposure{Type: v1.ExposureHostPort, Port: new(v1.Port(seederPort))}
		})
		s.Namespace = ns.Name
		serve(ctx, s)
		Expect(current(ctx, s).Status.Endpoints).To(HaveValue(HaveField("STUN", ContainElement(HaveSuffix(fmt.Sprint(":", stunPort))))))
		Expect(children(ctx, s, "services")).NotTo(ContainElement(ContainSubstring("seeder-")), "a seeder has a Service")
		playsWell(ctx, s)
	}, SpecTimeout(5*time.Minute))
})

// issueFor makes a certificate.
func issueFor(hosts ...string) pki.Pair {
	GinkgoHelper()
	pair, err := authority.Issue(hosts...)
	Expect(err).NotTo(HaveOccurred())
	return pair
}

// balancerNet is what the addresses of load balancers begin with. No office has them, and as addresses of offices they are reached
// through the router of the WAN, from everywhere.
func balancerNet() string {
	node := netip.MustParseAddr(nodes[0].IP).As4()
	return fmt.Sprintf("%d.%d.254.", node[0], node[1])
}

// balancers is an implementation of load balancers, for one class: each Service has an address, which the router of the WAN
// sends to a node that runs its pod. The node's kube-proxy does the rest.
type balancers struct{ class string }

// mostBalanced bounds the addresses.
const mostBalanced = 8

// balance runs one until the spec ends.
func balance(ctx context.Context, class string) balancers {
	GinkgoHelper()
	b := balancers{class}
	run, stop := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(500 * time.Millisecond)
		defer tick.Stop()
		for given := map[client.ObjectKey]string{}; ; {
			if err := b.look(run, given); err != nil && run.Err() == nil {
				_, _ = fmt.Fprintln(GinkgoWriter, "balancers:", err)
			}
			select {
			case <-run.Done():
				return
			case <-tick.C:
			}
		}
	}()
	DeferCleanup(func() {
		stop()
		<-done
		for _, address := range b.all() {
			_ = router(context.Background(), "ip", "route", "flush", address+"/32")
		}
	})
	return b
}

// all addresses that Services may get.
func (b balancers) all() []string {
	var all []string
	for i := range mostBalanced {
		all = append(all, fmt.Sprint(balancerNet(), 10+i))
	}
	return all
}

// look gives an address to each Service that has none, and routes all to where their pods run.
func (b balancers) look(ctx context.Context, given map[client.ObjectKey]string) error {
	var services corev1.ServiceList
	if err := k8s.List(ctx, &services, client.InNamespace(namespace)); err != nil {
		return err
	}
	for i := range services.Items {
		s := &services.Items[i]
		if s.Spec.LoadBalancerClass == nil || *s.Spec.LoadBalancerClass != b.class {
			continue
		}
		key := client.ObjectKeyFromObject(s)
		if given[key] == "" && len(given) < mostBalanced {
			given[key] = b.all()[len(given)]
		}
		var running corev1.PodList
		if err := k8s.List(ctx, &running, client.InNamespace(s.Namespace), client.MatchingLabels(s.Spec.Selector)); err != nil {
			return err
		}
		for _, pod := range running.Items {
			if pod.Status.HostIP != "" && pod.DeletionTimestamp == nil {
				if err := router(ctx, "ip", "route", "replace", given[key]+"/32", "via", pod.Status.HostIP); err != nil {
					return err
				}
				break
			}
		}
		if len(s.Status.LoadBalancer.Ingress) == 0 {
			s.Status.LoadBalancer.Ingress = []corev1.LoadBalancerIngress{{IP: given[key]}}
			if err := k8s.Status().Update(ctx, s); err != nil {
				return err
			}
		}
	}
	return nil
}

// router runs a command on the router of the WAN.
func router(ctx context.Context, args ...string) error {
	all := append([]string{"nsenter", "--net=/run/netns/" + nodes[0].WAN(), "--"}, args...)
	out, err := exec.CommandContext(ctx, all[0], all[1:]...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("running %v: %w: %s", args, err, out)
	}
	return nil
}
