//go:build unix

package main

import "syscall"

// setUmask sets what the permissions of new files and sockets lack.
func setUmask(mask int) error {
	syscall.Umask(mask)
	return nil
}
