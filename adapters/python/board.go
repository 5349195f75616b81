package python

import (
	"os"
	"sync/atomic"
	"unsafe"
)

// board is the memory that Go shares with the workers of a generation. What
// would be a message elsewhere, and two system calls, is a store here.
//
// For each lane it has the id of the request that the lane has begun, which
// only the worker writes, and whether the lane is to end, which only Go does.
// For each slot it has a byte that tells the worker that nobody waits for the
// request any more.
type board struct {
	file  *os.File
	lanes int
	bytes []byte
}

func newBoard(lanes, slots int) (*board, error) {
	file, bytes, err := shareMemory(lanes*16 + slots)
	if err != nil {
		return nil, err
	}
	return &board{file: file, lanes: lanes, bytes: bytes}, nil
}

func (b *board) word(i int) *uint64 { return (*uint64)(unsafe.Pointer(&b.bytes[i*8])) }

// begun is the id of the request that is in the lane, 0 for none.
func (b *board) begun(lane int) uint64 { return atomic.LoadUint64(b.word(lane * 2)) }

// clear makes a lane fit for another worker.
func (b *board) clear(lane int) {
	atomic.StoreUint64(b.word(lane*2), 0)
	atomic.StoreUint64(b.word(lane*2+1), 0)
}

// retire has the lane end when it looks next.
func (b *board) retire(lane int) { atomic.StoreUint64(b.word(lane*2+1), 1) }

// cancel says whether anybody waits for the request in a slot. It is one byte,
// of which the worker sees the old value or the new.
func (b *board) cancel(slot int, cancelled bool) {
	at := b.lanes*16 + slot
	word := (*uint32)(unsafe.Pointer(&b.bytes[at&^3]))
	mask := uint32(1)
	if littleEndian {
		mask <<= 8 * (at & 3)
	} else {
		mask <<= 8 * (3 - at&3)
	}
	if cancelled {
		atomic.OrUint32(word, mask)
	} else {
		atomic.AndUint32(word, ^mask)
	}
}

var littleEndian = func() bool {
	n := uint16(1)
	return *(*byte)(unsafe.Pointer(&n)) == 1
}()

// close gives the memory back. Nobody may use the board any more.
func (b *board) close() {
	b.file.Close()
	unmap(b.bytes)
}
