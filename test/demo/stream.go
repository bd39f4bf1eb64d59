package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"

	"sigs.k8s.io/yaml"

	v1 "github.com/p2pstream/p2pstream/api/v1"
)

// change is one field of a manifest that the demo changes.
type change struct{ field, was, is string }

func (c change) String() string { return fmt.Sprintf("%s: %s (was %s)", c.field, c.is, c.was) }

// ownStream is a scene of the user's own stream alone, in a namespace of the demo. It is exposed by node ports, because offices can
// reach the nodes.
func ownStream(manifest []byte, namespace string) (*scene, error) {
	stream, err := v1.Load(bytes.NewReader(manifest))
	if err != nil {
		return nil, err
	}
	s := &scene{streams: []*v1.P2PStream{stream}}
	note := func(field string, was, is any) {
		if !reflect.DeepEqual(was, is) {
			s.changes = append(s.changes, change{field, compact(was), compact(is)})
		}
	}
	note("metadata.namespace", stream.Namespace, namespace)
	stream.Namespace = namespace
	if ref := stream.Spec.NetworkRef; ref != nil && ref.Name != "" {
		note("spec.networkRef", ref, "")
		stream.Spec.NetworkRef = nil
	}
	exposeToOffices(&stream.Spec, note)
	return s, nil
}

// exposeToOffices exposes tracker, STUN server and seeders on ports of the nodes. A program that has node
// ports already keeps them, without host names and addresses, which are valid in the user's own network only.
func exposeToOffices(spec *v1.P2PStreamSpec, note func(field string, was, is any)) {
	if spec.Tracker == nil {
		spec.Tracker = &v1.TrackerSpec{}
	}
	tracker := spec.Tracker.Exposure.DeepCopy()
	if tracker == nil || tracker.Type != v1.ExposureNodePort {
		tracker = &v1.TrackerExposure{Type: v1.ExposureNodePort}
	}
	tracker.Host, tracker.Addresses = "", nil
	note("spec.tracker.exposure", spec.Tracker.Exposure, tracker)
	spec.Tracker.Exposure = tracker

	if spec.STUN == nil {
		spec.STUN = &v1.STUNSpec{}
	}
	stun := spec.STUN.Exposure.DeepCopy()
	if stun == nil || stun.Type != v1.ExposureNodePort {
		stun = &v1.STUNExposure{Type: v1.ExposureNodePort}
	}
	stun.Host, stun.Addresses = "", nil
	note("spec.stun.exposure", spec.STUN.Exposure, stun)
	spec.STUN.Exposure = stun

	if spec.Seeders == nil {
		spec.Seeders = &v1.SeedersSpec{}
	}
	seeders := spec.Seeders.Exposure.DeepCopy()
	if seeders == nil || seeders.Type != v1.ExposureNodePort {
		seeders = &v1.SeederExposure{Type: v1.ExposureNodePort}
	}
	seeders.Addresses = nil
	note("spec.seeders.exposure", spec.Seeders.Exposure, seeders)
	spec.Seeders.Exposure = seeders
}

// compact prints a value as one line of JSON, and a string as it is.
func compact(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	var text string
	if json.Unmarshal(raw, &text) == nil {
		if text == "" {
			return "empty"
		}
		return text
	}
	return string(raw)
}

// specObject is a stream or a network as an object without status, which only the operator writes.
func specObject(of any) (object, error) {
	raw, err := yaml.Marshal(of)
	if err != nil {
		return nil, fmt.Errorf("encoding the manifest: %w", err)
	}
	var o object
	if err := yaml.Unmarshal(raw, &o); err != nil {
		return nil, fmt.Errorf("encoding the manifest: %w", err)
	}
	delete(o, "status")
	return o, nil
}
