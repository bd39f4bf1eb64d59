// Package seeder is the program that holds a stream's segments ahead of the
// audience and uploads them: a thin user of package loader.
package seeder
