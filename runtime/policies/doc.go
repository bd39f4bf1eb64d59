// Package policies writes files that make browsers show local addresses to the pages of a stream, and let these reach peers
// on the local network: for Chrome, Edge and browsers like them, on Linux (JSON), Windows (.reg) and macOS (.mobileconfig).
// The origins of the pages are all that goes in, so that equal origins give equal files.
//
// It sets three policies, each a list of origins. Sources: Chromium's policy definitions
// (components/policy/resources/templates/policy_definitions) and Microsoft's list of Edge policies
// (learn.microsoft.com/deployedge/microsoft-edge-policies); docs/policies.md says what each does.
package policies
