//go:build e2e

package e2e

import (
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"golang.org/x/sys/unix"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/test/e2e/cluster"
	"github.com/p2pstream/p2pstream/test/e2e/kube"
	"github.com/p2pstream/p2pstream/test/e2e/pki"
	"github.com/p2pstream/p2pstream/test/e2e/source"
	testlab "github.com/p2pstream/p2pstream/test/lab"
	"github.com/p2pstream/p2pstream/test/lab/gatewayapi"
	"github.com/p2pstream/p2pstream/test/lab/netns"
)

const (
	// imageName is what the shipped manifests run.
	imageName        = "localhost/p2pstream:dev"
	managerNamespace = "p2pstream-system"
	managerName      = "p2pstream-manager"
	// namespace of the suite's streams. It admits only pods that keep to the restricted profile.
	namespace = "media"
)

// What the specs of a process share. The suite sets it before them, and no spec changes it.
var (
	built       map[string]string // programs and archives that make builds, by name
	lab         *cluster.Cluster
	nodes       []cluster.Node
	k8s         *kube.Client
	authority   *pki.Authority
	certificate tls.Certificate // of pages and of the origin
	origin      *source.Origin
	// Offices: two typical ones, and one whose firewall drops UDP.
	north, south, walled *cluster.Office
)

// deployed says, in the first process, that the suite could begin.
var deployed bool

// world is what the first process brings up and the others are told.
type world struct {
	Cluster string // its name
	Nodes   []cluster.Node
	Offices []*cluster.Office // north, south, walled
}

// The first process brings the cluster up with everything that specs share.
var _ = SynchronizedBeforeSuite(func(ctx SpecContext) []byte {
	setDefaults()
	Expect(os.Geteuid()).To(BeZero(), "the suite makes network namespaces and needs root; run: sudo -E env PATH=$PATH make e2e")
	built = findBuilt()
	timed("cluster up, image loaded", func() { bringUp(ctx) })
	timed("offices", func() { makeOffices(ctx) })
	timed("operator deployed", func() { deploy(ctx) })
	deployed = true
	shared, err := json.Marshal(world{lab.Name, nodes, []*cluster.Office{north, south, walled}})
	Expect(err).NotTo(HaveOccurred())
	return shared
}, func(ctx SpecContext, shared []byte) {
	setDefaults()
	built = findBuilt()
	var w world
	Expect(json.Unmarshal(shared, &w)).To(Succeed())
	lab = &cluster.Cluster{Binary: built["cluster"], Name: w.Cluster}
	nodes = w.Nodes
	north, south, walled = lab.Known(w.Offices[0]), lab.Known(w.Offices[1]), lab.Known(w.Offices[2])
	connect(ctx)
	startOrigin(ctx)
}, NodeTimeout(8*time.Minute))

var _ = SynchronizedAfterSuite(func() {
	for _, b := range browsers {
		b.Close()
	}
	if origin != nil {
		origin.Leave()
	}
}, func(ctx SpecContext) {
	if !deployed && k8s != nil {
		note("%s", k8s.Dump(ctx))
	}
	if lab != nil && !stays() {
		Expect(lab.Down(ctx)).To(Succeed())
	}
}, NodeTimeout(2*time.Minute))

func setDefaults() {
	SetDefaultEventuallyTimeout(30 * time.Second)
	SetDefaultEventuallyPollingInterval(250 * time.Millisecond)
	EnforceDefaultTimeoutsWhenUsingContexts()
}

// A failure reports everything that is known of the cluster, before anything is cleaned up.
var _ = AfterEach(func(ctx SpecContext) {
	if CurrentSpecReport().Failed() && k8s != nil {
		AddReportEntry("cluster", ReportEntryVisibilityFailureOrVerbose, k8s.Dump(ctx)+trackers(ctx))
	}
}, NodeTimeout(time.Minute))

// trackers returns the stats of each stream's tracker.
func trackers(ctx context.Context) string {
	var all v1.P2PStreamList
	if err := k8s.List(ctx, &all); err != nil {
		return err.Error()
	}
	var b strings.Builder
	for _, s := range all.Items {
		if e := s.Status.Endpoints; e != nil && e.Config != "" {
			said, err := fetchStats(ctx, &s, e.Config)
			_, _ = fmt.Fprintf(&b, "---- stats of %s/%s\n%s %v\n", s.Namespace, s.Name, said, err)
		}
	}
	return b.String()
}

// findBuilt looks for what make builds.
func findBuilt() map[string]string {
	found := map[string]string{}
	for name, target := range map[string]string{
		"p2pstream": "build", "p2pstream.oci.tar": "image", "cluster": "cluster-binaries", "helm": "e2e", "ginkgo": "e2e",
	} {
		found[name] = inRepo("bin", name)
		Expect(found[name]).To(BeAnExistingFile(), "run: make %s", target)
	}
	// Viewers in offices run the program that pods run.
	Expect(os.Setenv("P2PSTREAM_BINARY", found["p2pstream"])).To(Succeed())
	return found
}

