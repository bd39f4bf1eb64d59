package entrance

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/p2pstream/p2pstream/test/lab"
)

// objects of a cluster: an Ingress, and a Gateway with a route of either kind in its own namespace and one of another.
func objects() []client.Object {
	at := func(namespace, name string) metav1.ObjectMeta {
		return metav1.ObjectMeta{Namespace: namespace, Name: name, Generation: 3}
	}
	service := func(namespace, name, ip string) client.Object {
		return &corev1.Service{ObjectMeta: at(namespace, name), Spec: corev1.ServiceSpec{ClusterIP: ip}}
	}
	secret := func(name string) client.Object {
		return &corev1.Secret{ObjectMeta: at("media", name), Data: map[string][]byte{"tls.crt": []byte(name + " cert"), "tls.key": []byte(name + " key")}}
	}
	parents := gatewayv1.CommonRouteSpec{ParentRefs: []gatewayv1.ParentReference{{Name: "public", Namespace: new(gatewayv1.Namespace("media"))}}}
	to := gatewayv1.BackendRef{BackendObjectReference: gatewayv1.BackendObjectReference{Name: "tracker", Port: new(gatewayv1.PortNumber(8000))}}
	web := func(namespace string) client.Object {
		return &gatewayv1.HTTPRoute{ObjectMeta: at(namespace, "web"), Spec: gatewayv1.HTTPRouteSpec{CommonRouteSpec: parents, Hostnames: []gatewayv1.Hostname{"web.test"},
			Rules: []gatewayv1.HTTPRouteRule{{BackendRefs: []gatewayv1.HTTPBackendRef{{BackendRef: to}},
				Matches: []gatewayv1.HTTPRouteMatch{{Path: &gatewayv1.HTTPPathMatch{Value: new("/live")}}}}}}}
	}
	ingress := func(name, class string) client.Object {
		return &networkingv1.Ingress{ObjectMeta: at("media", name), Spec: networkingv1.IngressSpec{IngressClassName: &class,
			TLS: []networkingv1.IngressTLS{{SecretName: "in"}},
			Rules: []networkingv1.IngressRule{{Host: name + ".test", IngressRuleValue: networkingv1.IngressRuleValue{HTTP: &networkingv1.HTTPIngressRuleValue{
				Paths: []networkingv1.HTTPIngressPath{{Path: "/", Backend: networkingv1.IngressBackend{Service: &networkingv1.IngressServiceBackend{
					Name: "tracker", Port: networkingv1.ServiceBackendPort{Number: 8000}}}}}}}}}}}
	}
	return []client.Object{
		service("media", "tracker", "10.96.0.1"), service("other", "tracker", "10.96.0.2"), secret("in"), secret("gate"), ingress("in", "ours"), ingress("foreign", "theirs"),
		&gatewayv1.Gateway{ObjectMeta: at("media", "public"), Spec: gatewayv1.GatewaySpec{GatewayClassName: "ours", Listeners: []gatewayv1.Listener{
			{Name: "https", TLS: &gatewayv1.ListenerTLSConfig{CertificateRefs: []gatewayv1.SecretObjectReference{{Name: "gate"}}}}, {Name: "through"}}}},
		web("media"), web("other"),
		&gatewayv1.TLSRoute{ObjectMeta: at("media", "through"), Spec: gatewayv1.TLSRouteSpec{CommonRouteSpec: parents, Hostnames: []gatewayv1.Hostname{"through.test"},
			Rules: []gatewayv1.TLSRouteRule{{BackendRefs: []gatewayv1.BackendRef{to}}}}},
	}
}

func newController(t *testing.T, objects ...client.Object) *controller {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), gatewayv1.Install(scheme)); err != nil {
		t.Fatal(err)
	}
	c := fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...).
		WithStatusSubresource(&networkingv1.Ingress{}, &gatewayv1.Gateway{}, &gatewayv1.HTTPRoute{}, &gatewayv1.TLSRoute{}).Build()
	return &controller{Options: Options{Client: c, Listen: "192.0.2.1:8443", Class: "ours", Idle: time.Minute, ProxyProtocol: true}, address: "192.0.2.1"}
}

