package plan

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/controllers/certmanager"
	"github.com/p2pstream/p2pstream/controllers/exposure"
	labcertmanager "github.com/p2pstream/p2pstream/test/lab/certmanager"
	"github.com/p2pstream/p2pstream/test/lab/gatewayapi"
)

// cluster is an API server without controllers: it stores the objects of plans, and no pods are created.
type cluster struct {
	client.Client
}

func startCluster(t *testing.T) cluster {
	t.Helper()
	if os.Getenv("KUBEBUILDER_ASSETS") == "" {
		t.Fatal("KUBEBUILDER_ASSETS is not set; it names the folder of kube-apiserver and etcd. Use: make unit")
	}
	crds, err := gatewayapi.CRDs(t.Context(), "httproutes", "tlsroutes")
	if err != nil {
		t.Fatal(err)
	}
	certificates, err := labcertmanager.CRD()
	if err != nil {
		t.Fatal(err)
	}
	crds = append(crds, certificates)
	env := &envtest.Environment{CRDDirectoryPaths: crds, ErrorIfCRDPathMissing: true}
	config, err := env.Start()
	if err != nil {
		t.Fatalf("starting API server: %v", err)
	}
	t.Cleanup(func() {
		if err := env.Stop(); err != nil {
			t.Errorf("stopping API server: %v", err)
		}
	})
	config.QPS, config.Burst = -1, 0
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), gatewayv1.Install(scheme), certmanager.AddToScheme(scheme)); err != nil {
		t.Fatal(err)
	}
	c, err := client.New(config, client.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	return cluster{c}
}

// namespace creates a namespace for a case, and frees the ports of its Services when the case ends.
func (c cluster) namespace(t *testing.T, name string) string {
	t.Helper()
	if err := c.Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		var services corev1.ServiceList
		if err := c.List(ctx, &services, client.InNamespace(name)); err != nil {
			t.Error(err)
		}
		for i := range services.Items {
			if err := c.Delete(ctx, &services.Items[i]); err != nil {
				t.Error(err)
			}
		}
	})
	return name
}

// apply makes a plan and applies it. A plan can be applied only once, because the client writes the answer into it.
func (c cluster) apply(t *testing.T, stream *v1.P2PStream, facts Facts) {
	t.Helper()
	p, err := Make(stream, facts)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range p.Objects {
		if err := c.Apply(t.Context(), o.Apply, client.FieldOwner("p2pstream-workloads"), client.ForceOwnership); err != nil {
			t.Fatalf("applying %s %s: %v", o.Kind, o.Name, err)
		}
	}
}

// versions are the resource versions of all children, by kind and name.
func (c cluster) versions(t *testing.T, namespace string) map[Ref]string {
	t.Helper()
	found := map[Ref]string{}
	for _, kind := range Kinds() {
		list := &unstructured.UnstructuredList{}
		list.SetGroupVersionKind(kind)
		if err := c.List(t.Context(), list, client.InNamespace(namespace), client.HasLabels{LabelStream}); err != nil {
			t.Fatal(err)
		}
		for _, o := range list.Items {
			found[Ref{kind.Kind, o.GetName()}] = o.GetResourceVersion()
		}
	}
	return found
}

func (c cluster) service(t *testing.T, namespace, name string) corev1.ServiceSpec {
	t.Helper()
	var s corev1.Service
	if err := c.Get(t.Context(), client.ObjectKey{Namespace: namespace, Name: name}, &s); err != nil {
		t.Fatal(err)
	}
	return s.Spec
}

// nodePorts are the node ports that the API server assigned, by Service.
func (c cluster) nodePorts(t *testing.T, namespace string) map[string]int32 {
	t.Helper()
	var services corev1.ServiceList
	if err := c.List(t.Context(), &services, client.InNamespace(namespace)); err != nil {
		t.Fatal(err)
	}
	ports := map[string]int32{}
	for _, s := range services.Items {
		if port := s.Spec.Ports[0].NodePort; port != 0 {
			ports[s.Name] = port
		}
	}
	return ports
}

