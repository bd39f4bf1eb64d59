// Package prose holds the repository's text to plain English and its packages and functions to names that explain
// themselves. It reads messages in Go code (string literals outside of tests), comments, documents, the chart, manifests,
// scripts and the web sources. The phrases are in phrases.txt, the names in names.go; both apply to every folder.
package prose
