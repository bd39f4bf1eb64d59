{{/* The prefix of the names of all objects: "p2pstream" for a release of that name. */}}
{{- define "p2pstream.fullname" -}}
{{- $chart := default .Chart.Name .Values.nameOverride -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else if contains $chart .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" $chart .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "p2pstream.manager" -}}
{{ include "p2pstream.fullname" . }}-manager
{{- end -}}

{{- define "p2pstream.serviceAccount" -}}
{{- if .Values.serviceAccount.name -}}
{{ .Values.serviceAccount.name }}
{{- else if .Values.serviceAccount.create -}}
{{ include "p2pstream.manager" . }}
{{- else -}}
{{ fail "serviceAccount.create is false: name the account to use in serviceAccount.name" }}
{{- end -}}
{{- end -}}

{{- define "p2pstream.image" -}}
{{ .Values.image.repository }}:{{ default .Chart.AppVersion .Values.image.tag }}{{ with .Values.image.digest }}@{{ . }}{{ end }}
{{- end -}}

{{- define "p2pstream.labels" -}}
app.kubernetes.io/name: p2pstream
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version | replace "+" "_" }}
{{- end -}}

{{/* These must not change during the life of a release: a Deployment's selector is immutable. */}}
{{- define "p2pstream.selector" -}}
app.kubernetes.io/name: p2pstream
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: manager
{{- end -}}
