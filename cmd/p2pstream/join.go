package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/p2pstream/p2pstream/internal/validate"
	"github.com/p2pstream/p2pstream/runtime/tracker/joins"
)

func joinCommand() *cobra.Command {
	c := &cobra.Command{
		Use:     "join",
		Short:   "Make join files for seeders outside of the cluster, without a network or a cluster",
		Example: "  p2pstream join create --help",
	}
	c.AddCommand(joinCreateCommand())
	return c
}

// defaultLifetime of a join file.
const defaultLifetime = 90 * 24 * time.Hour

// joinOptions are what a join file is made of.
type joinOptions struct {
	file      joins.File
	tokenFile string
	output    string
	lifetime  time.Duration
}

func joinCreateCommand() *cobra.Command {
	o := joinOptions{lifetime: defaultLifetime}
	c := &cobra.Command{
		Use:   "create",
		Short: "Write a file with which a seeder outside of the cluster joins a stream, for one site",
		Long: `Writes a file with which a seeder outside of the cluster joins a stream: the
tracker's URL, the stream, a site of the tracker's map, and a credential for that
site. The credential is made from the seeder token, and ends with its lifetime, when
the token is rotated, or when its id is added to sites.list.revoked. One file is for
one seeder. It is a secret.`,
		Example: `  kubectl get secret town-hall-seeder-token -o jsonpath='{.data.token}' | base64 -d > seeder.token
  p2pstream join create --site Berlin --token-file seeder.token \
    --tracker wss://tracker.example.com/announce \
    --source https://origin.example.com/town-hall/master.m3u8 -o berlin.join.json
  p2pstream seeder --join berlin.join.json      # on a machine in Berlin`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error { return o.run(c) },
	}
	f := c.Flags()
	f.StringVar(&o.file.Site, "site", "", "name of the site, as in the tracker's map")
	f.StringVar(&o.tokenFile, "token-file", "", "file with the stream's seeder token in its first line")
	f.StringArrayVar(&o.file.Trackers, "tracker", nil, "announce URL of the tracker as the site reaches it, wss:// or ws://; may be repeated")
	f.StringVar(&o.file.Source, "source", "", "manifest URL")
	f.StringVar(&o.file.SwarmID, "swarm-id", "", "swarm name, if the tracker has one set")
	f.StringArrayVar(&o.file.STUN, "stun", nil, "STUN server, stun:host:port; may be repeated")
	f.DurationVar(&o.lifetime, "lifetime", o.lifetime, "how long the file is valid")
	f.StringVarP(&o.output, "output", "o", "", "file to write, which must not exist (default: the standard output)")
	return c
}

func (o *joinOptions) run(c *cobra.Command) error {
	switch {
	case o.file.Site == "":
		return &usageError{errors.New("set --site to the name of a site in the tracker's map")}
	case o.tokenFile == "":
		return &usageError{errors.New("set --token-file to a file with the seeder token")}
	case len(o.file.Trackers) == 0:
		return &usageError{errors.New("set --tracker to the announce URL of the tracker")}
	}
	if err := validate.First(
		validate.HTTP("--source", o.file.Source),
		validate.Each("--tracker", o.file.Trackers, validate.WebSocket),
		validate.Each("--stun", o.file.STUN, validate.STUN),
	); err != nil {
		return &usageError{err}
	}
	b, err := os.ReadFile(o.tokenFile)
	if err != nil {
		return fmt.Errorf("reading --token-file: %w", err)
	}
	token, _, _ := strings.Cut(string(b), "\n")
	text, credential, err := joins.Issue(strings.TrimSpace(token), o.file.Site, o.lifetime, time.Now(), rand.Reader)
	if err != nil {
		return err
	}
	o.file.Credential, o.file.ID, o.file.Expires = text, credential.ID, credential.Expires.UTC()
	out, err := o.file.Encode()
	if err != nil {
		return err
	}
	if o.output == "" {
		if _, err = c.OutOrStdout().Write(out); err != nil {
			return fmt.Errorf("writing join file: %w", err)
		}
		return nil
	}
	f, err := os.OpenFile(o.output, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("creating join file: %w", err)
	}
	_, err = f.Write(out)
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("writing join file: %w", err)
	}
	return nil
}
