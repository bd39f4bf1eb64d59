package certmanager

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Group of cert-manager's resources, and Kind of the one that asks for a certificate.
const (
	Group = "cert-manager.io"
	Kind  = "Certificate"
)

// GroupVersion of the resources.
var GroupVersion = schema.GroupVersion{Group: Group, Version: "v1"}

// Conditions of a Certificate.
const (
	// ConditionReady is true while the Secret holds a valid certificate that is as the spec asks for.
	ConditionReady = "Ready"
	// ConditionIssuing is true while a certificate is being issued, and false with a message after that failed.
	ConditionIssuing = "Issuing"
)

// Certificate asks for a certificate in a Secret.
type Certificate struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   CertificateSpec   `json:"spec,omitempty"`
	Status CertificateStatus `json:"status,omitempty"`
}

// CertificateSpec is what the certificate is for, who issues it, and where it is put.
type CertificateSpec struct {
	SecretName  string          `json:"secretName"`
	DNSNames    []string        `json:"dnsNames,omitempty"`
	IPAddresses []string        `json:"ipAddresses,omitempty"`
	IssuerRef   IssuerReference `json:"issuerRef"`
}

// IssuerReference names who issues it.
type IssuerReference struct {
	Name  string `json:"name"`
	Kind  string `json:"kind,omitempty"`
	Group string `json:"group,omitempty"`
}

// CertificateStatus is what cert-manager says.
type CertificateStatus struct {
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// CertificateList is a list of Certificates.
type CertificateList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []Certificate `json:"items"`
}

// AddToScheme makes the types known to clients.
func AddToScheme(scheme *runtime.Scheme) error {
	scheme.AddKnownTypes(GroupVersion, &Certificate{}, &CertificateList{})
	metav1.AddToGroupVersion(scheme, GroupVersion)
	return nil
}

// DeepCopyObject implements runtime.Object.
func (c *Certificate) DeepCopyObject() runtime.Object {
	if c == nil {
		return nil
	}
	return c.copied()
}

func (c *Certificate) copied() *Certificate {
	out := *c
	c.ObjectMeta.DeepCopyInto(&out.ObjectMeta)
	out.Spec.DNSNames, out.Spec.IPAddresses = slices.Clone(c.Spec.DNSNames), slices.Clone(c.Spec.IPAddresses)
	out.Status.Conditions = slices.Clone(c.Status.Conditions) // a condition has no pointers
	return &out
}

// DeepCopyObject implements runtime.Object.
func (l *CertificateList) DeepCopyObject() runtime.Object {
	if l == nil {
		return nil
	}
	out := *l
	l.ListMeta.DeepCopyInto(&out.ListMeta)
	out.Items = nil
	for i := range l.Items {
		out.Items = append(out.Items, *l.Items[i].copied())
	}
	return &out
}
