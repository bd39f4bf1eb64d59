// Package crdtest tests the generated CRD with the API server's own code: the CRD is accepted, its rules
// are within the cost limit, and each rule refuses what it should, with its own message. The package is in
// the tools module so that the product itself does not depend on the API server.
package crdtest
