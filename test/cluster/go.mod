module github.com/p2pstream/p2pstream/test/cluster

go 1.26.0

require (
	github.com/google/go-cmp v0.7.0
	github.com/p2pstream/p2pstream/tools/oci v0.0.0
	github.com/spf13/cobra v1.10.2
	golang.org/x/sys v0.48.0
)

require (
	github.com/inconshreveable/mousetrap v1.1.0 // indirect
	github.com/spf13/pflag v1.0.10 // indirect
)

replace github.com/p2pstream/p2pstream/tools/oci => ../../tools/oci
