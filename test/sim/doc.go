// Package sim plays sites with many viewers on a virtual clock, with the tracker's own routing (runtime/tracker/swarm) and a
// simple model of everything else. docs/simulation.md has its figures, and says what is modelled and what is not.
package sim
