//go:build e2e

package e2e

import (
	"context"
	"os/exec"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "github.com/p2pstream/p2pstream/api/v1"
)

// The last spec: it removes the operator that the others use, and with the definition every stream.
var _ = Describe("The chart", Label("helm"), Serial, SpecPriority(-2), func() {
	It("serves streams in the namespaces that it watches, and leaves them when it goes", func(ctx SpecContext) {
		_, err := k8s.Kubectl(ctx, "delete", "-k", inRepo("config", "default"), "--timeout=60s")
		Expect(err).NotTo(HaveOccurred())
		if stays() {
			DeferCleanup(deploy, NodeTimeout(2*time.Minute))
		}
		for _, name := range []string{"p2pstream-chart", "elsewhere"} {
			ns := newNamespace(name)
			Expect(k8s.Apply(ctx, ns)).To(Succeed())
			DeferCleanup(func(ctx SpecContext) { Expect(k8s.Delete(ctx, ns)).To(Succeed()) }, NodeTimeout(10*time.Second))
		}

		timed("helm install", func() {
			helm(ctx, "install", "p2pstream", inRepo("charts", "p2pstream"), "--wait", "--timeout", "60s",
				"--set", "image.tag=dev", "--set", "watchNamespaces={"+namespace+"}")
		})
		uninstalled := false
		DeferCleanup(func(ctx SpecContext) {
			if !uninstalled {
				helm(ctx, "uninstall", "p2pstream", "--wait", "--timeout", "60s")
			}
		}, NodeTimeout(2*time.Minute))
		s, other := stream("charted", origin.URL(livePath)), stream("unwatched", origin.URL(livePath))
		other.Namespace = "elsewhere"
		apply(ctx, other)
		serve(ctx, s)
		untouched := current(ctx, other)
		Expect(untouched.Status.ObservedGeneration).To(BeZero())
		Expect(meta.IsStatusConditionPresentAndEqual(untouched.Status.Conditions, v1.ConditionReady, metav1.ConditionUnknown)).To(BeTrue())
		Expect(allChildren(ctx, other)).To(BeEmpty())

		before, err := allChildren(ctx, s)
		Expect(err).NotTo(HaveOccurred())
		helm(ctx, "uninstall", "p2pstream", "--wait", "--timeout", "60s")
		uninstalled = true
		Expect(k8s.Kubectl(ctx, "get", "crd", "p2pstreams.p2pstream.dev", "-o", "name")).NotTo(BeEmpty())
		Expect(current(ctx, s)).To(BeReady(), "the last status stays")
		Expect(allChildren(ctx, s)).To(ContainElements(before), "running objects stay")
		Expect(fetch(ctx, configURL(ctx, s))).To(ContainSubstring(s.Spec.SwarmID))
	}, SpecTimeout(4*time.Minute))
})

func helm(ctx context.Context, args ...string) {
	GinkgoHelper()
	helmIn(ctx, "p2pstream-chart", args...)
}

// helmIn runs helm in a namespace.
func helmIn(ctx context.Context, namespace string, args ...string) {
	GinkgoHelper()
	config, err := lab.Kubeconfig(ctx)
	Expect(err).NotTo(HaveOccurred())
	out, err := exec.CommandContext(ctx, built["helm"], append(args, "--kubeconfig", config, "--namespace", namespace)...).CombinedOutput()
	Expect(err).NotTo(HaveOccurred(), "helm %v printed: %s", args, out)
}
