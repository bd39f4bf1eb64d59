//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	testlab "github.com/p2pstream/p2pstream/test/lab"
	"github.com/p2pstream/p2pstream/test/lab/entrance"
)

// proxyDomain is what the hosts of entrances end in. Browsers in offices and this process resolve them to the node with the proxy.
const proxyDomain = ".entrance.test"

// dialEntrances resolves the hosts of entrances for the requests of this process.
func dialEntrances(t *http.Transport) *http.Transport {
	t.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		if host, port, err := net.SplitHostPort(address); err == nil && strings.HasSuffix(host, proxyDomain) {
			address = net.JoinHostPort(nodes[0].IP, port)
		}
		return (&net.Dialer{}).DialContext(ctx, network, address)
	}
	return t
}

// A page in an office plays through each way by which viewers reach a tracker, over https and wss, with seeders behind node ports.
// The proxies are real ones, told what to do by the objects alone: they end idle connections after a minute, and say by the PROXY
// protocol where viewers are.
var _ = Describe("Behind a proxy", Label("entrances"), SpecPriority(3), func() {
	DescribeTable("a page plays by wss", func(ctx SpecContext, proxy entrance.Proxy, host string, expose func(e *v1.TrackerExposure, class string)) {
		name := strings.ReplaceAll(host, ".", "-")
		class := string(proxy) + "-" + name
		pair, err := authority.Issue(host + proxyDomain)
		Expect(err).NotTo(HaveOccurred())
		Expect(k8s.Apply(ctx, tlsSecret(name+"-tls", pair), originCA(name))).To(Succeed())
		for _, o := range []client.Object{
			&networkingv1.IngressClass{ObjectMeta: metav1.ObjectMeta{Name: class}, Spec: networkingv1.IngressClassSpec{Controller: "p2pstream.dev/test-entrance"}},
			gatewayOf(class, gatewayv1.SecretObjectReference{Name: gatewayv1.ObjectName(name + "-tls")}),
		} {
			Expect(k8s.Create(ctx, o)).To(Succeed())
			DeferCleanup(func(ctx SpecContext) { Expect(client.IgnoreNotFound(k8s.Delete(ctx, o))).To(Succeed()) }, NodeTimeout(time.Minute))
		}
		port := startEntrance(proxy, class)
		s := stream("by-"+name, origin.SecureURL(livePath), func(s *v1.P2PStreamSpec) {
			trustOrigin(s, name)
			s.Tracker = &v1.TrackerSpec{
				Exposure:      &v1.TrackerExposure{Host: v1.Host(host + proxyDomain), Port: &port},
				ClientAddress: &v1.ClientAddressSpec{From: v1.ClientAddressProxyProtocol, TrustedProxies: proxies()},
			}
			s.Sites = &v1.SitesSpec{List: []v1.SiteSpec{{Name: "north", CIDRs: []v1.SiteRange{v1.SiteRange(north.CIDR)}}}}
			expose(s.Tracker.Exposure, class)
		})
		serve(ctx, s)
		eventually(ctx, s, readyWithin).Should(HaveCondition(v1.ConditionTrackerReady, metav1.ConditionTrue, v1.ReasonAvailable))
		at := fmt.Sprintf("://%s:%d%s/", host+proxyDomain, port, s.Spec.Tracker.Exposure.Path)
		Expect(current(ctx, s).Status.Endpoints).To(HaveValue(And(
			HaveField("Announce", HavePrefix("wss"+at)), HaveField("Config", HavePrefix("https"+at)))))
		playsWell(ctx, s)
		eventually(ctx, s, time.Minute).Should(HaveField("Status.Sites", ContainElement(And(HaveField("Name", "north"), HaveField("Viewers", BeEquivalentTo(1))))),
			"the viewer's site, which its own address tells")
	},
		Entry("of an Ingress, below a path", SpecTimeout(5*time.Minute), entrance.Caddy, "ingress", func(e *v1.TrackerExposure, class string) {
			e.Type, e.Path = v1.ExposureIngress, "/town-hall"
			e.Ingress = &v1.IngressSettings{ClassName: class, TLSSecretName: "ingress-tls"}
		}),
		Entry("of a Gateway that ends TLS, below a path", SpecTimeout(5*time.Minute), entrance.Caddy, "gateway", func(e *v1.TrackerExposure, class string) {
			e.Type, e.Path, e.TLSTerminated = v1.ExposureGateway, "/town-hall", true
			e.Gateway = &v1.GatewaySettings{ParentRefs: []v1.GatewayReference{{Name: v1.GatewayName(class), SectionName: "https"}}}
		}),
		Entry("of a Gateway that lets TLS pass through", SpecTimeout(5*time.Minute), entrance.HAProxy, "through", func(e *v1.TrackerExposure, class string) {
			e.Type, e.TLSSecretName = v1.ExposureGateway, "through-tls"
			e.Gateway = &v1.GatewaySettings{ParentRefs: []v1.GatewayReference{{Name: v1.GatewayName(class), SectionName: "through"}}}
		}),
	)
})

