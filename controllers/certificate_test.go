package controllers_test

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/controllers"
	"github.com/p2pstream/p2pstream/controllers/certmanager"
	"github.com/p2pstream/p2pstream/controllers/exposure"
	"github.com/p2pstream/p2pstream/controllers/plan"
)

// withCertificates is an operator of a cluster that has cert-manager.
func withCertificates(o *controllers.Options) { o.Kinds = exposure.Kinds{Certificate: true} }

// issues does what cert-manager does: it says how far a Certificate is.
func (w *world) issues(key client.ObjectKey, conditions ...metav1.Condition) {
	w.t.Helper()
	if !w.eventually(func() bool {
		var c certmanager.Certificate
		if err := w.Get(w.t.Context(), key, &c); err != nil {
			return false
		}
		before := c.DeepCopyObject().(*certmanager.Certificate)
		for i := range conditions {
			conditions[i].LastTransitionTime, conditions[i].ObservedGeneration = metav1.Now(), c.Generation
		}
		c.Status.Conditions = conditions
		return w.Status().Patch(w.t.Context(), &c, client.MergeFrom(before)) == nil
	}) {
		w.t.Fatalf("the status of Certificate %s cannot be written", key)
	}
}

func condition(kind string, status metav1.ConditionStatus, reason, message string) metav1.Condition {
	return metav1.Condition{Type: kind, Status: status, Reason: reason, Message: message}
}

// TestCertificate: a tracker waits for cert-manager, first for its kinds, then for the certificate, and says what cert-manager says. It
// serves once the Secret is there, and goes on when a renewal fails.
func TestCertificate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.nodes.become(plan.ComponentTracker, func(p *corev1.Pod) {
		waits("ContainerCreating", "")(p)
		if err := w.nodes.event(t.Context(), "FailedMount", `MountVolume.SetUp failed for volume "tls" : secret "live-tracker-tls" not found`, "Pod", p.Name, p.UID); err != nil {
			t.Error(err)
		}
	})
	w.stream("live", exposed, func(s *v1.P2PStreamSpec) {
		s.Tracker.Exposure.Host = "p2p.example.com"
		s.Tracker.Exposure.Certificate = &v1.CertificateSettings{IssuerRef: v1.IssuerReference{Name: "corporate"}}
	})
	key := client.ObjectKey{Namespace: w.ns, Name: "live-tracker"}

	stop := w.operator(stallEarly)
	s := w.until("live", "stalled without cert-manager", has("Stalled=True/CertManagerMissing"))
	w.says(s, v1.ConditionTrackerReady, "install cert-manager", "spec.tracker.exposure.certificate", `"live-tracker-tls"`)
	if !w.absent(key, &certmanager.Certificate{}) {
		t.Error("an operator that knows no Certificates made one")
	}
	stop()

	// A round of the manager that has found the kinds; with the usual patience, nothing stalls.
	w.operator(withCertificates)
	s = w.until("live", "waiting for cert-manager", func(s *v1.P2PStream) bool {
		return has("TrackerReady=False/CertificateNotReady")(s) && has("Stalled=False/Progressing")(s)
	})
	w.says(s, v1.ConditionTrackerReady, "has not said anything", "kubectl describe certificate live-tracker")
	w.issues(key, condition("Ready", metav1.ConditionFalse, "DoesNotExist", "Issuing certificate as Secret does not exist"),
		condition("Issuing", metav1.ConditionFalse, "Failed", "issuer corporate is not ready"))
	if !w.eventually(func() bool {
		m := message(w.get("live"), v1.ConditionTrackerReady)
		return strings.Contains(m, "issuer corporate is not ready") && strings.Contains(m, "Check issuer corporate")
	}) {
		t.Errorf("it says %q", message(w.get("live"), v1.ConditionTrackerReady))
	}

	w.nodes.become(plan.ComponentTracker, nil) // the Secret was made
	w.issues(key, condition("Ready", metav1.ConditionTrue, "Ready", "Certificate is up to date and has not expired"))
	s = w.until("live", "Current", current)
	if e := s.Status.Endpoints; e == nil || !strings.Contains(e.Announce, "wss://p2p.example.com") {
		t.Errorf("endpoints %+v", e)
	}
	w.issues(key, condition("Ready", metav1.ConditionFalse, "Expired", "Certificate expired on Tuesday"))
	s = w.until("live", "serving with an old certificate", has("TrackerReady=True/CertificateNotReady"))
	w.says(s, v1.ConditionTrackerReady, "expired on Tuesday")

	// It is a child as others are: made again, changed back, and deleted when nothing asks for it.
	var c certmanager.Certificate
	if err := w.Get(t.Context(), key, &c); err != nil {
		t.Fatal(err)
	}
	if err := w.Delete(t.Context(), &c); err != nil {
		t.Fatal(err)
	}
	if !w.eventually(func() bool { was := c.UID; return w.Get(t.Context(), key, &c) == nil && c.UID != was }) {
		t.Fatal("a Certificate that was deleted is not made again")
	}
	c.Spec.DNSNames = []string{"elsewhere.example.com"}
	if err := w.Update(t.Context(), &c); err != nil {
		t.Fatal(err)
	}
	if !w.eventually(func() bool {
		return w.Get(t.Context(), key, &c) == nil && len(c.Spec.DNSNames) == 1 && c.Spec.DNSNames[0] == "p2p.example.com"
	}) {
		t.Errorf("a Certificate that was changed stays so: %+v", c.Spec)
	}
	w.edit("live", func(s *v1.P2PStreamSpec) { s.Tracker.Exposure.Certificate = nil })
	if !w.eventually(func() bool { return w.absent(key, &c) }) {
		t.Error("the Certificate stays")
	}
}

