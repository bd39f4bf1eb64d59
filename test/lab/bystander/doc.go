// Package bystander is what attacks on running programs are measured by: viewers who watch the stream and pairs of peers
// who meet through the tracker while an attack runs, and must not notice it; and the memory, log and CPU that an attack
// may cost the program.
package bystander
