// Package drain sends SIGTERM to running programs while viewers watch: each withdraws, serves on for as long as
// somebody needs it, and ends with exit code 0, and nobody in the audience notices.
package drain
