// Package samples owns what a soak writes down while it runs: one row of
// figures for each program and moment, and one line for each thing that was
// done to them, as CSV files that can be judged and drawn at any time later.
package samples
