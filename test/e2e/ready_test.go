//go:build e2e

package e2e

import (
	"os"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"sigs.k8s.io/cli-utils/pkg/kstatus/status"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/p2pstream/p2pstream/api/v1"
)

var _ = Describe("A stream that is applied", Label("ready"), func() {
	It("is ready within 15 s, and every tool says so", Serial, func(ctx SpecContext) {
		s := stream("first", origin.URL(livePath))
		took := timed("kubectl apply to Ready", func() {
			apply(ctx, s)
			_, err := k8s.Kubectl(ctx, "wait", "-n", s.Namespace, "p2pstream/"+s.Name, "--for=condition=Ready", "--timeout=60s")
			Expect(err).NotTo(HaveOccurred())
		})
		Expect(took).To(BeNumerically("<=", 15*time.Second))

		By("kstatus")
		Eventually(ctx, k8s.KStatus).WithArguments(client.ObjectKeyFromObject(s)).
			Should(HaveValue(HaveField("Status", status.CurrentStatus)))

		By("kubectl get")
		Expect(columns(ctx, "get", "p2pstreams")).To(Equal([]string{"NAME", "READY", "REASON", "VIEWERS", "OFFLOAD", "AGE"}))
		Expect(columns(ctx, "get", "p2ps", "-o", "wide")).To(Equal([]string{"NAME", "READY", "REASON", "VIEWERS", "OFFLOAD", "AGE", "COPIES", "TRACKER", "SEEDERS", "SOURCE"}))
		row, err := k8s.Kubectl(ctx, "get", "ecdn", "-n", namespace, "-o", "wide", "--no-headers")
		Expect(err).NotTo(HaveOccurred())
		note("%s", strings.TrimSpace(row))
		Expect(row).To(And(ContainSubstring("first"), ContainSubstring("True"), ContainSubstring("ws://"), ContainSubstring(string(s.Spec.Source.URL))))

		By("kubectl diff")
		doc, err := k8s.Manifest(s)
		Expect(err).NotTo(HaveOccurred())
		expectNoDiff(ctx, doc)
	}, SpecTimeout(2*time.Minute))

	// The samples' origin is on the Internet, which this cluster cannot reach: a stream is ready when it would serve
	// viewers, independently of its origin.
	It("is as it was written, sample by sample", func(ctx SpecContext) {
		for _, name := range []string{"p2pstream_minimal.yaml", "p2pstream_live.yaml"} {
			raw, err := os.ReadFile(inRepo("config", "samples", name))
			Expect(err).NotTo(HaveOccurred())
			s, err := v1.Load(strings.NewReader(string(raw)))
			Expect(err).NotTo(HaveOccurred())
			By(s.Name)
			_, err = k8s.Stream(ctx, client.ObjectKeyFromObject(s))
			Expect(err).To(HaveOccurred(), "another spec, in another process, has a stream of that name")
			_, err = k8s.KubectlIn(ctx, string(raw), "apply", "-f", "-")
			Expect(err).NotTo(HaveOccurred())
			DeferCleanup(func(ctx SpecContext) { remove(ctx, s) }, NodeTimeout(time.Minute))
			awaitReady(ctx, s)
			expectNoDiff(ctx, string(raw))
		}
	}, SpecTimeout(2*time.Minute))
})

// columns are the headings that kubectl prints.
func columns(ctx SpecContext, args ...string) []string {
	GinkgoHelper()
	out, err := k8s.Kubectl(ctx, append(args, "-n", namespace)...)
	Expect(err).NotTo(HaveOccurred())
	head, _, _ := strings.Cut(out, "\n")
	return strings.Fields(head)
}

// expectNoDiff fails if the cluster added anything to the manifest that a user wrote.
func expectNoDiff(ctx SpecContext, doc string) {
	GinkgoHelper()
	diff, err := k8s.KubectlIn(ctx, doc, "diff", "-f", "-")
	Expect(err).NotTo(HaveOccurred(), "kubectl diff finds: %s", diff)
	Expect(diff).To(BeEmpty())
}
