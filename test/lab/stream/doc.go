// Package stream runs all programs of one stream as processes: origin, STUN server, tracker and seeder, on free ports of
// the loopback interface.
package stream
