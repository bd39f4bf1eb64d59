//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/p2pstream/p2pstream/api/v1"
)

// scaleSize is how much the specs of a network put on it.
type scaleSize struct {
	teams, streams int
	// seeded is how many streams have a seeder that runs, of which one has the audience. The others sleep: two hundred would be
	// more pods than this machine runs.
	seeded int
	// applies is how many streams are applied one after the other to see how soon each is served.
	applies int
	// idle is for how long the operator is watched while nobody does anything; zero: not at all.
	idle time.Duration
}

// scaleOf is what make scale asks for, and else what make e2e has time for.
func scaleOf() scaleSize {
	if os.Getenv("P2PSTREAM_E2E_SCALE") != "" {
		return scaleSize{teams: 20, streams: 200, seeded: 20, applies: 20, idle: 10 * time.Minute}
	}
	return scaleSize{teams: 4, streams: 20, seeded: 2, applies: 3}
}

// tenLines are what a team applies: name, namespace, source, swarm, network.
const tenLines = `apiVersion: p2pstream.dev/v1
kind: P2PStream
metadata:
  name: %s
  namespace: %s
spec:
  source:
    url: %s
  swarmID: %s
  networkRef: {name: %s, namespace: %s}`

// nextImage is that of a newer operator.
const nextImage = "localhost/p2pstream:next"

// teamLabel admits a namespace to the network.
var teamLabel = map[string]string{"ecdn": "yes"}

