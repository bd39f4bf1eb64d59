// Command image makes the container image of p2pstream without a container engine: it puts a static
// binary, the public root certificates and an unprivileged user into an OCI archive. The same input
// gives the same bytes.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/p2pstream/p2pstream/tools/oci"
)

// Exit codes, the same as those of the other programs.
const (
	exitFailure = 1
	exitUsage   = 2
)

const usage = `image puts a static p2pstream binary into an OCI image, without Docker.

usage: image --binary FILE --tag HOST/NAME:TAG --out FILE [--platform linux/ARCH] [--version V]
       image --binary FILE --rootfs DIR

Example:
  CGO_ENABLED=0 go build -trimpath -o bin/p2pstream ./cmd/p2pstream
  image --binary bin/p2pstream --tag localhost/p2pstream:dev --out bin/p2pstream.oci.tar

The archive can be given to any of:
  ctr -n k8s.io images import FILE
  docker load -i FILE
  podman load -i FILE
  skopeo copy oci-archive:FILE docker://registry.example.com/p2pstream:v1

Flags:
`

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

func run(args []string, stdout, stderr io.Writer) int {
	opts, err := parse(args, stdout)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		say(stderr, "image: %v\nimage: run with --help for the flags and an example\n", err)
		return exitUsage
	}
	line, err := build(opts)
	if err != nil {
		say(stderr, "image: %v\n", err)
		return exitFailure
	}
	say(stdout, "%s\n", line)
	return 0
}

// say writes a message. An error of a closed terminal has no reader.
func say(w io.Writer, format string, args ...any) { _, _ = fmt.Fprintf(w, format, args...) }

type options struct {
	binary, tag, out, rootfs string
	platform, version        string
}

func parse(args []string, help io.Writer) (options, error) {
	var o options
	flags := flag.NewFlagSet("image", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&o.binary, "binary", "", "static Linux `FILE` to run as /p2pstream")
	flags.StringVar(&o.tag, "tag", "", "full `NAME` of the image: host, name and tag, as in localhost/p2pstream:dev")
	flags.StringVar(&o.out, "out", "", "`FILE` to write the OCI archive to")
	flags.StringVar(&o.rootfs, "rootfs", "", "instead of --tag and --out: `DIR` to write the image's files to")
	flags.StringVar(&o.platform, "platform", "", "refuse a binary for another `PLATFORM`: linux/amd64 or linux/arm64 (default: the binary's own)")
	flags.StringVar(&o.version, "version", "", "`VERSION` for the image's labels")
	err := flags.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		say(help, "%s", usage)
		flags.SetOutput(help)
		flags.PrintDefaults()
		return o, flag.ErrHelp
	}
	if err != nil {
		return o, fmt.Errorf("reading flags: %w", err)
	}
	switch {
	case flags.NArg() > 0:
		return o, fmt.Errorf("only flags are accepted, got %q", flags.Arg(0))
	case o.binary == "":
		return o, errors.New("--binary is missing; give the file that CGO_ENABLED=0 go build made")
	case o.rootfs != "" && (o.tag != "" || o.out != ""):
		return o, errors.New("--rootfs replaces --tag and --out; give either")
	case o.rootfs == "" && (o.tag == "" || o.out == ""):
		return o, errors.New("--tag and --out are needed, such as --tag localhost/p2pstream:dev --out bin/p2pstream.oci.tar")
	}
	switch o.platform {
	case "", "amd64", "arm64", "linux/amd64", "linux/arm64":
	default:
		return o, fmt.Errorf("--platform %q is not known; images are made for linux/amd64 and linux/arm64", o.platform)
	}
	return o, nil
}

// build returns the line that says what was made.
func build(o options) (string, error) {
	arch, err := checkBinary(o.binary, o.platform)
	if err != nil {
		return "", err
	}
	base, err := baseFiles()
	if err != nil {
		return "", err
	}
	program, err := programFile(o.binary)
	if err != nil {
		return "", err
	}
	if o.rootfs != "" {
		if err := writeTree(o.rootfs, append(base, program)); err != nil {
			return "", err
		}
		return fmt.Sprintf("%s: files of the linux/%s image", o.rootfs, arch), nil
	}
	tag, err := parseTag(o.tag)
	if err != nil {
		return "", err
	}
	digest, err := oci.Write(o.out, tag.Name(), assemble(arch, o.version, base, []oci.File{program}))
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s: %s linux/%s %s", o.out, tag, arch, digest), nil
}
