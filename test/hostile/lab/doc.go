// Package lab owns what attacks on running programs need: the real binary, started as processes on free ports of the
// loopback interface; their memory, CPU, descriptors, log and metrics, read from outside; and the bystanders, viewers
// and announcing peers who live through the attack and must not notice it.
package lab
