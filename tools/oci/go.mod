module github.com/p2pstream/p2pstream/tools/oci

go 1.26.0