// They replace the operator, and run after all others that need it.
var _ = Describe("Many streams on one network", Label("scale"), Serial, Ordered, SpecPriority(-1), func() {
	const people = 6
	size := scaleOf()
	network := &v1.P2PNetwork{
		ObjectMeta: metav1.ObjectMeta{Name: "group", Namespace: "platform"},
		Spec: v1.P2PNetworkSpec{
			Streams: &v1.NetworkStreamsSpec{Namespaces: &v1.NetworkNamespaces{From: v1.NamespacesFromSelector,
				Selector: &metav1.LabelSelector{MatchLabels: teamLabel}}},
			Tracker: &v1.TrackerSpec{Exposure: &v1.TrackerExposure{Type: v1.ExposureNodePort}},
			STUN:    &v1.STUNSpec{Exposure: &v1.STUNExposure{Type: v1.ExposureNodePort}},
			Seeders: &v1.NetworkSeedersSpec{Exposure: &v1.SeederExposure{Type: v1.ExposureNodePort}},
		},
	}
	var hall *v1.P2PStream // has the audience
	var audience group
	BeforeAll(func(ctx SpecContext) {
		loadNext(ctx)
		// Those that follow remove the operator, without which a network does not end.
		DeferCleanup(func(ctx SpecContext) {
			Eventually(ctx, func() error { _, err := networkStatus(ctx, network); return err }).WithTimeout(6 * time.Minute).Should(MatchError(apierrors.IsNotFound, "IsNotFound"))
		}, NodeTimeout(7*time.Minute))
		scaleNamespace(ctx, network.Namespace, nil)
		scaleNamespace(ctx, "outsiders", nil)
		for i := range size.teams {
			scaleNamespace(ctx, teamNamespace(i), teamLabel)
		}
		Expect(k8s.Create(ctx, network)).To(Succeed())
		DeferCleanup(func(ctx SpecContext) { Expect(client.IgnoreNotFound(k8s.Delete(ctx, network))).To(Succeed()) }, NodeTimeout(time.Minute))
		Eventually(ctx, networkStatus).WithArguments(network).WithTimeout(time.Minute).Should(haveNetworkReady())

		var all []client.Object
		for i := range size.streams {
			s := onNetwork(fmt.Sprintf("stream-%03d", i), teamNamespace(i%size.teams), network)
			s.Spec.Source.URL = v1.URL(origin.URL("/vod/dur_8/seg_2/ren_1/master.m3u8"))
			s.Spec.Seeders = &v1.SeedersSpec{Scale: &v1.SeederScale{Min: new(int32(0)), Max: new(int32(1))}}
			if i < size.seeded {
				s.Spec.Seeders = &v1.SeedersSpec{Replicas: new(int32(1))}
			}
			if i == 0 {
				s.Spec.Source.URL = v1.URL(origin.URL("/live/seg_2/window_30/ren_1/master.m3u8"))
				hall = s
			}
			all = append(all, s)
		}
		timed(fmt.Sprintf("%d streams of %d namespaces, %d with a seeder, to be served", len(all), size.teams, size.seeded), func() {
			Expect(k8s.Apply(ctx, all...)).To(Succeed())
			Eventually(ctx, attached).WithArguments(network).WithTimeout(3 * time.Minute).Should(BeEquivalentTo(len(all)))
			for _, s := range all {
				eventually(ctx, s.(*v1.P2PStream), 3*time.Minute).Should(BeReady())
			}
		})
		if size.idle > 0 {
			watchIdle(ctx, size.idle)
		}
		awaitHeld(ctx, hall)
		audience = startViewers(ctx, north, hall, "--count", fmt.Sprint(people), "--join-interval", "200ms")
		eventually(ctx, hall, time.Minute).Should(HaveViewers(people))
	}, NodeTimeout(8*time.Minute+size.idle))

	It("serve what a team applies in ten lines within five seconds", func(ctx SpecContext) {
		status, err := networkStatus(ctx, network)
		Expect(err).NotTo(HaveOccurred())
		var applied, inAll []time.Duration
		for i := range size.applies {
			team, name := teamNamespace(i%size.teams), fmt.Sprintf("talk-%02d", i)
			lines := fmt.Sprintf(tenLines, name, team, origin.URL(livePath), name, network.Name, network.Namespace)
			Expect(strings.Split(lines, "\n")).To(HaveLen(10))
			config := fmt.Sprintf("%s/%s/%s/v1/config", status.Endpoints.URL, team, name)
			begun := time.Now()
			_, err = k8s.KubectlIn(ctx, lines, "apply", "-f", "-")
			Expect(err).NotTo(HaveOccurred())
			there := time.Now()
			Eventually(ctx, func() error { _, err := fetch(ctx, config); return err }).WithTimeout(time.Minute).
				WithPolling(20*time.Millisecond).Should(Succeed(), "settings of %s", name)
			applied, inAll = append(applied, time.Since(there)), append(inAll, time.Since(begun))
			s := onNetwork(name, team, network)
			eventually(ctx, s, time.Minute).Should(HaveCondition(v1.ConditionAccepted, metav1.ConditionTrue, v1.ReasonAccepted))
			if i == 0 {
				awaitReady(ctx, s)
				note("it is Ready, with a seeder, after %.1f s", time.Since(begun).Seconds())
			}
			remove(ctx, s) // each seeder is one more program on this machine
		}
		note("settings of a new stream beside %d others, after kubectl apply: %s; with kubectl: %s", size.streams, spread(applied), spread(inAll))
		// The middle one: a machine that all of this shares may be busy with something else for once.
		Expect(percentile(applied, 50)).To(BeNumerically("<", 5*time.Second), "from kubectl apply to being served")
	}, SpecTimeout(10*time.Minute))

	It("tell a namespace that is not admitted why", func(ctx SpecContext) {
		s := onNetwork("outside", "outsiders", network)
		Expect(k8s.Apply(ctx, s)).To(Succeed())
		DeferCleanup(func(ctx SpecContext) { remove(ctx, s) }, NodeTimeout(time.Minute))
		eventually(ctx, s, time.Minute).Should(HaveCondition(v1.ConditionAccepted, metav1.ConditionFalse, v1.ReasonNotAdmitted))
		c := meta.FindStatusCondition(current(ctx, s).Status.Conditions, v1.ConditionAccepted)
		Expect(c.Message).To(And(ContainSubstring("outsiders"), ContainSubstring("Ask its owners")))
		Expect(children(ctx, s, "statefulsets")).To(BeEmpty())
	}, SpecTimeout(2*time.Minute))

	It("go on when the one tracker is deleted", func(ctx SpecContext) {
		trackers := crew{client.InNamespace(network.Namespace), client.MatchingLabels{"app.kubernetes.io/component": "tracker"}}
		old := trackers.pod(ctx)
		Expect(k8s.Delete(ctx, old)).To(Succeed())
		Eventually(ctx, trackers.running).WithTimeout(2 * time.Minute).Should(And(HaveLen(1), Not(ContainElement(HaveField("ObjectMeta.UID", old.UID)))))
		status, err := networkStatus(ctx, network)
		Expect(err).NotTo(HaveOccurred())
		for i := range size.streams {
			config := fmt.Sprintf("%s/%s/stream-%03d/v1/config", status.Endpoints.URL, teamNamespace(i%size.teams), i)
			Eventually(ctx, func() error { _, err := fetch(ctx, config); return err }).WithTimeout(time.Minute).Should(Succeed(), "settings of the new tracker")
		}
		Expect(audience.Alive()).To(BeTrue(), audience.LogText)
	}, SpecTimeout(6*time.Minute))

	It("are left alone by a second installation, which says so", func(ctx SpecContext) {
		before := current(ctx, hall)
		const second = "p2pstream-second"
		scaleNamespace(ctx, second, nil)
		helmIn(ctx, second, "install", "second", inRepo("charts", "p2pstream"), "--wait", "--timeout", "90s",
			"--set", "image.tag=next", "--set", "crds.enabled=false", "--set", "fullnameOverride=p2pstream-second")
		DeferCleanup(func(ctx SpecContext) { helmIn(ctx, second, "uninstall", "second") }, NodeTimeout(time.Minute))
		Eventually(ctx, func(ctx context.Context) (string, error) {
			return k8s.Kubectl(ctx, "get", "events", "-n", hall.Namespace, "--field-selector", "reason=ClaimedElsewhere", "-o",
				"jsonpath={range .items[*]}{.regarding.name}{.involvedObject.name}: {.note}{.message}{\"\\n\"}{end}")
		}).WithTimeout(time.Minute).Should(And(ContainSubstring(hall.Name), ContainSubstring("leaves it alone")))
		now := current(ctx, hall)
		Expect(now.Status.Claim.Controller).To(Equal(before.Status.Claim.Controller))
		Expect(now.Status.Upgrade).To(BeNil())
		Expect(seederImage(ctx, hall)).To(Equal(imageName))
		Expect(audience.Alive()).To(BeTrue(), audience.LogText)
	}, SpecTimeout(4*time.Minute))

	It("are upgraded two at a time with the operator, the one with an audience last, without a stall", func(ctx SpecContext) {
		seen := &upgrades{running: map[string]bool{}}
		stop := seen.follow(ctx)
		upgradeOperator(ctx)
		if stays() { // else the spec of the chart follows, which removes it
			DeferCleanup(deploy, NodeTimeout(2*time.Minute))
		}
		timed("all streams upgraded", func() {
			Eventually(ctx, seen.ended).WithArguments(hall.Name).WithTimeout(8 * time.Minute).Should(BeTrue())
		})
		stop()
		order, most := seen.seen()
		note("upgraded in this order: %v", order)
		Expect(most).To(BeNumerically("<=", 2), "streams upgraded at a time")
		Expect(len(order)).To(BeNumerically(">=", size.streams))
		Expect(order[len(order)-1]).To(Equal(hall.Name), "the stream with an audience comes last")
		Expect(seederImage(ctx, hall)).To(Equal(nextImage))
		eventually(ctx, hall, 2*time.Minute).Should(And(BeReady(), HaveViewers(people), HaveReporting(people)))
		expectWell("the audience of all this", people, audience.stop())
	}, SpecTimeout(12*time.Minute))
})

func teamNamespace(i int) string { return fmt.Sprintf("team-%02d", i) }

func scaleNamespace(ctx context.Context, name string, labels map[string]string) {
	GinkgoHelper()
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels}}
	Expect(k8s.Create(ctx, ns)).To(Succeed())
	DeferCleanup(func(ctx SpecContext) { Expect(client.IgnoreNotFound(k8s.Delete(ctx, ns))).To(Succeed()) }, NodeTimeout(time.Minute))
}
