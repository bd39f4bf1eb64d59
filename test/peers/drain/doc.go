// Package drain sends SIGTERM to running programs while viewers watch: each withdraws, goes on serving for as long as it is
// needed, ends with exit code 0, and no viewer notices.
package drain
