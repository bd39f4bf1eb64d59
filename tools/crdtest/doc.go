// Package crdtest holds the generated CRD to what an API server would say of it: that it is
// accepted, that its rules are affordable, and that each refuses what it should in its own words.
// It lives in the tools module so that the product itself does not depend on the API server.
package crdtest
