package main

import (
	"errors"
	"fmt"
)

// failure is an error with the next step for the user.
type failure struct {
	err  error
	next string
}

func (f *failure) Error() string { return f.err.Error() + "\n  next: " + f.next }
func (f *failure) Unwrap() error { return f.err }

// withNext adds the next step to an error. An error that has one keeps it: the innermost is the most specific.
func withNext(err error, format string, args ...any) error {
	var known *failure
	if err == nil || errors.As(err, &known) {
		return err
	}
	return &failure{err, fmt.Sprintf(format, args...)}
}