// proxies are the addresses from which a tracker sees a proxy on a node, that is outside of the pods' network: kube-proxy hides it
// behind the node's address or, for a tracker on the same node, behind the one that the node has among its pods.
func proxies() []v1.ProxyRange {
	GinkgoHelper()
	var all []v1.ProxyRange
	for _, n := range nodes {
		pods, err := netip.ParsePrefix(n.PodCIDR)
		Expect(err).NotTo(HaveOccurred())
		all = append(all, v1.ProxyRange(n.IP+"/32"), v1.ProxyRange(pods.Masked().Addr().Next().String()+"/32"))
	}
	return all
}

// playsWell plays the stream in one page in an office, without a stall and with the promised offload; the page stays open.
func playsWell(ctx SpecContext, s *v1.P2PStream) {
	GinkgoHelper()
	awaitHeld(ctx, s)
	tab := openSettled(ctx, secureBrowserIn(ctx, north), s)
	DeferCleanup(tab.Close)
	r := watchLonger(ctx, tab, tab.Report(ctx), 10)
	expectSmooth(s.Name, r)
	note("%s: offload %.4f", s.Name, r.Bytes.Offload())
	Expect(r.Bytes.Offload()).To(BeNumerically(">=", promised), "offload: %s", r.Dump())
	Expect(r.Bytes.Seeder).To(BeNumerically(">", 0), "bytes of seeders: %s", r.Dump())
	expectGenuine(ctx, r)
}

// gatewayOf is a Gateway of a class, with a listener that ends TLS and one that lets it pass through.
func gatewayOf(class string, certificate gatewayv1.SecretObjectReference) *gatewayv1.Gateway {
	return &gatewayv1.Gateway{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: class}, Spec: gatewayv1.GatewaySpec{
		GatewayClassName: gatewayv1.ObjectName(class),
		Listeners: []gatewayv1.Listener{
			{Name: "https", Protocol: gatewayv1.HTTPSProtocolType, Port: 443, TLS: &gatewayv1.ListenerTLSConfig{CertificateRefs: []gatewayv1.SecretObjectReference{certificate}}},
			{Name: "through", Protocol: gatewayv1.TLSProtocolType, Port: 443, TLS: &gatewayv1.ListenerTLSConfig{Mode: new(gatewayv1.TLSModePassthrough)}},
		},
	}}
}

// startEntrance runs a proxy on a node until the spec ends, one for each process, and returns its port.
func startEntrance(proxy entrance.Proxy, class string) v1.Port {
	GinkgoHelper()
	port := 8700 + GinkgoParallelProcess()
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		done <- entrance.Run(ctx, entrance.Options{Client: k8s.WithWatch, Proxy: proxy, Netns: nodes[0].Netns,
			Listen: net.JoinHostPort(nodes[0].IP, strconv.Itoa(port)), Class: class, ProxyProtocol: true,
			Log: func(err error) { _, _ = fmt.Fprintln(GinkgoWriter, "entrance:", err) }})
	}()
	DeferCleanup(func() {
		stop()
		Expect(<-done).To(Succeed())
	})
	return v1.Port(port)
}

// trustEveryone is a transport that accepts every certificate, and finds the hosts of entrances.
func trustEveryone(t *http.Transport) http.RoundTripper { return testlab.AsPage(dialEntrances(t)) }
