//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	gomegatypes "github.com/onsi/gomega/types"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/test/e2e/cluster"
	"github.com/p2pstream/p2pstream/test/e2e/witness"
)

// Every program is replaced while twenty viewers play, which must not notice, and status must be true at every
// moment.
var _ = Describe("A rolling update", Label("drain"), Ordered, SpecPriority(10), func() {
	const perOffice = 10
	const people = 2 * perOffice
	var s *v1.P2PStream
	groups := map[string]group{}
	BeforeAll(func(ctx SpecContext) {
		// One rendition of the lowest rate: the machine has to bear twenty viewers.
		s = stream("evergreen", origin.URL("/live/seg_2/window_30/ren_1/master.m3u8"), seeders(2))
		serve(ctx, s)
		awaitHeld(ctx, s)
		for name, office := range map[string]*cluster.Office{"north": north, "south": south} {
			groups[name] = startViewers(ctx, office, s, "--count", fmt.Sprint(perOffice), "--join-interval", "100ms")
		}
		timed("status to know all viewers", func() { eventually(ctx, s, 90*time.Second).Should(And(HaveViewers(people), HaveReporting(people))) })
	}, NodeTimeout(4*time.Minute))

	It("of each program costs no viewer a frame, and status is true at every moment", func(ctx SpecContext) {
		var seen witness.Witness
		endings := &endings{codes: map[types.UID]ending{}}
		stop := follow(ctx, s, &seen, endings)
		first := current(ctx, s)
		release := holdAlone(ctx, operatorLock)

		By("one after the other, by kubectl rollout restart")
		var old []types.UID
		for _, program := range []struct {
			crew                      crew
			namespace, kind, workload string
		}{
			{crewOf(s, "stun"), s.Namespace, "deployment", s.Name + "-stun"},
			{crewOf(s, "seeder"), s.Namespace, "statefulset", s.Name + "-seeder"},
			{operator, managerNamespace, "deployment", managerName},
		} {
			old = append(old, roll(ctx, program.workload, func() { restart(ctx, program.namespace, program.kind, program.workload) }, program.crew)...)
		}
		By("all at once, as an upgrade does, by a change of the spec")
		s.Spec.Tracker.Resources, s.Spec.STUN.Resources, s.Spec.Seeders.Resources = requests("120m"), requests("60m"), requests("120m")
		old = append(old, roll(ctx, "everything", func() {
			Expect(k8s.Apply(ctx, s)).To(Succeed())
			restart(ctx, managerNamespace, "deployment", managerName)
		}, crewOf(s, "tracker"), crewOf(s, "stun"), crewOf(s, "seeder"), operator)...)
		rolled := time.Now()

		By("status reports all of it")
		eventually(ctx, s, 90*time.Second).Should(And(BeReady(), HaveViewers(people), HaveReporting(people), BeObservedAfter(rolled),
			HaveCondition(v1.ConditionReconciling, metav1.ConditionFalse, v1.ReasonServing),
			HaveCondition(v1.ConditionSeedersReady, metav1.ConditionTrue, v1.ReasonAvailable)))
		release()
		By("the replaced programs ended with exit code 0")
		Eventually(ctx, endings.of).WithArguments(old).WithTimeout(45 * time.Second).Should(HaveLen(len(old)))
		last := current(ctx, s)
		// What is read is ahead of what is watched, or behind it.
		isLast := func(s witness.Sight) bool { return s.Stream.ResourceVersion == last.ResourceVersion }
		Eventually(ctx, func() bool { return slices.ContainsFunc(seen.Sights(), isLast) }).Should(BeTrue(), "the last version was not seen")
		stop()
		Expect(endings.of(old)).To(HaveEach(HaveField("Code", BeZero())))

		By("no viewer noticed")
		var measured v1.OffloadTotals
		for name, g := range groups {
			r := g.stop()
			expectWell(name, perOffice, r)
			measured = plus(measured, r.Total.Bytes)
		}
		sights := seen.Sights()
		sights = sights[:slices.IndexFunc(sights, isLast)+1]
		note("%d versions of status; totals from %+v to %+v, viewers measured %+v", len(sights), *first.Status.Offload.Totals, *last.Status.Offload.Totals, measured)
		wrong := witness.Contradictions(sights, witness.Truth{Viewers: people, Seeders: 2, Measured: measured})
		Expect(wrong).To(BeEmpty(), "status was wrong:\n%s", strings.Join(wrong, "\n"))
	}, SpecTimeout(5*time.Minute))
})

