// Package autoexport has the names by which Caddy makes exporters of OpenTelemetry, and no exporter: the proxy of the tests sends
// no telemetry. The real one brings gRPC and all of its protocols.
package autoexport

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/trace"
)

// ErrAbsent is what everything here answers.
var ErrAbsent = errors.New("this Caddy is built without exporters of telemetry")

// NewSpanExporter makes no exporter.
func NewSpanExporter(context.Context) (trace.SpanExporter, error) { return nil, ErrAbsent }

// NewMetricReader makes no reader.
func NewMetricReader(context.Context) (metric.Reader, error) { return nil, ErrAbsent }

// WithFallbackMetricProducer is of no use without a reader.
func WithFallbackMetricProducer(func(context.Context) (metric.Producer, error)) {}
