//go:build !unix

package main

import "os"

var logSignals, certSignals, poolSignals []os.Signal

func asked(os.Signal) int { return actionNone }
