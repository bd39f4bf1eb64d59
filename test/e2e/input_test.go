//go:build e2e

package e2e

import (
	"context"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/test/e2e/pki"
)

var _ = Describe("A spec that cannot work", Label("input"), func() {
	const url = `source: {url: "http://origin.example.com/live/master.m3u8"}`

	DescribeTable("is refused by the API server, which names the field",
		func(ctx SpecContext, name, spec, field string) {
			doc := "apiVersion: p2pstream.dev/v1\nkind: P2PStream\nmetadata: {name: " + name + ", namespace: " + namespace + "}\nspec: {" + spec + "}\n"
			_, err := k8s.KubectlIn(ctx, doc, "create", "--dry-run=server", "-f", "-")
			Expect(err).To(MatchError(ContainSubstring(field)))
			note("%s", strings.TrimSpace(err.Error()[strings.LastIndex(err.Error(), "is invalid")+1:]))
		},
		Entry("no URL", "bad", `source: {}`, "spec.source.url"),
		Entry("a URL that is none", "bad", `source: {url: "origin/live"}`, "spec.source.url"),
		Entry("an unknown format", "bad", `source: {url: "http://o/m.m3u8", format: Smooth}`, "spec.source.format"),
		Entry("a cache of nothing", "bad", url+`, seeders: {cacheSize: 1Ki}`, "spec.seeders.cacheSize"),
		Entry("an uplink without a unit", "bad", url+`, seeders: {uplink: "500"}`, "spec.seeders.uplink"),
		Entry("too many seeders", "bad", url+`, seeders: {replicas: 65}`, "spec.seeders.replicas"),
		Entry("two trackers", "bad", url+`, tracker: {replicas: 2}`, "spec.tracker.replicas"),
		Entry("a node port of a cluster IP", "bad", url+`, tracker: {exposure: {type: ClusterIP, nodePort: 30000}}`, "tracker.exposure.nodePort"),
		Entry("an exposure that does not exist", "bad", url+`, stun: {exposure: {type: Magic}}`, "spec.stun.exposure.type"),
		Entry("a field that does not exist", "bad", url+`, seeder: {replicas: 1}`, `"spec.seeder"`),
		Entry("a name too long for its children", strings.Repeat("a", 46), url, "metadata.name"),
	)
})

// What the API server cannot know is reported by the condition Stalled, or first by Reconciling where it may heal, with the next
// step. Once that is done, the stream goes on by itself, and no other stream has noticed.
var _ = Describe("A stream that lacks something", Label("stalled"), Ordered, ContinueOnFailure, SpecPriority(6), func() {
	needsBystander("bystander")
	// These specs limit how long the operator takes, so it must not be replaced meanwhile.
	BeforeEach(func(ctx SpecContext) { share(ctx, operatorLock) }, NodeTimeout(lockWithin))

	It("says which Secret is missing, and serves once it is there", func(ctx SpecContext) {
		s := stream("certless", origin.URL(livePath), func(s *v1.P2PStreamSpec) { s.Tracker.Exposure.TLSSecretName = "later-tls" })
		apply(ctx, s)
		expectWaiting(ctx, s, v1.ReasonSecretNotFound, "later-tls")
		pair, err := authority.Issue(addresses()...)
		Expect(err).NotTo(HaveOccurred())
		waiting, err := children(ctx, s, "pods")
		Expect(err).NotTo(HaveOccurred())
		Expect(k8s.Apply(ctx, tlsSecret("later-tls", pair))).To(Succeed())
		expectHealed(ctx, s)
		Expect(children(ctx, s, "pods")).To(ContainElements(waiting), "pods were replaced that only had to wait")
	}, SpecTimeout(2*time.Minute))

	It("says which node port is taken, and serves once it is free", func(ctx SpecContext) {
		squatter := &corev1.Service{
			ObjectMeta: metav1.ObjectMeta{Name: "squatter", Namespace: namespace},
			Spec:       corev1.ServiceSpec{Type: corev1.ServiceTypeNodePort, Ports: []corev1.ServicePort{{Port: 80}}},
		}
		Expect(k8s.Create(ctx, squatter)).To(Succeed())
		DeferCleanup(func(ctx SpecContext) { _ = k8s.Delete(ctx, squatter) }, NodeTimeout(10*time.Second)) // gone by then, if all went well
		port := squatter.Spec.Ports[0].NodePort
		s := stream("homeless", origin.URL(livePath), func(s *v1.P2PStreamSpec) { s.Tracker.Exposure.NodePort = new(v1.NodePort(port)) })
		apply(ctx, s)
		expectStalled(ctx, s, v1.ReasonNodePortTaken, strconv.Itoa(int(port)))
		Expect(k8s.Delete(ctx, squatter)).To(Succeed())
		expectHealed(ctx, s)
		Expect(configURL(ctx, s)).To(ContainSubstring(":" + strconv.Itoa(int(port)) + "/"))
	}, SpecTimeout(2*time.Minute))

	It("says that its namespace admits no pods, and serves once it does", func(ctx SpecContext) {
		full := newNamespace("full")
		Expect(k8s.Apply(ctx, full)).To(Succeed())
		DeferCleanup(func(ctx SpecContext) { Expect(k8s.Delete(ctx, full)).To(Succeed()) }, NodeTimeout(10*time.Second))
		quota := &corev1.ResourceQuota{
			ObjectMeta: metav1.ObjectMeta{Name: "no-room", Namespace: full.Name},
			Spec:       corev1.ResourceQuotaSpec{Hard: corev1.ResourceList{corev1.ResourcePods: resource.MustParse("0")}},
		}
		Expect(k8s.Create(ctx, quota)).To(Succeed())
		s := stream("crowded", origin.URL(livePath))
		s.Namespace = full.Name
		apply(ctx, s)
		expectWaiting(ctx, s, v1.ReasonPodsForbidden, "no-room")
		Expect(k8s.Delete(ctx, quota)).To(Succeed())
		expectHealed(ctx, s)
	}, SpecTimeout(2*time.Minute))
})

