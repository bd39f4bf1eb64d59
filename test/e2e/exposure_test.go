//go:build e2e

package e2e

import (
	"strconv"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

var _ = Describe("Seeders behind node ports", Label("exposure"), func() {
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
			r, err := startViewers(ctx, north, s, "--count", "2", "--duration", "8s").Wait(30 * time.Second)
			Expect(err).NotTo(HaveOccurred())
			name := "masquerade " + strconv.FormatBool(hidden)
			expectWell(name, 2, r)
			Expect(r.Viewers).To(HaveEach(HaveField("Bytes.Seeder", BeNumerically(">", 0))), "bytes from seeders with %s", name)
		}
	}, SpecTimeout(3*time.Minute))
})
