package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// withConfig adds --config, which reads a command's struct from a JSON file. Flags
// on the command line override the file.
func withConfig[T any](c *cobra.Command, cfg *T) {
	var file string
	c.Flags().StringVar(&file, "config", "", "JSON file with the configuration; flags override it")
	c.PreRunE = func(c *cobra.Command, _ []string) error {
		if file == "" {
			return nil
		}
		given := map[string]string{}
		lists := map[string][]string{}
		c.Flags().Visit(func(f *pflag.Flag) {
			if l, ok := f.Value.(pflag.SliceValue); ok {
				lists[f.Name] = append([]string(nil), l.GetSlice()...)
				return
			}
			given[f.Name] = f.Value.String()
		})
		if err := readConfig(file, cfg); err != nil {
			return &usageError{err}
		}
		for name, v := range given {
			if err := c.Flags().Lookup(name).Value.Set(v); err != nil {
				return &usageError{fmt.Errorf("setting --%s: %w", name, err)}
			}
		}
		for name, v := range lists {
			if err := c.Flags().Lookup(name).Value.(pflag.SliceValue).Replace(v); err != nil {
				return &usageError{fmt.Errorf("setting --%s: %w", name, err)}
			}
		}
		return nil
	}
}

func readConfig[T any](file string, cfg *T) error {
	b, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("reading --config: %w", err)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(cfg); err != nil {
		return fmt.Errorf("reading --config %s: %w", file, err)
	}
	return nil
}
