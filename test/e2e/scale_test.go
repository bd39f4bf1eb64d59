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
	"github.com/p2pstream/p2pstream/controllers/plan"
)

// scaleSize is how much the specs of a network put on it.
type scaleSize struct {
	teams, streams int
	// seeded is how many streams have a seeder that runs, of which one has the audience. The others sleep: two hundred would be
	// more pods than this machine runs.
	seeded int
	// applies is how many streams are applied one after the other to see how soon each is served.
	applies int
	// idle is for how long the operator is watched while nothing is applied; zero: not at all.
	idle time.Duration
	// upgrade is how long that of all streams may take.
	upgrade time.Duration
}

// scaleOf is what make scale asks for: all, or with SMALL=1 a tenth.
func scaleOf() scaleSize {
	if os.Getenv("P2PSTREAM_E2E_SCALE") != "" {
		return scaleSize{teams: 20, streams: 200, seeded: 20, applies: 10, idle: 2 * time.Minute, upgrade: 20 * time.Minute}
	}
	return scaleSize{teams: 4, streams: 20, seeded: 2, applies: 2, upgrade: 8 * time.Minute}
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
var _ = Describe("Many streams on one network", Label("many-streams"), Serial, Ordered, SpecPriority(-1), func() {
	const perOffice = 3
	const people = 2 * perOffice
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
	var hall *v1.P2PStream    // has the audience
	var outside *v1.P2PStream // of a namespace that is not admitted
	var early, late group     // the audience: early leaves before the upgrade
	var loaded <-chan error   // nextImage
	BeforeAll(func(ctx SpecContext) {
		loaded = loadNext(ctx)
		// Those that follow remove the operator, without which a network does not end.
		DeferCleanup(func(ctx SpecContext) {
			Eventually(ctx, func() error { _, err := networkStatus(ctx, network); return err }).WithTimeout(6 * time.Minute).Should(MatchError(apierrors.IsNotFound, "IsNotFound"))
		}, NodeTimeout(7*time.Minute))
		scaleNamespace(ctx, network.Namespace, nil)
		scaleNamespace(ctx, "outsiders", nil)
		for i := range size.teams {
			scaleNamespace(ctx, teamNamespace(i), teamLabel)
		}
		DeferCleanup(func(ctx SpecContext) {
			for i := range size.teams { // sooner than with their namespaces
				Expect(k8s.DeleteAllOf(ctx, &v1.P2PStream{}, client.InNamespace(teamNamespace(i)))).To(Succeed())
			}
			remove(ctx, outside)
			Expect(client.IgnoreNotFound(k8s.Delete(ctx, network))).To(Succeed())
		}, NodeTimeout(2*time.Minute))
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
		outside = onNetwork("outside", "outsiders", network)
		timed(fmt.Sprintf("a network and its %d streams of %d namespaces, %d with a seeder, to be ready", len(all), size.teams, size.seeded), func() {
			Expect(k8s.Apply(ctx, append([]client.Object{network, outside}, all...)...)).To(Succeed())
			Eventually(ctx, networkStatus).WithArguments(network).WithTimeout(2 * time.Minute).Should(haveNetworkReady())
			Eventually(ctx, attached).WithArguments(network).WithTimeout(5 * time.Minute).Should(BeEquivalentTo(len(all)))
			for _, s := range all {
				eventually(ctx, s.(*v1.P2PStream), 3*time.Minute).Should(BeReady())
			}
		})
		ready, err := crew{client.MatchingLabels{plan.LabelComponent: plan.ComponentSeeder}}.running(ctx)
		Expect(err).NotTo(HaveOccurred())
		note("%d pods of seeders run", len(ready))
		if size.idle > 0 {
			watchIdle(ctx, size.idle)
		}
		awaitHeld(ctx, hall)
		early = startViewers(ctx, south, hall, "--count", fmt.Sprint(perOffice), "--join-interval", "200ms")
		late = startViewers(ctx, north, hall, "--count", fmt.Sprint(perOffice), "--join-interval", "200ms")
	}, NodeTimeout(12*time.Minute+settleWithin+size.idle))

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
			remove(ctx, s) // each seeder is one more program on this machine
		}
		note("settings of a new stream beside %d others, after kubectl apply: %s; with kubectl: %s", size.streams, spread(applied), spread(inAll))
		Expect(applied).To(HaveEach(BeNumerically("<", 5*time.Second)), "from kubectl apply to being served")
	}, SpecTimeout(10*time.Minute))

	It("tell a namespace that is not admitted why", func(ctx SpecContext) {
		eventually(ctx, outside, time.Minute).Should(HaveCondition(v1.ConditionAccepted, metav1.ConditionFalse, v1.ReasonNotAdmitted))
		c := meta.FindStatusCondition(current(ctx, outside).Status.Conditions, v1.ConditionAccepted)
		Expect(c.Message).To(And(ContainSubstring("outsiders"), ContainSubstring("Ask its owners")))
		Expect(children(ctx, outside, "statefulsets")).To(BeEmpty())
	}, SpecTimeout(2*time.Minute))

	It("go on when the one tracker is deleted", func(ctx SpecContext) {
		eventually(ctx, hall, 90*time.Second).Should(HaveViewers(people))
		trackers := crew{client.InNamespace(network.Namespace), client.MatchingLabels{plan.LabelComponent: plan.ComponentTracker}}
		old := trackers.pod(ctx)
		Expect(k8s.Delete(ctx, old)).To(Succeed())
		Eventually(ctx, trackers.running).WithTimeout(2 * time.Minute).Should(ConsistOf(HaveField("ObjectMeta.UID", Not(Equal(old.UID)))))
		replaced := time.Now()
		status, err := networkStatus(ctx, network)
		Expect(err).NotTo(HaveOccurred())
		for i := range size.streams {
			config := fmt.Sprintf("%s/%s/stream-%03d/v1/config", status.Endpoints.URL, teamNamespace(i%size.teams), i)
			Eventually(ctx, func() error { _, err := fetch(ctx, config); return err }).WithTimeout(time.Minute).Should(Succeed(), "settings of the new tracker")
		}
		eventually(ctx, hall, 90*time.Second).Should(And(HaveViewers(people), BeObservedAfter(replaced)))
		expectWell("the audience while the tracker was replaced", perOffice, early.stop())
	}, SpecTimeout(8*time.Minute))

	It("are left alone by a second installation, which says so", func(ctx SpecContext) {
		before := current(ctx, hall)
		const second = "p2pstream-second"
		Expect(<-loaded).To(Succeed())
		scaleNamespace(ctx, second, nil)
		helmIn(ctx, second, "install", "second", inRepo("charts", "p2pstream"),
			"--set", "image.tag=next", "--set", "crds.enabled=false", "--set", "fullnameOverride=p2pstream-second")
		DeferCleanup(func(ctx SpecContext) { helmIn(ctx, second, "uninstall", "second") }, NodeTimeout(time.Minute))
		Eventually(ctx, func(ctx context.Context) (string, error) {
			return k8s.Kubectl(ctx, "get", "events", "-n", hall.Namespace, "--field-selector", "reason=ClaimedElsewhere", "-o",
				"jsonpath={range .items[*]}{.regarding.name}{.involvedObject.name}: {.note}{.message}{\"\\n\"}{end}")
		}).WithTimeout(2 * time.Minute).Should(And(ContainSubstring(hall.Name), ContainSubstring("leaves it alone")))
		now := current(ctx, hall)
		Expect(now.Status.Claim.Controller).To(Equal(before.Status.Claim.Controller))
		Expect(now.Status.Upgrade).To(BeNil())
		Expect(seederImage(ctx, hall)).To(Equal(imageName))
		Expect(late.Alive()).To(BeTrue(), late.LogText)
	}, SpecTimeout(4*time.Minute))

	It("are upgraded two at a time with the operator, the one with an audience last, without a stall", func(ctx SpecContext) {
		seen := &upgrades{running: map[string]bool{}}
		stop := seen.follow(ctx)
		timed("the operator and all streams to be upgraded", func() {
			upgradeOperator(ctx)
			if stays() { // else the spec of the chart follows, which removes it
				DeferCleanup(deploy, NodeTimeout(2*time.Minute))
			}
			Eventually(ctx, seen.ended).WithArguments(hall.Name).WithTimeout(size.upgrade).Should(BeTrue())
		})
		upgraded := time.Now()
		stop()
		order, most := seen.seen()
		note("upgraded within %.1f s, in this order: %v", seen.length().Seconds(), order)
		Expect(most).To(BeNumerically("<=", 2), "streams upgraded at a time")
		Expect(len(order)).To(BeNumerically(">=", size.streams))
		Expect(order[len(order)-1]).To(Equal(hall.Name), "the stream with an audience comes last")
		Expect(seederImage(ctx, hall)).To(Equal(nextImage))
		eventually(ctx, hall, 2*time.Minute).Should(And(BeReady(), HaveViewers(perOffice), BeObservedAfter(upgraded)))
		expectWell("the audience of all this", perOffice, late.stop())
	}, SpecTimeout(4*time.Minute+size.upgrade))
})

func teamNamespace(i int) string { return fmt.Sprintf("team-%02d", i) }

func scaleNamespace(ctx context.Context, name string, labels map[string]string) {
	GinkgoHelper()
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels}}
	Expect(k8s.Create(ctx, ns)).To(Succeed())
	DeferCleanup(func(ctx SpecContext) { Expect(client.IgnoreNotFound(k8s.Delete(ctx, ns))).To(Succeed()) }, NodeTimeout(time.Minute))
}
