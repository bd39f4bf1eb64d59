//go:build e2e

package e2e

import (
	"context"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	v1 "github.com/p2pstream/p2pstream/api/v1"
)

var _ = Describe("A stream that is deleted", Label("delete"), func() {
	It("leaves nothing behind", func(ctx SpecContext) {
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
