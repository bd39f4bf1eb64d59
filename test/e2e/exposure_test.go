//go:build e2e

package e2e

import (
	"context"
	"strconv"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/runtime/tracker/stats"
)

var _ = Describe("Seeders behind node ports", Label("exposure"), Serial, func() {
	// It changes how the cluster's network treats every pod, so it runs alone.
	//
	// A network that hides pods behind their node lets connections through that a wrong port would lose
	// elsewhere, so only both tell that the port is right.
	It("are reached from an office, whether or not the cluster's network hides pods", func(ctx SpecContext) {
		const replicas = 2
		s := stream("exposed", origin.URL(livePath), seeders(replicas))
		serve(ctx, s)
		awaitHeld(ctx, s)

		By("one port all the way: pod, Service and node")
		for i := range replicas {
			var svc corev1.Service
			Expect(k8s.Get(ctx, client.ObjectKey{Namespace: s.Namespace, Name: s.Name + "-seeder-" + strconv.Itoa(i)}, &svc)).To(Succeed())
			Expect(svc.Spec.Ports).To(HaveLen(1))
			port := svc.Spec.Ports[0]
			note("%s: %d", svc.Name, port.NodePort)
			Expect(port.NodePort).NotTo(BeZero())
			Expect([]int32{port.Port, port.TargetPort.IntVal}).To(HaveEach(port.NodePort), "ports of %s", svc.Name)
		}

		DeferCleanup(func(ctx SpecContext) { Expect(lab.Masquerade(ctx, false)).To(Succeed()) }, NodeTimeout(30*time.Second))
		for _, hidden := range []bool{false, true} {
			Expect(lab.Masquerade(ctx, hidden)).To(Succeed())
			name := "masquerade " + strconv.FormatBool(hidden)
			By(name)
			// They give each other nothing, so whatever does not come from the origin comes from seeders.
			all := startSeeded(ctx, north, s, 9300, 2, "--no-upload")
			Eventually(ctx, viewersOfSeeders).WithArguments(s).Should(And(HaveLen(replicas), HaveEach(BeNumerically(">", 0))), "viewers of each seeder with %s", name)
			for _, g := range all {
				expectWell(name, 1, g.stop())
			}
			Eventually(ctx, viewersOfSeeders).WithArguments(s).Should(HaveEach(BeNumerically("<=", 0)), "viewers of seeders once these have left")
		}
	}, SpecTimeout(3*time.Minute))
})

// viewersOfSeeders is how many viewers each seeder is connected to: its connections, without those that it has with each other
// seeder in one swarm of each rendition. It is negative while these are not all there.
func viewersOfSeeders(ctx context.Context, s *v1.P2PStream) ([]int, error) {
	answer, err := fetchStats(ctx, s, configURL(ctx, s))
	if err != nil {
		return nil, err
	}
	said, err := stats.Decode(strings.NewReader(answer))
	var viewers []int
	for _, seeder := range said.SeederStates {
		if seeder.Fresh {
			viewers = append(viewers, seeder.State.Peers-(len(said.SeederStates)-1)*len(said.Renditions))
		}
	}
	return viewers, err
}
