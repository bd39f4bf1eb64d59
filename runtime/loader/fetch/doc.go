// Package fetch reads segments from the origin: it continues unfinished ones, judges errors, and compares segments of
// peers with the origin's own bytes.
package fetch
