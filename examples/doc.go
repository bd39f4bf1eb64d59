// Package examples holds programs that embed the loader engine: a seeder, a viewer and a proxy for players. Each needs
// nothing but the packages below runtime, which programs of other modules can import as well. Its test runs all three.
package examples
