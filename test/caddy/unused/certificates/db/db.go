// Package db has the name of an authority's database.
package db

// AuthDB is such a database.
type AuthDB any
