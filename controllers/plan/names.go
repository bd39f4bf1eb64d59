package plan

import (
	"strconv"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/controllers/exposure"
)

// Labels and annotations of children. A child has no labels but these and those of app.kubernetes.io that
// Labels returns.
const (
	// LabelStream holds the stream's name.
	LabelStream = "p2pstream.dev/stream"
	// LabelComponent holds one of the components.
	LabelComponent = "app.kubernetes.io/component"
	// LabelManagedBy holds ManagedBy.
	LabelManagedBy = "app.kubernetes.io/managed-by"
	// ManagedBy is the value of LabelManagedBy.
	ManagedBy = "p2pstream"
	// LabelEdge tells the seeders of one site from those of other sites. Names of sites do not fit into labels.
	LabelEdge = "p2pstream.dev/edge"
	// AnnotationConfigHash changes when pods must be replaced for their configuration to take effect.
	AnnotationConfigHash = "p2pstream.dev/config-hash"
	// AnnotationInstallation of a workload is Facts.Installation of the plan that it was applied with, and AnnotationTemplate the
	// hash of the template of its pods.
	AnnotationInstallation = "p2pstream.dev/installation"
	AnnotationTemplate     = "p2pstream.dev/template"
)

// Components of a stream, by the value of the component label.
const (
	ComponentTracker = string(exposure.Tracker)
	ComponentSTUN    = string(exposure.STUN)
	ComponentSeeder  = string(exposure.Seeder)
	// ComponentEdge are the seeders of sites.
	ComponentEdge = "edge"
)

// Ports of the pods. A seeder's UDP port is its Service's node port where it has one, else PortSeeder.
const (
	PortTracker         int32 = 8000
	PortTrackerInternal int32 = 8001
	PortSTUN            int32 = 3478
	PortSeeder          int32 = 3479
	PortAdmin           int32 = 9090
	PortSeederAdmin     int32 = 9091
)

// TokenKey is the key of the token Secret that holds the seeder token.
const TokenKey = "token"

// Labels returns all labels of a child.
func Labels(stream, component string) map[string]string {
	labels := Selector(stream, component)
	labels[LabelManagedBy] = ManagedBy
	labels[LabelStream] = stream
	return labels
}

// Selector returns the labels by which Deployments, StatefulSets and Services select the pods of a component.
func Selector(stream, component string) map[string]string {
	return map[string]string{
		"app.kubernetes.io/name":     "p2pstream",
		"app.kubernetes.io/instance": stream,
		LabelComponent:               component,
	}
}

// TrackerName names the ConfigMap, Deployment and Service of the tracker.
func TrackerName(stream string) string { return stream + "-tracker" }

// TrackerInternalName names the Service through which seeders reach the tracker.
func TrackerInternalName(stream string) string { return stream + "-tracker-internal" }

// STUNName names the ConfigMap, Deployment and Service of the STUN servers.
func STUNName(stream string) string { return stream + "-stun" }

// SeederName names the ConfigMap, StatefulSet and headless Service of the seeders.
func SeederName(stream string) string { return stream + "-seeder" }

// SeederServiceName names the Service of one seeder, and its pod.
func SeederServiceName(stream string, ordinal int32) string {
	return SeederName(stream) + "-" + strconv.FormatInt(int64(ordinal), 10)
}

// TokenSecretName names the Secret with the seeder token. It is not part of a plan, because only pods may read it:
// it is created once, before the plan is applied, and never read by the operator.
func TokenSecretName(stream string) string { return SeederName(stream) + "-token" }

// SeederReplicas is the number of seeders that the stream requests. Where they follow the audience, the spec requests no
// number.
func SeederReplicas(stream *v1.P2PStream) int32 {
	return *stream.Spec.WithDefaults().Seeders.Replicas
}
