// Package firststream runs the commands of docs/first-stream.md: it reads them from the page itself, in their order, and compares
// what they print with what the page shows. It is no copy of them, so the page cannot promise what does not work.
package firststream
