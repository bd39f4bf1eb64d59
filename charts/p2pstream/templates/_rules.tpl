{{- /* Made from config/rbac by tools/chartsync: change that instead, then run make chart. */}}

{{- define "p2pstream.rules.manager.namespaced" -}}
# Streams are people's: read, never written.
- apiGroups: [p2pstream.dev]
  resources: [p2pstreams]
  verbs: [get, list, watch]
# Status is the manager's, in one server-side apply, which is a patch.
- apiGroups: [p2pstream.dev]
  resources: [p2pstreams/status]
  verbs: [patch]
# Children block the deletion of their stream until they are gone. Where the admission plugin
# OwnerReferencesPermissionEnforcement runs, as on OpenShift, saying so needs this.
- apiGroups: [p2pstream.dev]
  resources: [p2pstreams/finalizers]
  verbs: [update]
# What a stream is made of: applied (patch, and create for the first time), and deleted when the
# stream no longer asks for it.
- apiGroups: [""]
  resources: [configmaps, services]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [apps]
  resources: [deployments, statefulsets]
  verbs: [get, list, watch, create, patch, delete]
# The token of a stream's seeders is made and never read back. Other Secrets are for pods to mount.
- apiGroups: [""]
  resources: [secrets]
  verbs: [create]
# Why pods wait, and where trackers answer.
- apiGroups: [""]
  resources: [pods]
  verbs: [list, watch]
# What only events tell: volumes that cannot be mounted, pods that cannot be made.
- apiGroups: [""]
  resources: [events]
  verbs: [list]
# What the manager tells people. Leader election writes to the older of the two groups.
- apiGroups: ["", events.k8s.io]
  resources: [events]
  verbs: [create, patch]
{{- end -}}

{{- define "p2pstream.rules.manager.cluster" -}}
# Addresses of nodes, for streams that are exposed on node ports.
- apiGroups: [""]
  resources: [nodes]
  verbs: [list, watch]
{{- end -}}

{{- define "p2pstream.rules.leader" -}}
# A name cannot limit a create: the object has none yet when it is authorized.
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  verbs: [create]
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  resourceNames: [p2pstream-manager]
  verbs: [get, update]
# Who became leader is told by an event about the Lease.
- apiGroups: ["", events.k8s.io]
  resources: [events]
  verbs: [create, patch]
{{- end -}}

{{- define "p2pstream.rules.view" -}}
- apiGroups: [p2pstream.dev]
  resources: [p2pstreams]
  verbs: [get, list, watch]
- apiGroups: [p2pstream.dev]
  resources: [p2pstreams/status, p2pstreams/scale]
  verbs: [get]
{{- end -}}

{{- define "p2pstream.rules.edit" -}}
- apiGroups: [p2pstream.dev]
  resources: [p2pstreams]
  verbs: [create, delete, deletecollection, patch, update]
- apiGroups: [p2pstream.dev]
  resources: [p2pstreams/scale]
  verbs: [patch, update]
{{- end -}}
