package main

import (
	"fmt"
	"strings"
)

const (
	crdHead = `{{- /* Made from config/crd by tools/chartsync: change api/v1 instead, then run make generate. */}}
{{- if .Values.crds.enabled }}
`
	crdKeep = `  annotations:
    {{- if .Values.crds.keep }}
    helm.sh/resource-policy: keep
    {{- end }}
`
	crdLabels = `  labels:
    {{- include "p2pstream.labels" . | nindent 4 }}
`
	crdFoot = "{{- end }}\n"
)

// crdTemplate makes a template of the CRD of a resource as controller-gen writes it. Charts have a folder for CRDs,
// but Helm never upgrades what is in there.
func crdTemplate(resource, crd string) ([]byte, error) {
	name := "  name: " + resource + ".p2pstream.dev\n"
	crd = strings.TrimPrefix(crd, "---\n")
	// Braces in a description are text, not a template.
	crd = strings.ReplaceAll(crd, "{{", `{{ "{{" }}`)
	for _, change := range [][2]string{
		{"\nmetadata:\n  annotations:\n", "\nmetadata:\n" + crdKeep},
		{"\n" + name, "\n" + crdLabels + name},
	} {
		if n := strings.Count(crd, change[0]); n != 1 {
			return nil, fmt.Errorf("%q occurs %d times, want once", change[0], n)
		}
		crd = strings.Replace(crd, change[0], change[1], 1)
	}
	if !strings.HasSuffix(crd, "\n") {
		crd += "\n"
	}
	return []byte(crdHead + crd + crdFoot), nil
}
