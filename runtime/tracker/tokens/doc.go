// Package tokens checks the tokens that viewers present in order to get a stream's settings: JSON Web Tokens (RFC 7519),
// signed with keys that the operator of the stream configured. It reads no files and asks no server: keys are arguments.
package tokens
