// Package stun attacks a running STUN server, over UDP and TCP: it must neither become a means to attack others, nor stop
// answering ordinary requests.
package stun