// TestAPIServerTakesPlans applies plans to a real API server.
func TestAPIServerTakesPlans(t *testing.T) {
	c := startCluster(t)

	t.Run("as they are", func(t *testing.T) {
		for _, name := range cases(t) {
			t.Run(name, func(t *testing.T) {
				stream, facts := read(t, name)
				c.takesTwice(t, name, stream, facts)
			})
		}
	})
	t.Run("samples", func(t *testing.T) {
		samples, err := filepath.Glob("../../config/samples/p2pstream_*.yaml")
		if err != nil || len(samples) == 0 {
			t.Fatalf("samples: %v, %v", samples, err)
		}
		for _, file := range samples {
			stream, err := v1.LoadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			stream.UID = "6b1d5a34-0000-4000-8000-000000000009"
			t.Run(stream.Name, func(t *testing.T) {
				c.takesTwice(t, "sample-"+stream.Name, stream, Facts{Image: "localhost/p2pstream:dev"})
			})
		}
	})
	t.Run("node ports", c.testNodePorts)
	t.Run("change of exposure", c.testChangeOfExposure)
	t.Run("load balancers", c.testLoadBalancers)
}

// takesTwice applies a plan twice. The second time nothing changes.
func (c cluster) takesTwice(t *testing.T, namespace string, stream *v1.P2PStream, facts Facts) {
	t.Helper()
	stream.Namespace = c.namespace(t, namespace)
	c.apply(t, stream, facts)
	first := c.versions(t, stream.Namespace)
	if len(first) < 4 {
		t.Errorf("objects %v", first)
	}
	c.apply(t, stream, facts)
	for ref, version := range c.versions(t, stream.Namespace) {
		if first[ref] != version {
			t.Errorf("%s %s: applied twice, written twice", ref.Kind, ref.Name)
		}
	}
}

// testNodePorts goes from Services without ports to seeders that listen on theirs, deletes a Service and checks that it
// gets its port back.
func (c cluster) testNodePorts(t *testing.T) {
	stream, facts := read(t, "nodeport-before")
	stream.Namespace = c.namespace(t, "node-ports")
	c.apply(t, stream, facts)
	allocated := c.nodePorts(t, stream.Namespace)
	if len(allocated) != 4 {
		t.Fatalf("allocated %v", allocated)
	}
	facts.Observed = assigned(allocated)
	c.apply(t, stream, facts)
	check := func() {
		t.Helper()
		for ordinal := range int32(2) {
			name := SeederServiceName(stream.Name, ordinal)
			spec := c.service(t, stream.Namespace, name)
			port, want := spec.Ports[0], allocated[name]
			if len(spec.Ports) != 1 || port.Port != want || port.TargetPort.IntVal != want || port.NodePort != want {
				t.Errorf("%s: ports %+v, want all of them %d", name, spec.Ports, want)
			}
		}
		if got := c.nodePorts(t, stream.Namespace); len(got) != 4 || got[TrackerName(stream.Name)] != allocated[TrackerName(stream.Name)] {
			t.Errorf("ports moved from %v to %v", allocated, got)
		}
	}
	check()
	for _, name := range []string{TrackerName(stream.Name), SeederServiceName(stream.Name, 1)} {
		gone := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: stream.Namespace, Name: name}}
		if err := c.Delete(t.Context(), gone); err != nil {
			t.Fatal(err)
		}
	}
	c.apply(t, stream, facts)
	check()
}

// testChangeOfExposure changes from NodePort to ClusterIP and back.
func (c cluster) testChangeOfExposure(t *testing.T) {
	stream, facts := read(t, "no-stun")
	stream.Namespace = c.namespace(t, "exposure")
	exposed := stream.Spec
	facts.Observed = nil
	name := TrackerName(stream.Name)
	for range 2 {
		stream.Spec = exposed
		c.apply(t, stream, facts)
		if spec := c.service(t, stream.Namespace, name); spec.Type != corev1.ServiceTypeNodePort || spec.Ports[0].NodePort != 30080 {
			t.Errorf("exposed: %s %+v", spec.Type, spec.Ports)
		}
		stream.Spec = v1.P2PStreamSpec{Source: exposed.Source}
		c.apply(t, stream, facts)
		if spec := c.service(t, stream.Namespace, name); spec.Type != corev1.ServiceTypeClusterIP || spec.Ports[0].NodePort != 0 || spec.ExternalTrafficPolicy != "" {
			t.Errorf("inside: %s %+v %s", spec.Type, spec.Ports, spec.ExternalTrafficPolicy)
		}
	}
}

