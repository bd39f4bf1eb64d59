//go:build e2e

package e2e

import (
	"context"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/p2pstream/p2pstream/api/v1"
)

var _ = Describe("A stream that is deleted", Label("delete"), SpecPriority(5), func() {
	It("leaves nothing behind", func(ctx SpecContext) {
		awaitCollector(ctx)
		s := stream("short-lived", origin.URL(livePath), seeders(2))
		serve(ctx, s)
		there, err := allChildren(ctx, s)
		Expect(err).NotTo(HaveOccurred())
		note("children: %s", strings.Join(there, " "))
		for _, kind := range []string{"pod/", "service/", "configmap/", "secret/", "deployment.apps/", "statefulset.apps/"} {
			Expect(there).To(ContainElement(HavePrefix(kind)))
		}
		timed("kubectl delete to nothing left", func() {
			_, err := k8s.Kubectl(ctx, "delete", "p2pstream", "-n", s.Namespace, s.Name)
			Expect(err).NotTo(HaveOccurred())
			Eventually(ctx, allChildren).WithArguments(s).WithTimeout(30 * time.Second).Should(BeEmpty())
		})
	}, SpecTimeout(2*time.Minute))
})

// awaitCollector waits until the cluster's garbage collector knows the kind, which it asks for every half
// minute: until then nothing that belongs to a stream is collected, in any cluster. It collects an orphan at
// once when it does.
func awaitCollector(ctx context.Context) {
	GinkgoHelper()
	orphan := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "orphan", Namespace: namespace, OwnerReferences: []metav1.OwnerReference{{
		APIVersion: v1.GroupVersion.String(), Kind: v1.Kind, Name: "never-was", UID: "00000000-0000-0000-0000-000000000000",
	}}}}
	Expect(k8s.Create(ctx, orphan)).To(Succeed())
	Eventually(ctx, func(ctx context.Context) error {
		return k8s.Get(ctx, client.ObjectKeyFromObject(orphan), &corev1.ConfigMap{})
	}).WithTimeout(time.Minute).Should(MatchError(apierrors.IsNotFound, "IsNotFound"))
}

// allChildren names every object of any kind that is named after the stream, as all of its children are.
func allChildren(ctx context.Context, s *v1.P2PStream) ([]string, error) {
	kinds, err := k8s.Kubectl(ctx, "api-resources", "--namespaced", "--verbs=list,delete", "-o", "name")
	if err != nil {
		return nil, err
	}
	var listed []string
	for kind := range strings.FieldsSeq(kinds) {
		if !strings.HasPrefix(kind, "events") && !strings.HasPrefix(kind, "p2pstreams") {
			listed = append(listed, kind)
		}
	}
	out, err := k8s.Kubectl(ctx, "get", strings.Join(listed, ","), "-n", s.Namespace, "-o", "name", "--ignore-not-found")
	if err != nil {
		return nil, err
	}
	var found []string
	for object := range strings.FieldsSeq(out) {
		if _, name, _ := strings.Cut(object, "/"); name == s.Name || strings.HasPrefix(name, s.Name+"-") {
			found = append(found, object)
		}
	}
	return found, nil
}