// TestSync: the table has what is of our class and allowed, and each object is told so once the proxy has it.
func TestSync(t *testing.T) {
	t.Parallel()
	c := newController(t, objects()...)
	ctx := t.Context()
	var in networkingv1.Ingress
	key := client.ObjectKey{Namespace: "media", Name: "in"}
	var got table
	if err := c.sync(ctx, func(t table) error { got = t; return errors.New("the proxy hangs") }); err == nil {
		t.Error("nothing is said of a proxy that takes no table")
	}
	if err := c.Client.Get(ctx, key, &in); err != nil || len(in.Status.LoadBalancer.Ingress) > 0 {
		t.Errorf("said to be served before it is: %+v, %v", in.Status, err)
	}
	want := table{Listen: "192.0.2.1:8443", Idle: time.Minute, ProxyProtocol: true,
		Routes: []route{{Host: "in.test", Path: "/", Upstream: "10.96.0.1:8000"}, {Host: "web.test", Path: "/live", Upstream: "10.96.0.1:8000"},
			{Host: "through.test", Upstream: "10.96.0.1:8000", Through: true}},
		Certificates: []certificate{{"in cert", "in key"}, {"gate cert", "gate key"}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if err := c.sync(ctx, func(table) error { return nil }); err != nil {
		t.Fatal(err)
	}
	var gate gatewayv1.Gateway
	var through gatewayv1.TLSRoute
	var web, refused gatewayv1.HTTPRoute
	for name, o := range map[string]client.Object{"in": &in, "public": &gate, "through": &through, "web": &web} {
		if err := c.Client.Get(ctx, client.ObjectKey{Namespace: "media", Name: name}, o); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Client.Get(ctx, client.ObjectKey{Namespace: "other", Name: "web"}, &refused); err != nil {
		t.Fatal(err)
	}
	if in.Status.LoadBalancer.Ingress[0].IP != "192.0.2.1" || gate.Status.Addresses[0].Value != "192.0.2.1" {
		t.Errorf("addresses: %+v, %+v", in.Status, gate.Status)
	}
	for name, tt := range map[string]struct {
		status gatewayv1.RouteStatus
		want   bool
	}{"through": {through.Status.RouteStatus, true}, "web": {web.Status.RouteStatus, true}, "another namespace": {refused.Status.RouteStatus, false}} {
		if len(tt.status.Parents) != 1 || meta.IsStatusConditionTrue(tt.status.Parents[0].Conditions, "Accepted") != tt.want ||
			tt.status.Parents[0].Conditions[0].ObservedGeneration != 3 {
			t.Errorf("%s: %+v", name, tt.status)
		}
	}
	version := web.ResourceVersion
	if err := c.sync(ctx, func(table) error { return nil }); err != nil {
		t.Fatal(err)
	}
	if err := c.Client.Get(ctx, client.ObjectKeyFromObject(&web), &web); err != nil || web.ResourceVersion != version {
		t.Errorf("said again: %v", err)
	}
}

// TestConfig: longer paths come first, a prefix is one of whole parts of a path, and HAProxy takes the whole.
func TestConfig(t *testing.T) {
	t.Parallel()
	full := table{Listen: "192.0.2.1:8443", Idle: time.Minute, ProxyProtocol: true, Certificates: []certificate{{"cert", "key"}}, Routes: []route{
		{Host: "a.test", Path: "/", Upstream: "10.0.0.1:1"}, {Host: "a.test", Path: "/live", Upstream: "10.0.0.1:2"}, {Host: "b.test", Upstream: "10.0.0.1:3", Through: true}}}
	text := full.haproxy("/run/x", "/run/x/certificates", "/run/x/worker.sock")
	for _, part := range []string{
		"stats socket unix@/run/x/worker.sock ", "bind 192.0.2.1:8443\n", "timeout tunnel 60000ms\n",
		"use_backend through-2 if { req.ssl_sni -i b.test }\n",
		"use_backend request-1 if { req.hdr(host),field(1,:) -i a.test } { path /live }\n",
		"use_backend request-1 if { req.hdr(host),field(1,:) -i a.test } { path_beg /live/ }\n",
		"use_backend request-0 if { req.hdr(host),field(1,:) -i a.test }\n",
		"backend through-2\n  mode tcp\n  server upstream 10.0.0.1:3 send-proxy-v2\n",
		"backend request-0\n  mode http\n  option forwardfor\n  server upstream 10.0.0.1:1 send-proxy-v2\n",
	} {
		if !strings.Contains(text, part) {
			t.Errorf("no %q in\n%s", part, text)
		}
	}
	if strings.Index(text, "use_backend request-1") > strings.Index(text, "use_backend request-0") {
		t.Errorf("the shorter path comes first:\n%s", text)
	}
	if empty := (table{Listen: "192.0.2.1:8443", Idle: time.Minute}).haproxy("/run/x", "/run/x/certificates", "/run/x/worker.sock"); strings.Contains(empty, "ssl crt") {
		t.Errorf("TLS ends without a certificate:\n%s", empty)
	}
}

// TestCaddyConfig: longer paths come first, a prefix is one of whole parts of a path, and no TLS passes through.
func TestCaddyConfig(t *testing.T) {
	t.Parallel()
	full := table{Listen: "192.0.2.1:8443", Idle: time.Minute, ProxyProtocol: true, Certificates: []certificate{{"cert", "key"}}, Routes: []route{
		{Host: "a.test", Path: "/", Upstream: "10.0.0.1:1"}, {Host: "a.test", Path: "/live", Upstream: "10.0.0.1:2"}}}
	text := string(lab.Must[[]byte](t)(full.caddy("/run/x.sock")))
	for _, part := range []string{`"listen":"unix//run/x.sock"`, `"timeout":60000000000`, `"path":["/live","/live/*"]`, `"proxy_protocol":"v2"`, `"stream_close_delay":3600000000000`} {
		if !strings.Contains(text, part) {
			t.Errorf("no %s in %s", part, text)
		}
	}
	if strings.Index(text, "10.0.0.1:2") > strings.Index(text, "10.0.0.1:1") {
		t.Errorf("the shorter path comes first: %s", text)
	}
	full.Routes[0].Through = true
	if _, err := full.caddy("/run/x.sock"); !errors.Is(err, errThrough) {
		t.Errorf("TLS that passes through: %v", err)
	}
}

// TestRoutesOfPlainWords: what an object names never ends a line or a word of the configuration.
func TestRoutesOfPlainWords(t *testing.T) {
	t.Parallel()
	for _, r := range []route{{Host: ""}, {Host: "a.test\n"}, {Host: "a.test }"}, {Host: "a.test", Path: "/x y"}, {Host: "a.test", Path: "/x\nbind :1"}, {Host: "a.test", Path: "/#"}} {
		if r.check() == nil {
			t.Errorf("%+v is written", r)
		}
	}
	if err := (route{Host: "a-1.test", Path: "/town-hall/v1.0/~x_y"}).check(); err != nil {
		t.Error(err)
	}
}
