package plan

import (
	"fmt"
	"strings"
)

// InvalidError means that a stream cannot be planned until its spec changes.
type InvalidError struct{ err error }

// Error names the field and what is wrong with it.
func (e *InvalidError) Error() string { return e.err.Error() }

// Unwrap returns the cause.
func (e *InvalidError) Unwrap() error { return e.err }

// specFields maps fields of the programs' configurations to the fields of the resource that they come from.
var specFields = map[string]string{
	"config.allowedOrigins":           "spec.tracker.allowedOrigins",
	"config.candidateRanges":          "spec.tracker.candidateRanges",
	"config.stream.sourceURL":         "spec.source.url",
	"config.stream.seederURL":         "spec.source.seederURL",
	"config.basePath":                 "spec.tracker.exposure.path",
	"config.stream.externalURL":       "spec.tracker.exposure.host",
	"config.stream.telemetryInterval": "spec.telemetry.interval",
	"config.source":                   "spec.source.seederURL",
	"config.advertise":                "spec.seeders.exposure.addresses",
	"config.maxPeers":                 "spec.seeders.maxPeers",
	"config.uplinkBps":                "spec.seeders.uplink",
	"config.superSeeding":             "spec.seeders.superSeeding",
	"config.cacheBytes":               "spec.seeders.cacheSize",
	"config.reportInterval":           "spec.telemetry.interval",
	"config.site":                     "spec.sites.list",
}

// invalidConfig names the field of the resource behind a validation error of a program's configuration. A program
// may be stricter than the rules of the resource, and its users know only the resource.
func invalidConfig(component string, err error) error {
	field, _, _ := strings.Cut(err.Error(), ":")
	name, index, indexed := strings.Cut(field, "[")
	spec, known := specFields[name]
	if !known {
		return &InvalidError{fmt.Errorf("making configuration of the %s: %w", component, err)}
	}
	if indexed {
		spec += "[" + index
	}
	return &InvalidError{fmt.Errorf("%s%s", spec, strings.TrimPrefix(err.Error(), field))}
}
