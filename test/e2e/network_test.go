//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/controllers/plan"
)

var _ = Describe("A network", Label("network"), func() {
	It("serves streams of two namespaces at one entrance", func(ctx SpecContext) {
		for _, name := range []string{"ecdn", "events"} {
			ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"ecdn": "yes"}}}
			Expect(k8s.Create(ctx, ns)).To(Succeed())
			DeferCleanup(func(ctx SpecContext) { Expect(client.IgnoreNotFound(k8s.Delete(ctx, ns))).To(Succeed()) }, NodeTimeout(time.Minute))
		}
		network := &v1.P2PNetwork{
			ObjectMeta: metav1.ObjectMeta{Name: "corp", Namespace: "ecdn"},
			Spec: v1.P2PNetworkSpec{
				Streams: &v1.NetworkStreamsSpec{Namespaces: &v1.NetworkNamespaces{From: v1.NamespacesFromAll}},
				Tracker: &v1.TrackerSpec{Exposure: &v1.TrackerExposure{Type: v1.ExposureNodePort}},
				STUN:    &v1.STUNSpec{Exposure: &v1.STUNExposure{Type: v1.ExposureNodePort}},
				Seeders: &v1.NetworkSeedersSpec{Exposure: &v1.SeederExposure{Type: v1.ExposureNodePort}},
			},
		}
		Expect(k8s.Create(ctx, network)).To(Succeed())
		DeferCleanup(func(ctx SpecContext) { Expect(client.IgnoreNotFound(k8s.Delete(ctx, network))).To(Succeed()) }, NodeTimeout(time.Minute))
		Eventually(ctx, networkStatus).WithArguments(network).WithTimeout(readyWithin).Should(
			WithTransform(func(s v1.P2PNetworkStatus) bool { return meta.IsStatusConditionTrue(s.Conditions, v1.ConditionReady) }, BeTrue()))

		streams := []*v1.P2PStream{onNetwork("shared-one", namespace, network), onNetwork("shared-two", "events", network)}
		for _, s := range streams {
			apply(ctx, s)
		}
		for _, s := range streams {
			awaitReady(ctx, s)
			Expect(current(ctx, s)).To(HaveCondition(v1.ConditionAccepted, metav1.ConditionTrue, v1.ReasonAccepted))
			Expect(children(ctx, s, "deployments")).To(BeEmpty())
			Expect(configURL(ctx, s)).To(HaveSuffix("/" + s.Namespace + "/" + s.Name + "/v1/config"))
			awaitHeld(ctx, s)
		}
		one, _, _ := strings.Cut(configURL(ctx, streams[0]), "/"+streams[0].Namespace+"/")
		Expect(configURL(ctx, streams[1])).To(HavePrefix(one + "/"))

		By("viewers of each stream get bytes from its seeder")
		first := startSeeded(ctx, north, streams[0], 9310, 2, "--no-upload")
		second := startSeeded(ctx, north, streams[1], 9320, 2, "--no-upload")
		Eventually(ctx, networkStatus).WithArguments(network).WithTimeout(time.Minute).Should(HaveField("Viewers", HaveValue(BeEquivalentTo(4))))
		for _, g := range slices.Concat(first, second) {
			expectWell(g.Name, 1, g.stop())
		}

		By("a tracker that is replaced while no operator runs serves what the one before served")
		defer holdAlone(ctx, operatorLock)()
		scaleOperator := func(ctx SpecContext, replicas int) {
			_, err := k8s.Kubectl(ctx, "scale", "-n", managerNamespace, "deployment/"+managerName, fmt.Sprintf("--replicas=%d", replicas))
			Expect(err).NotTo(HaveOccurred())
			Eventually(ctx, operator.running).WithTimeout(45 * time.Second).Should(HaveLen(replicas))
		}
		scaleOperator(ctx, 0)
		DeferCleanup(func(ctx SpecContext) { scaleOperator(ctx, 1) }, NodeTimeout(time.Minute))
		tracker := crew{client.InNamespace(network.Namespace), client.MatchingLabels{plan.LabelNetwork: network.Name, plan.LabelComponent: plan.ComponentTracker}}
		tracker.replace(ctx)
		for _, s := range streams {
			awaitHandedOut(ctx, s, "/"+s.Namespace+"/"+s.Name+"/announce")
		}
		scaleOperator(ctx, 1)
	}, SpecTimeout(4*time.Minute+lockWithin))
})

// onNetwork describes a stream that has nothing of its own but a seeder.
func onNetwork(name, in string, network *v1.P2PNetwork) *v1.P2PStream {
	return &v1.P2PStream{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: in},
		Spec: v1.P2PStreamSpec{
			Source:     v1.SourceSpec{URL: v1.URL(origin.URL(livePath))},
			SwarmID:    name,
			NetworkRef: &v1.NetworkReference{Name: v1.NetworkName(network.Name), Namespace: v1.NamespaceName(network.Namespace)},
		},
	}
}

func networkStatus(ctx context.Context, network *v1.P2PNetwork) (v1.P2PNetworkStatus, error) {
	now := &v1.P2PNetwork{}
	err := k8s.Get(ctx, client.ObjectKeyFromObject(network), now)
	return now.Status, err
}
