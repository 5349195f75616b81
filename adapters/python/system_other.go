//go:build !linux

package python

import (
	"errors"
	"os"
	"os/exec"
)

// What workers are made of is Linux's: a pipe in packet mode as their queue.
// Elsewhere Start returns this error, and nothing else here is ever called.
var errSystem = errors.New("python: workers need Linux")

func packetPipe() (r, w *os.File, packets int, err error) { return nil, nil, 0, errSystem }
func shareMemory(size int) (*os.File, []byte, error)      { return nil, nil, errSystem }
func unmap([]byte)                                        {}
func socketPair() (ours, theirs *os.File, err error)      { return nil, nil, errSystem }
func wouldBlock(error) bool                               { return false }
func isolate(*exec.Cmd, *Config) error                    { return errSystem }
func signalGroup(pid, sig int)                            {}
func residentMemory(pid int) int64                        { return 0 }

const signalKill, signalDump = 9, 0

type receiver struct{}

func (*receiver) receive(uintptr, []byte) (int, *os.File, error) { return 0, nil, errSystem }

func queueEmpty(*os.File) bool { return false }

func tryWrite(*os.File, []byte) error { return errSystem }

func passDescriptors(uintptr, []byte, []*os.File) error { return errSystem }
