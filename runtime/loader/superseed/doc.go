// Package superseed decides, for each viewer that is connected to a seeder, which live segments are held back from it
// because another viewer of its group brings them. The rules are those of package schedule (Spread, Start); this package
// keeps what they need to know from one event to the next, so that an event costs what it changes and not segments ×
// viewers. It has no clock: time is an argument, and must not go back.
//
// A group is the viewers that can give each other segments: those of a site, in one swarm. docs/super-seeding.md has the
// whole.
package superseed
