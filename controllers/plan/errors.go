package plan

import (
	"fmt"
	"strings"
)

// InvalidError says that a stream cannot be planned until its spec changes.
type InvalidError struct{ err error }

// Error names the field and what is wrong with it.
func (e *InvalidError) Error() string { return e.err.Error() }

// Unwrap returns what was found.
func (e *InvalidError) Unwrap() error { return e.err }

// specFields are the fields of the resource behind those of the programs' configurations.
var specFields = map[string]string{
	"config.allowedOrigins":           "spec.tracker.allowedOrigins",
	"config.stream.sourceURL":         "spec.source.url",
	"config.stream.seederURL":         "spec.source.seederURL",
	"config.stream.externalURL":       "spec.tracker.exposure.host",
	"config.stream.telemetryInterval": "spec.telemetry.interval",
	"config.source":                   "spec.source.seederURL",
	"config.advertise":                "spec.seeders.exposure.addresses",
	"config.maxPeers":                 "spec.seeders.maxPeers",
	"config.uplinkBps":                "spec.seeders.uplink",
	"config.cacheBytes":               "spec.seeders.cacheSize",
	"config.reportInterval":           "spec.telemetry.interval",
}

// invalidConfig says of a configuration that does not validate which field of the stream it came from. A
// program may be stricter than the rules of the resource; people who wrote the resource have never seen
// its configuration.
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
