{{- /* Made from config/rbac by tools/chartsync: change that instead, then run make chart. */}}

{{- define "p2pstream.rules.manager.namespaced" -}}
# Streams belong to their users: the manager reads them and never writes them.
- apiGroups: [p2pstream.dev]
  resources: [p2pstreams]
  verbs: [get, list, watch]
# A patch keeps a network, by a finalizer, while streams are attached to it. Its spec is never written.
- apiGroups: [p2pstream.dev]
  resources: [p2pnetworks]
  verbs: [get, list, watch, patch]
# The manager writes the status with one server-side apply, which is a patch.
- apiGroups: [p2pstream.dev]
  resources: [p2pstreams/status, p2pnetworks/status]
  verbs: [patch]
# Children block the deletion of their stream until they are gone. Where the admission plugin
# OwnerReferencesPermissionEnforcement runs, as on OpenShift, such an owner reference needs this.
- apiGroups: [p2pstream.dev]
  resources: [p2pstreams/finalizers, p2pnetworks/finalizers]
  verbs: [update]
# Children of a stream: applied (patch, and create for the first time), and deleted when the
# stream no longer needs them.
- apiGroups: [""]
  resources: [configmaps, services]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [networking.k8s.io]
  resources: [ingresses, networkpolicies]
  verbs: [get, list, watch, create, patch, delete]
# Routes of the Gateway API, where the cluster has it.
- apiGroups: [gateway.networking.k8s.io]
  resources: [httproutes, tlsroutes]
  verbs: [get, list, watch, create, patch, delete]
# Certificates of cert-manager, where the cluster has it and a stream or a network asks for one. Secrets are cert-manager's to write.
- apiGroups: [cert-manager.io]
  resources: [certificates]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [policy]
  resources: [poddisruptionbudgets]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [apps]
  resources: [deployments, statefulsets]
  verbs: [get, list, watch, create, patch, delete]
# Tokens of seeders and of networks are created and never read. Other Secrets are mounted by pods only.
- apiGroups: [""]
  resources: [secrets]
  verbs: [create]
# The state of pods, and the addresses of trackers.
- apiGroups: [""]
  resources: [pods]
  verbs: [list, watch]
# Causes that only events report: volumes that cannot be mounted, pods that cannot be created.
- apiGroups: [""]
  resources: [events]
  verbs: [list]
# Events of the manager. Leader election writes to the older of the two groups.
- apiGroups: ["", events.k8s.io]
  resources: [events]
  verbs: [create, patch]
{{- end -}}

{{- define "p2pstream.rules.manager.cluster" -}}
# Addresses of nodes, for streams that are exposed on node ports.
- apiGroups: [""]
  resources: [nodes]
  verbs: [list, watch]
# Classes of ingress controllers, for streams that are exposed by an Ingress: a missing one is reported.
- apiGroups: [networking.k8s.io]
  resources: [ingressclasses]
  verbs: [list]
# Gateways that streams name, which may be in any namespace: a missing one is reported.
- apiGroups: [gateway.networking.k8s.io]
  resources: [gateways]
  verbs: [get]
# Labels of namespaces, for networks that admit streams by them.
- apiGroups: [""]
  resources: [namespaces]
  verbs: [get]
{{- end -}}

{{- define "p2pstream.rules.leader" -}}
# A create cannot be limited to a name: the object has none yet when the request is authorized.
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  verbs: [create]
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  resourceNames: [{{ include "p2pstream.manager" . | quote }}]
  verbs: [get, update]
# An event about the Lease reports which manager became the leader.
- apiGroups: ["", events.k8s.io]
  resources: [events]
  verbs: [create, patch]
# The key from which tokens of networks are derived. The manager makes it once, and its pod mounts it.
- apiGroups: [""]
  resources: [secrets]
  verbs: [create]
{{- end -}}

{{- define "p2pstream.rules.view" -}}
- apiGroups: [p2pstream.dev]
  resources: [p2pstreams, p2pnetworks]
  verbs: [get, list, watch]
- apiGroups: [p2pstream.dev]
  resources: [p2pstreams/status, p2pstreams/scale, p2pnetworks/status]
  verbs: [get]
{{- end -}}

{{- define "p2pstream.rules.edit" -}}
- apiGroups: [p2pstream.dev]
  resources: [p2pstreams, p2pnetworks]
  verbs: [create, delete, deletecollection, patch, update]
- apiGroups: [p2pstream.dev]
  resources: [p2pstreams/scale]
  verbs: [patch, update]
{{- end -}}
