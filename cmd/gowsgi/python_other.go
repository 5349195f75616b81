//go:build !unix

package main

import "os"

var poolSignals []os.Signal

func poolAction(os.Signal) int { return actionNone }
