package v1

import (
	"regexp"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

// CertificateSettings ask cert-manager for a certificate. The operator makes a Certificate of cert-manager.io/v1 for it.
type CertificateSettings struct {
	// IssuerRef names who issues the certificate.
	// +required
	IssuerRef IssuerReference `json:"issuerRef"`
}

// IssuerReference names an issuer of cert-manager.
type IssuerReference struct {
	// Name of the issuer.
	// +required
	Name IssuerName `json:"name"`

	// Kind is Issuer, for one of the namespace, ClusterIssuer, or a kind of an external issuer. Default Issuer.
	// +optional
	Kind IssuerKind `json:"kind,omitempty"`

	// Group of the kind. Default cert-manager.io.
	// +optional
	Group IssuerGroup `json:"group,omitempty"`
}

// IssuerName is the name of an issuer.
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=253
// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$')",message="exposure.certificate.issuerRef.name must be the name of an issuer: lower case letters, digits, - and ."
type IssuerName string

// IssuerKind is the kind of an issuer, or empty.
// +kubebuilder:validation:MaxLength=63
// +kubebuilder:validation:XValidation:rule="size(self) == 0 || self.matches('^[A-Z][A-Za-z0-9]*$')",message="exposure.certificate.issuerRef.kind must be a kind, such as ClusterIssuer"
type IssuerKind string

// IssuerGroup is the group of a kind of issuers, or empty.
// +kubebuilder:validation:MaxLength=253
// +kubebuilder:validation:XValidation:rule="size(self) == 0 || self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$')",message="exposure.certificate.issuerRef.group must be an API group, such as cert-manager.io"
type IssuerGroup string

// The defaults of a reference to an issuer.
const (
	DefaultIssuerKind  = "Issuer"
	DefaultIssuerGroup = "cert-manager.io"
)

var kindName = regexp.MustCompile(`^[A-Z][A-Za-z0-9]*$`)

func (e *TrackerExposure) validateCertificate(at *field.Path) (errs field.ErrorList) {
	c := e.Certificate
	if c == nil {
		return nil
	}
	if e.Host == "" {
		errs = append(errs, field.Invalid(at, "", "tracker.exposure.certificate needs tracker.exposure.host, the name that the certificate is for"))
	}
	if e.TLSTerminated {
		errs = append(errs, field.Invalid(at, true, "tracker.exposure.certificate is for TLS that the tracker or its Ingress ends: remove tlsTerminated, or the certificate"))
	}
	if e.Type == ExposureGateway && e.Path != "" {
		errs = append(errs, field.Invalid(at, string(e.Path), "tracker.exposure.path is hidden from a Gateway that lets TLS pass through: with type Gateway, remove path or certificate"))
	}
	ref, from := c.IssuerRef, at.Child("certificate", "issuerRef")
	if len(ref.Name) > 253 || !secretName.MatchString(string(ref.Name)) {
		errs = append(errs, field.Invalid(from.Child("name"), string(ref.Name), "exposure.certificate.issuerRef.name must be the name of an issuer: lower case letters, digits, - and ."))
	}
	if ref.Kind != "" && (len(ref.Kind) > 63 || !kindName.MatchString(string(ref.Kind))) {
		errs = append(errs, field.Invalid(from.Child("kind"), string(ref.Kind), "exposure.certificate.issuerRef.kind must be a kind, such as ClusterIssuer"))
	}
	if ref.Group != "" && (len(ref.Group) > 253 || !secretName.MatchString(string(ref.Group))) {
		errs = append(errs, field.Invalid(from.Child("group"), string(ref.Group), "exposure.certificate.issuerRef.group must be an API group, such as cert-manager.io"))
	}
	return errs
}
