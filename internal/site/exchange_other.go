//go:build !linux

package site

import "errors"

// exchange needs a system call that only Linux has.
func exchange(_, _ string) error { return errors.ErrUnsupported }
