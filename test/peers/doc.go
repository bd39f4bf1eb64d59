// Package peers tests the programs together, without a browser: the real
// origin, tracker, STUN server, seeders and viewers on the loopback interface.
package peers
