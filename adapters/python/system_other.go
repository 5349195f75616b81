//go:build !linux

package python

import (
	"errors"
	"os"
	"os/exec"
)

// What workers are made of is Linux's: descriptors that pass over sockets, memory
// without a name, signals at the end of a parent.
// Elsewhere Start returns this error, and nothing else here is ever called.
var errSystem = errors.New("python: workers need Linux")

func queuePipe() (r, w *os.File, err error)                  { return nil, nil, errSystem }
func replyPipe() (r, w *os.File, err error)                  { return nil, nil, errSystem }
func shareMemory(needed, size int) (*os.File, []byte, error) { return nil, nil, errSystem }
func reserve(*os.File, int64, int64) error                   { return errSystem }
func mapFile(*os.File, int) ([]byte, error)                  { return nil, errSystem }
func cannotShrink(*os.File) bool                             { return false }
func unmap([]byte)                                           {}
func socketPair() (ours, theirs *os.File, err error)         { return nil, nil, errSystem }
func wouldBlock(error) bool                                  { return false }
func isolate(*exec.Cmd, *Config) error                       { return errSystem }
func signalGroup(pid, sig int)                               {}
func residentMemory(pid int) int64                           { return 0 }

const signalKill, signalDump = 9, 0

type receiver struct{}

func (*receiver) receive(uintptr, []byte) (int, *os.File, error) { return 0, nil, errSystem }

func pipeEmpty(*os.File) bool { return false }

func readPipe(uintptr, []byte) (int, error) { return 0, errSystem }

func tryWrite(*os.File, []byte) error { return errSystem }

func passDescriptors(uintptr, []byte, []*os.File) error { return errSystem }
