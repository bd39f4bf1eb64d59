package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/p2pstream/p2pstream/runtime/policies"
)

func policiesCommand() *cobra.Command {
	var origins, formats []string
	var tracker, name, folder string
	c := &cobra.Command{
		Use:   "policies",
		Short: "Write browser policies that let viewers of different subnets reach each other",
		Long: `Writes policies for Chrome and Edge that show local addresses to the pages of a
stream, and let these reach peers on the local network: WebRtcLocalIpsAllowedUrls,
LocalNetworkAllowedForUrls and LocalNetworkAccessAllowedForUrls. It needs no
network. Formats: chrome-json and edge-json for Linux, reg for Windows, and
mobileconfig for macOS. docs/policies.md says how to load them. A tracker writes
the same for its own allowed origins: GET /v1/policies?format=…`,
		Example: `  p2pstream policies --origin https://intranet.example.com --format reg > town-hall.reg
  p2pstream policies --origin https://intranet.example.com --tracker https://tracker.example.com \
    --name town-hall -o policies/`,
		RunE: func(c *cobra.Command, _ []string) error {
			files, err := policyFiles(name, origins, tracker, formats)
			if err != nil {
				return &usageError{err}
			}
			if folder == "" {
				if len(files) != 1 || len(formats) == 0 {
					return &usageError{errors.New("name one --format, or a folder for several files: -o DIR")}
				}
				if _, err := c.OutOrStdout().Write(files[0].Content); err != nil {
					return fmt.Errorf("writing the policies: %w", err)
				}
				return nil
			}
			return writePolicies(c, folder, files)
		},
	}
	f := c.Flags()
	f.StringArrayVar(&origins, "origin", nil, "origin of pages that play the stream, https://host; may be repeated")
	f.StringVar(&tracker, "tracker", "", "URL of the tracker, for the pages that it serves itself")
	f.StringVar(&name, "name", "p2pstream", "name of the stream or the deployment, in file names and identifiers of profiles")
	f.StringArrayVar(&formats, "format", nil, "chrome-json, edge-json, reg or mobileconfig (default with -o: all); may be repeated")
	f.StringVarP(&folder, "output", "o", "", "folder to write the files into (default: the standard output)")
	return c
}

// policyFiles makes the files of the named formats, or of all.
func policyFiles(name string, origins []string, tracker string, formats []string) (files []policies.File, err error) {
	if tracker != "" {
		own, err := policies.TrackerOrigin(tracker)
		if err != nil {
			return nil, fmt.Errorf("--tracker: %w", err)
		}
		origins = append(origins[:len(origins):len(origins)], own)
	}
	set, err := policies.New(name, origins)
	if err != nil {
		return nil, err
	}
	chosen := policies.Formats
	if len(formats) > 0 {
		chosen = nil
	}
	for _, text := range formats {
		format, err := policies.ParseFormat(text)
		if err != nil {
			return nil, fmt.Errorf("--format: %w", err)
		}
		chosen = append(chosen, format)
	}
	for _, format := range chosen {
		files = append(files, set.File(format))
	}
	return files, nil
}

// writePolicies writes files into a folder and says so.
func writePolicies(c *cobra.Command, folder string, files []policies.File) error {
	if err := os.MkdirAll(folder, 0o750); err != nil {
		return fmt.Errorf("making the folder of the policies: %w", err)
	}
	for _, file := range files {
		path := filepath.Join(folder, file.Name)
		if err := os.WriteFile(path, file.Content, 0o644); err != nil { //nolint:gosec // browsers of all users read policies
			return fmt.Errorf("writing the policies: %w", err)
		}
		if _, err := fmt.Fprintln(c.OutOrStdout(), path); err != nil {
			return fmt.Errorf("writing the names of the files: %w", err)
		}
	}
	return nil
}
