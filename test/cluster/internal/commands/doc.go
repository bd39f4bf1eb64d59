// Package commands is the command line of the cluster launcher: flags in, text or JSON out.
package commands
