package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"

	"sigs.k8s.io/yaml"

	v1 "github.com/p2pstream/p2pstream/api/v1"
)

// change is one field of a stream's manifest that the demo changes.
type change struct{ field, was, is string }

func (c change) String() string { return fmt.Sprintf("%s: %s (was %s)", c.field, c.is, c.was) }

// prepareStream adapts a manifest to the demo and returns the changes: source and namespace, where given,
// and exposure by node ports, because offices can reach the nodes.
func prepareStream(manifest []byte, namespace, sourceURL string) (*v1.P2PStream, []change, error) {
	stream, err := v1.Load(bytes.NewReader(manifest))
	if err != nil {
		return nil, nil, err
	}
	var changes []change
	note := func(field string, was, is any) {
		if !reflect.DeepEqual(was, is) {
			changes = append(changes, change{field, compact(was), compact(is)})
		}
	}
	if namespace != "" {
		note("metadata.namespace", stream.Namespace, namespace)
		stream.Namespace = namespace
	}
	if sourceURL != "" {
		note("spec.source.url", stream.Spec.Source.URL, v1.URL(sourceURL))
		stream.Spec.Source.URL = v1.URL(sourceURL)
		note("spec.source.seederURL", stream.Spec.Source.SeederURL, v1.URL(""))
		stream.Spec.Source.SeederURL = ""
	}

	exposeToOffices(&stream.Spec, note)
	return stream, changes, nil
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

// streamObject is the stream as an object without status, which only the operator writes.
func streamObject(stream *v1.P2PStream) (object, error) {
	raw, err := yaml.Marshal(stream)
	if err != nil {
		return nil, fmt.Errorf("encoding the stream: %w", err)
	}
	var o object
	if err := yaml.Unmarshal(raw, &o); err != nil {
		return nil, fmt.Errorf("encoding the stream: %w", err)
	}
	delete(o, "status")
	return o, nil
}