// HaveReporting matches a stream whose figures come from so many viewers.
func HaveReporting(n int32) gomegatypes.GomegaMatcher {
	return HaveField("Status.Offload", HaveValue(HaveField("Reporting", Equal(n))))
}

// requests are a little above the default requests.
func requests(cpu string) *v1.Resources {
	return &v1.Resources{
		Requests: v1.ResourceList{corev1.ResourceCPU: resource.MustParse(cpu), corev1.ResourceMemory: resource.MustParse("128Mi")},
		Limits:   v1.ResourceList{corev1.ResourceMemory: resource.MustParse("1Gi")},
	}
}

func restart(ctx context.Context, namespace, kind, name string) {
	GinkgoHelper()
	_, err := k8s.Kubectl(ctx, "rollout", "restart", "-n", namespace, kind+"/"+name)
	Expect(err).NotTo(HaveOccurred())
}

// roll replaces all pods of some programs by do, waits until as many others are ready, and returns the old ones.
func roll(ctx context.Context, what string, do func(), crews ...crew) []types.UID {
	GinkgoHelper()
	var old []types.UID
	members := make([]int, len(crews))
	for i, c := range crews {
		pods, err := c.running(ctx)
		Expect(err).NotTo(HaveOccurred())
		Expect(pods).NotTo(BeEmpty())
		members[i] = len(pods)
		for _, p := range pods {
			old = append(old, p.UID)
		}
	}
	timed(what+" rolled", func() {
		do()
		for i, c := range crews {
			Eventually(ctx, c.running).WithTimeout(90 * time.Second).Should(And(HaveLen(members[i]),
				Not(ContainElement(HaveField("ObjectMeta.UID", BeElementOf(old))))))
		}
	})
	return old
}

// ending is how a pod's container ended.
type ending struct {
	Pod  string
	Code int32
}

// endings remembers how pods ended, which the API server does not tell once they are gone.
type endings struct {
	mu    sync.Mutex
	codes map[types.UID]ending
}

func (e *endings) see(p *corev1.Pod) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, c := range p.Status.ContainerStatuses {
		if t := c.State.Terminated; t != nil {
			e.codes[p.UID] = ending{p.Name, t.ExitCode}
		}
	}
}

// of these pods, those that have ended.
func (e *endings) of(pods []types.UID) []ending {
	e.mu.Lock()
	defer e.mu.Unlock()
	var out []ending
	for _, p := range pods {
		if end, ended := e.codes[p]; ended {
			out = append(out, end)
		}
	}
	return out
}

// follow shows every version of a stream to a witness, and records how pods of stream and operator end, until stop is called.
func follow(ctx context.Context, s *v1.P2PStream, w *witness.Witness, e *endings) (stop func()) {
	GinkgoHelper()
	ctx, cancel := context.WithCancel(ctx)
	DeferCleanup(cancel)
	begun := make(chan struct{})
	var once sync.Once
	done := make(chan error, 3)
	go func() {
		done <- k8s.Follow(ctx, &v1.P2PStreamList{}, func(o client.Object) {
			w.See(o.(*v1.P2PStream))
			once.Do(func() { close(begun) })
		}, client.InNamespace(s.Namespace), client.MatchingFields{"metadata.name": s.Name})
	}()
	for _, crew := range []crew{{client.InNamespace(s.Namespace)}, operator} {
		go func() {
			done <- k8s.Follow(ctx, &corev1.PodList{}, func(o client.Object) { e.see(o.(*corev1.Pod)) }, crew...)
		}()
	}
	Eventually(ctx, begun).Should(BeClosed())
	return func() {
		GinkgoHelper()
		cancel()
		for range cap(done) {
			Expect(<-done).To(Succeed())
		}
	}
}
