//go:build !unix

package main

import "errors"

func setUmask(int) error { return errors.New("--umask is for Unix") }