// testLoadBalancers goes from Services without addresses to seeders that advertise theirs, asks for what the API server refuses,
// and goes back to an exposure inside the cluster.
func (c cluster) testLoadBalancers(t *testing.T) {
	stream, facts := read(t, "loadbalancer-before")
	stream.Namespace = c.namespace(t, "load-balancers")
	stream.Spec.Seeders.Exposure.LoadBalancer = &v1.LoadBalancerSettings{Class: "example.com/one"}
	c.apply(t, stream, facts)
	tracker, stun := c.service(t, stream.Namespace, TrackerName(stream.Name)), c.service(t, stream.Namespace, STUNName(stream.Name))
	if tracker.Type != corev1.ServiceTypeLoadBalancer || tracker.Ports[0].Port != 443 || tracker.Ports[0].TargetPort.IntVal != PortTracker {
		t.Errorf("tracker: %+v", tracker)
	}
	if len(stun.Ports) != 2 || stun.ExternalTrafficPolicy != corev1.ServiceExternalTrafficPolicyLocal || stun.HealthCheckNodePort == 0 {
		t.Errorf("STUN: %+v", stun)
	}
	if before := c.seeders(t, stream); before != 0 {
		t.Errorf("%d seeders without addresses", before)
	}

	facts.Observed = exposure.Observed{}
	for ordinal := range int32(2) {
		name := SeederServiceName(stream.Name, ordinal)
		var s corev1.Service
		if err := c.Get(t.Context(), client.ObjectKey{Namespace: stream.Namespace, Name: name}, &s); err != nil {
			t.Fatal(err)
		}
		s.Status.LoadBalancer.Ingress = []corev1.LoadBalancerIngress{{IP: "203.0.113.12"}}
		if err := c.Status().Update(t.Context(), &s); err != nil {
			t.Fatal(err)
		}
		facts.Observed.Note(name, &s)
	}
	c.apply(t, stream, facts)
	if after := c.seeders(t, stream); after != 2 {
		t.Errorf("%d seeders with addresses, want 2", after)
	}

	stream.Spec.Seeders.Exposure.LoadBalancer.Class = "example.com/other"
	if said := c.refusal(t, stream, facts); !strings.Contains(said, "Delete Service "+SeederServiceName(stream.Name, 0)) {
		t.Errorf("another class: %q", said)
	}
	stream.Spec.Seeders.Exposure.LoadBalancer.Class = "example.com/one"
	stream.Spec.STUN.Exposure.LoadBalancer = &v1.LoadBalancerSettings{HealthCheckNodePort: new(int32(99))}
	if said := c.refusal(t, stream, facts); !strings.Contains(said, "spec.stun.exposure.loadBalancer.healthCheckNodePort: the cluster does not assign this port") {
		t.Errorf("a health-check port outside of the range: %q", said)
	}

	stream.Spec.Tracker, stream.Spec.STUN, stream.Spec.Seeders.Exposure = nil, nil, nil
	c.apply(t, stream, facts)
	stun = c.service(t, stream.Namespace, STUNName(stream.Name))
	if stun.Type != corev1.ServiceTypeClusterIP || len(stun.Ports) != 1 || stun.HealthCheckNodePort != 0 || stun.Ports[0].NodePort != 0 {
		t.Errorf("inside again: %+v", stun)
	}
}

// seeders is how many seeders the stored StatefulSet asks for.
func (c cluster) seeders(t *testing.T, stream *v1.P2PStream) int32 {
	t.Helper()
	var set appsv1.StatefulSet
	if err := c.Get(t.Context(), client.ObjectKey{Namespace: stream.Namespace, Name: SeederName(stream.Name)}, &set); err != nil {
		t.Fatal(err)
	}
	return *set.Spec.Replicas
}

// refusal applies a plan, and returns what the strategy of the first object that the API server refuses says of that.
func (c cluster) refusal(t *testing.T, stream *v1.P2PStream, facts Facts) string {
	t.Helper()
	p, err := Make(stream, facts)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range p.Objects {
		err := c.Apply(t.Context(), o.Apply, client.FieldOwner("p2pstream-workloads"), client.ForceOwnership)
		if err == nil {
			continue
		}
		if o.Exposes == nil {
			t.Fatalf("applying %s %s: %v", o.Kind, o.Name, err)
		}
		r := o.Exposes.Strategy().Refused(*o.Exposes, err, err.Error())
		if r == nil {
			t.Fatalf("not explained: %v", err)
		}
		return r.Message
	}
	return ""
}
