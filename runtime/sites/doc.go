// Package sites says which site a client's address belongs to. A site is a place whose line to the outside is to be spared,
// given as a list of IP prefixes. The package is pure: it reads bytes and addresses, and has no clock, network or files.
package sites
