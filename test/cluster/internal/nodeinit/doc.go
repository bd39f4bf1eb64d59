// Package nodeinit is the first process of a node: born into mount and process namespaces of its own, it
// arranges what the node may see of the machine's files, then starts the node's programs, restarts those that
// end, and buries orphans. When it dies the kernel ends all that ever ran on the node and undoes its mounts.
package nodeinit
