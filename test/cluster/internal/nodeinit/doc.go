// Package nodeinit is the first process of a node: it starts in mount and process namespaces of its own,
// arranges what the node sees of the machine's files, starts the node's programs, restarts those that end, and
// reaps orphans. When it ends, the kernel kills everything that runs on the node and undoes its mounts.
package nodeinit
