// Package host does things to the machine: commands in network namespaces, processes that are known for sure,
// mounts, cgroups and Debian packages. It decides nothing; plan does.
package host
