package controllers

import (
	"cmp"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/controllers/certmanager"
	"github.com/p2pstream/p2pstream/controllers/diagnose"
	"github.com/p2pstream/p2pstream/controllers/plan"
)

// issued is what cert-manager says of the Certificate of a tracker; nil where there is none.
func (s *snapshot) issued(stream *v1.P2PStream) *plan.Issued {
	c, is := s.children[plan.Ref{Kind: certmanager.Kind, Name: plan.CertificateName(stream.Name)}].(*certmanager.Certificate)
	if !is {
		return nil
	}
	said := &plan.Issued{}
	failed := ""
	for _, condition := range c.Status.Conditions {
		if condition.ObservedGeneration != 0 && condition.ObservedGeneration < c.Generation {
			continue
		}
		switch condition.Type {
		case certmanager.ConditionReady:
			said.Ready = condition.Status == metav1.ConditionTrue
			said.Message = cmp.Or(diagnose.Clean(condition.Message), "its condition Ready is not true")
		case certmanager.ConditionIssuing:
			if condition.Status == metav1.ConditionFalse {
				failed = diagnose.Clean(condition.Message) // why the last attempt failed; Ready says no more than that there is none
			}
		}
	}
	if said.Ready {
		said.Message = ""
	} else if failed != "" {
		said.Message = failed
	}
	return said
}

// issuedSecrets is what it means that a pod of the tracker lacks the Secret of its Certificate. cert-manager needs seconds, so it stalls
// the stream only after the grace period.
func (s *snapshot) issuedSecrets(stream *v1.P2PStream) map[string]diagnose.Problem {
	secret := plan.CertificateSecret(stream)
	if secret == "" {
		return nil
	}
	p := diagnose.Problem{Reason: v1.ReasonCertificateNotReady, Stalls: true, Heals: true,
		Message: "Secret \"" + secret + "\" is not there yet, although cert-manager says that its Certificate is ready. The pods start by themselves once it is."}
	if w := plan.CertificateWarning(stream, s.kinds, s.issued(stream)); w != nil {
		p.Reason, p.Message = w.Reason, "The tracker waits for its certificate: "+w.Message+"."
	}
	return map[string]diagnose.Problem{secret: p}
}
