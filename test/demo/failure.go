package main

import (
	"errors"
	"fmt"
)

// failure is an error with what to do about it.
type failure struct {
	err  error
	next string
}

func (f *failure) Error() string { return f.err.Error() + "\n  next: " + f.next }
func (f *failure) Unwrap() error { return f.err }

// withNext says what to do next. The innermost advice is the nearest to the cause, so it stays.
func withNext(err error, format string, args ...any) error {
	var known *failure
	if err == nil || errors.As(err, &known) {
		return err
	}
	return &failure{err, fmt.Sprintf(format, args...)}
}