// TestNetworkWithACertificate: the entrance of a network behind an Ingress is not ready before its certificate is.
func TestNetworkWithACertificate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	network := &v1.P2PNetwork{ObjectMeta: metav1.ObjectMeta{Namespace: w.ns, Name: "corp"}, Spec: v1.P2PNetworkSpec{
		Tracker: &v1.TrackerSpec{Exposure: &v1.TrackerExposure{Type: v1.ExposureIngress, Host: "ecdn.example.com",
			Certificate: &v1.CertificateSettings{IssuerRef: v1.IssuerReference{Name: "letsencrypt", Kind: "ClusterIssuer"}}}}}}
	if err := w.Create(t.Context(), network); err != nil {
		t.Fatal(err)
	}
	w.operator(withCertificates)
	key := client.ObjectKey{Namespace: w.ns, Name: "corp-network-tracker"}
	entrance := func(is func(metav1.Condition) bool) func() bool {
		return func() bool {
			if w.Get(t.Context(), client.ObjectKeyFromObject(network), network) != nil {
				return false
			}
			for _, c := range network.Status.Conditions {
				if c.Type == v1.ConditionEntranceReady {
					return is(c)
				}
			}
			return false
		}
	}
	w.issues(key, condition("Ready", metav1.ConditionFalse, "DoesNotExist", "the order is pending"))
	if !w.eventually(entrance(func(c metav1.Condition) bool {
		return c.Status == metav1.ConditionFalse && c.Reason == v1.ReasonCertificateNotReady && strings.Contains(c.Message, "the order is pending")
	})) {
		t.Fatalf("%+v", network.Status.Conditions)
	}
	w.issues(key, condition("Ready", metav1.ConditionTrue, "Ready", ""))
	if !w.eventually(entrance(func(c metav1.Condition) bool { return c.Reason != v1.ReasonCertificateNotReady })) {
		t.Fatalf("%+v", network.Status.Conditions)
	}
	var c certmanager.Certificate
	if err := w.Get(t.Context(), key, &c); err != nil || !metav1.IsControlledBy(&c, network) || c.Spec.SecretName != "corp-network-tracker-tls" {
		t.Errorf("%v, %+v", err, c)
	}
	if err := w.Delete(t.Context(), &c); err != nil {
		t.Fatal(err)
	}
	if !w.eventually(func() bool { was := c.UID; return w.Get(t.Context(), key, &c) == nil && c.UID != was }) {
		t.Fatal("a Certificate of a network that was deleted is not made again")
	}
}