// claim keeps a second run of the suite away from the same cluster until this process ends: one run would find broken
// what the other breaks on purpose.
func claim(name string) {
	lock, err := os.OpenFile(filepath.Join(os.TempDir(), "p2pstream-e2e-"+name+".lock"), os.O_CREATE|os.O_RDWR, 0o600)
	Expect(err).NotTo(HaveOccurred())
	Expect(unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB)).To(Succeed(),
		"another run of the suite has cluster %s; wait for it, or name another one that is up in P2PSTREAM_E2E_CLUSTER", name)
	DeferCleanup(lock.Close)
}

// stays is whether the cluster is to outlive the suite.
func stays() bool {
	return os.Getenv("P2PSTREAM_E2E_KEEP") != "" || os.Getenv("P2PSTREAM_E2E_CLUSTER") != ""
}

func bringUp(ctx context.Context) {
	name := os.Getenv("P2PSTREAM_E2E_CLUSTER")
	lab = &cluster.Cluster{Binary: built["cluster"], Name: cmp.Or(name, "e2e")}
	claim(lab.Name)
	if name == "" {
		Expect(lab.Up(ctx)).To(Succeed())
	}
	Expect(lab.Load(ctx, built["p2pstream.oci.tar"])).To(Succeed())
	connect(ctx)
	var err error
	nodes, err = lab.Nodes(ctx)
	Expect(err).NotTo(HaveOccurred())
	Expect(len(nodes)).To(BeNumerically(">=", 2), "streams are moved between nodes")
}

// connect makes the clients of the cluster.
func connect(ctx context.Context) {
	config, err := lab.Kubeconfig(ctx)
	Expect(err).NotTo(HaveOccurred())
	k8s, err = kube.New(config, lab.Kubectl()...)
	Expect(err).NotTo(HaveOccurred())
}

func makeOffices(ctx context.Context) {
	var err error
	north, err = lab.Office(ctx, "north", "--rate", "20mbit")
	Expect(err).NotTo(HaveOccurred())
	south, err = lab.Office(ctx, "south", "--rate", "20mbit")
	Expect(err).NotTo(HaveOccurred())
	walled, err = lab.Office(ctx, "walled", "--drop-udp")
	Expect(err).NotTo(HaveOccurred())
	Expect(lab.HidePods(ctx, pods())).To(Succeed())
}

// startOrigin starts an origin that offices and pods reach, one for each process: what a spec does to its origin then
// reaches no spec that runs beside it.
func startOrigin(ctx context.Context) {
	var err error
	authority, err = pki.New("p2pstream e2e")
	Expect(err).NotTo(HaveOccurred())
	// The origin lives on the WAN, where the offices' lines begin.
	hosts := []string{"127.0.0.1", north.Gateway}
	for _, n := range nodes {
		hosts = append(hosts, n.IP)
	}
	pair, err := authority.Issue(hosts...)
	Expect(err).NotTo(HaveOccurred())
	certificate, err = pair.TLS()
	Expect(err).NotTo(HaveOccurred())
	wan := netns.Open(GinkgoTB(), nodes[0].WAN())
	address := func(port int) string {
		return net.JoinHostPort(north.Gateway, strconv.Itoa(port+GinkgoParallelProcess()))
	}
	origin, err = source.Start(ctx, wan.Listen, address(8100), address(8400), certificate)
	Expect(err).NotTo(HaveOccurred())
}

// deploy installs the operator as the README says, beside the Gateway API, and makes the namespace of the streams.
func deploy(ctx context.Context) {
	crds, err := gatewayapi.CRDs(ctx, "gateways", "httproutes", "tlsroutes")
	Expect(err).NotTo(HaveOccurred())
	for _, crd := range crds {
		_, err := k8s.Kubectl(ctx, "apply", "--server-side", "-f", crd)
		Expect(err).NotTo(HaveOccurred())
	}
	_, err = k8s.Kubectl(ctx, "apply", "--server-side", "-k", inRepo("config", "default"))
	Expect(err).NotTo(HaveOccurred())
	Expect(k8s.Apply(ctx, newNamespace(namespace))).To(Succeed())
	_, err = k8s.Kubectl(ctx, "rollout", "status", "-n", managerNamespace, "deployment/"+managerName, "--timeout=150s")
	Expect(err).NotTo(HaveOccurred())
}

// newNamespace is a namespace that admits only pods that keep to the restricted profile.
func newNamespace(name string) *corev1.Namespace {
	return &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
		Name: name, Labels: map[string]string{"pod-security.kubernetes.io/enforce": "restricted"},
	}}
}

// inRepo is a path in the repository.
func inRepo(parts ...string) string {
	GinkgoHelper()
	root, err := testlab.Root()
	Expect(err).NotTo(HaveOccurred())
	return filepath.Join(append([]string{root}, parts...)...)
}

// timed prints how long something took.
func timed(what string, do func()) time.Duration {
	begun := time.Now()
	do()
	took := time.Since(begun)
	note("%s: %.1f s", what, took.Seconds())
	return took
}

// note prints a measurement, whether or not the spec fails.
func note(format string, args ...any) {
	line := fmt.Sprintf(format, args...)
	_, _ = fmt.Fprintln(GinkgoWriter, line)
	AddReportEntry(line, ReportEntryVisibilityAlways, Offset(1))
}
