//go:build !unix

package main

import "os"

var logSignals, poolSignals []os.Signal

func asked(os.Signal) int { return actionNone }
