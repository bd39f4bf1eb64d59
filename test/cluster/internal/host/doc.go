// Package host changes the machine: it runs commands in network namespaces, ends processes, and handles mounts,
// cgroups and Debian packages. What to change is decided by package plan.
package host