// For a while no node has the image that every new pod needs, so this runs alone.
var _ = Describe("A stream whose image is missing", Label("stalled"), Ordered, Serial, func() {
	needsBystander("bystander-of-image")

	It("says that its image is not there, and serves once it is", func(ctx SpecContext) {
		DeferCleanup(func(ctx SpecContext) { Expect(lab.Load(ctx, built["p2pstream.oci.tar"])).To(Succeed()) }, NodeTimeout(30*time.Second))
		for _, n := range nodes {
			forgetImage(ctx, n.Name)
		}
		s := stream("imageless", origin.URL(livePath))
		apply(ctx, s)
		expectWaiting(ctx, s, v1.ReasonImagePullFailed, imageName)
		Expect(lab.Load(ctx, built["p2pstream.oci.tar"])).To(Succeed())
		expectHealed(ctx, s)
	}, SpecTimeout(2*time.Minute))
})

// needsBystander starts another stream before the specs of a container, and fails them if it is not ready all the time.
func needsBystander(name string) {
	var bystander *v1.P2PStream
	var since metav1.Time
	readySince := func(ctx context.Context) metav1.Time {
		GinkgoHelper()
		c := meta.FindStatusCondition(current(ctx, bystander).Status.Conditions, v1.ConditionReady)
		Expect(c).To(HaveValue(HaveField("Status", metav1.ConditionTrue)), "the other stream's readiness")
		return c.LastTransitionTime
	}
	BeforeAll(func(ctx SpecContext) {
		bystander = stream(name, origin.URL(livePath))
		serve(ctx, bystander)
		since = readySince(ctx)
	}, NodeTimeout(2*time.Minute))
	AfterEach(func(ctx SpecContext) {
		Expect(readySince(ctx)).To(Equal(since), "the other stream was not ready all the time")
	}, NodeTimeout(10*time.Second))
}

// expectStalled waits until the stream says what is missing.
func expectStalled(ctx context.Context, s *v1.P2PStream, reason, name string) {
	GinkgoHelper()
	const within = 30 * time.Second
	begun := time.Now()
	eventually(ctx, s, within).Should(BeStalled(reason, name))
	c := meta.FindStatusCondition(current(ctx, s).Status.Conditions, v1.ConditionStalled)
	note("%s after %.1f s: %s", c.Reason, time.Since(begun).Seconds(), c.Message)
}

// expectWaiting waits until the stream says what is missing. It does not stall yet, because that may come any moment.
func expectWaiting(ctx context.Context, s *v1.P2PStream, reason, name string) {
	GinkgoHelper()
	const within = 30 * time.Second
	begun := time.Now()
	eventually(ctx, s, within).Should(BeWaiting(reason, name))
	c := meta.FindStatusCondition(current(ctx, s).Status.Conditions, v1.ConditionReconciling)
	note("%s after %.1f s: %s", c.Reason, time.Since(begun).Seconds(), c.Message)
}

// expectHealed waits until the stream serves after what it lacked is there.
func expectHealed(ctx context.Context, s *v1.P2PStream) {
	GinkgoHelper()
	const within = 60 * time.Second
	begun := time.Now()
	eventually(ctx, s, within).Should(And(BeReady(), Not(HaveCondition(v1.ConditionStalled, metav1.ConditionTrue, ""))))
	note("ready %.1f s after the remedy", time.Since(begun).Seconds())
}

func tlsSecret(name string, pair pki.Pair) *corev1.Secret {
	return secret(name, corev1.SecretTypeTLS, map[string][]byte{"tls.crt": pair.Certificate, "tls.key": pair.Key})
}

// forgetImage removes the image's name from a node. Running pods go on; new ones have to pull it, from a registry that
// does not exist.
func forgetImage(ctx context.Context, node string) {
	GinkgoHelper()
	config, err := lab.Kubeconfig(ctx)
	Expect(err).NotTo(HaveOccurred())
	socket := filepath.Join(filepath.Dir(config), node, "containerd.sock")
	out, err := exec.CommandContext(ctx, "ctr", "--address", socket, "--namespace", "k8s.io", "images", "remove", "--sync", imageName).CombinedOutput()
	Expect(err).NotTo(HaveOccurred(), "ctr printed: %s", out)
}
