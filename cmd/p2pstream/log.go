package main

import (
	"fmt"
	"io"
	"log"
	"log/slog"

	"github.com/spf13/pflag"
)

// logFlags configure the log on standard error.
type logFlags struct{ format, level string }

func (f *logFlags) register(flags *pflag.FlagSet) {
	flags.StringVar(&f.format, "log-format", "text", "log format: text or json")
	flags.StringVar(&f.level, "log-level", "info", "log level: debug, info, warn or error")
}

func (f *logFlags) logger(w io.Writer) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(f.level)); err != nil {
		return nil, &usageError{fmt.Errorf("--log-level: %q is unknown; use debug, info, warn or error", f.level)}
	}
	options := &slog.HandlerOptions{Level: level}
	var handler slog.Handler
	switch f.format {
	case "text":
		handler = slog.NewTextHandler(w, options)
	case "json":
		handler = slog.NewJSONHandler(w, options)
	default:
		return nil, &usageError{fmt.Errorf("--log-format: %q is unknown; use text or json", f.format)}
	}
	// Libraries that use package log may quote any amount of what clients sent, so their lines have level debug.
	log.SetFlags(0)
	log.SetOutput(slog.NewLogLogger(handler, slog.LevelDebug).Writer())
	return slog.New(handler), nil
}
