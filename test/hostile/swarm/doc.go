// Package swarm attacks those who hold and play a stream, each a running program: a seeder, viewers, and the viewer's
// proxy. The attackers are peers on data channels, a tracker, an origin, and HTTP clients of the proxy. Each attack is a
// subtest that holds memory, log and processor to a bound, tells who must have been cut off, and lets viewers play on.
package swarm
