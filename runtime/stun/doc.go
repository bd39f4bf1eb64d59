// Package stun owns the STUN server of a stream: it answers Binding requests
// (RFC 8489) over UDP and TCP on one port, so that viewers learn the address
// under which other peers can reach them, and does nothing else. It also holds
// Probe, the client that readiness checks and diagnostics use.
//
// An open STUN server reflects packets to a forged source address, so an answer
// is never more than MaxGrowth bytes longer than its request, requests of one
// source are limited by a token bucket, and everything that is not a
// well-formed Binding request is dropped without an answer.
package stun
