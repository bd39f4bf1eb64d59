// Package origins runs the programs together on origins that do what origins in the field do, one kind each: an origin, a
// tracker, a seeder, and three viewers that compare every segment with the origin's. A kind ends in right bytes that
// come from peers, or in a clear reason in the tracker's statistics with P2P off.
package origins
