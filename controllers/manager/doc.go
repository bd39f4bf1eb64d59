// Package manager is the operator as a program: its configuration, the cluster that it connects to, leader
// election, probes and metrics, around the loop of package controllers.
package manager
