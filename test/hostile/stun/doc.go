// Package stun attacks a running STUN server, over UDP and TCP: whatever is sent to it, it must not become a means
// against others, nor stop answering those who ask as they should.
package stun
