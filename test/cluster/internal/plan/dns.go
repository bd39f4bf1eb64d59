package plan

// DNSObjects are the Service of cluster DNS and the address behind it, by the API path to POST them to.
// CoreDNS runs beside the API server, so nothing selects it.
func (c Cluster) DNSObjects() map[string]string {
	const name = "kube-dns"
	labels := object{"kubernetes.io/service-name": name}
	ports := func(extra object) []object {
		var all []object
		for _, protocol := range []string{"UDP", "TCP"} {
			port := object{"name": map[string]string{"UDP": "dns", "TCP": "dns-tcp"}[protocol], "port": 53, "protocol": protocol}
			for k, v := range extra {
				port[k] = v
			}
			all = append(all, port)
		}
		return all
	}
	return map[string]string{
		"/api/v1/namespaces/kube-system/services": render(object{
			"apiVersion": "v1",
			"kind":       "Service",
			"metadata":   object{"name": name, "labels": object{"k8s-app": name}},
			"spec":       object{"clusterIP": DNSIP, "ports": ports(object{"targetPort": 53})},
		}),
		"/apis/discovery.k8s.io/v1/namespaces/kube-system/endpointslices": render(object{
			"apiVersion":  "discovery.k8s.io/v1",
			"kind":        "EndpointSlice",
			"metadata":    object{"name": name, "labels": labels},
			"addressType": "IPv4",
			"endpoints":   []object{{"addresses": []string{c.ControlPlaneIP()}, "conditions": object{"ready": true}}},
			"ports":       ports(nil),
		}),
	}
}
