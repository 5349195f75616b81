package python

import (
	"encoding/binary"
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
// request any more, and two areas: one for the request, and one for a response
// that is small. And each lane has a window, into which Go reads the parts of a
// body that are asked for.
type board struct {
	file    *os.File
	lanes   int
	areas   int // where they begin
	windows int
	bytes   []byte
}

const (
	laneSize     = 64 // a cache line, or the workers would take it from each other
	requestSize  = 4096
	responseSize = 8192
	slotSize     = requestSize + responseSize
	windowSize   = largestFrame
	pageSize     = 4096 // to which the areas are aligned
)

// newBoard takes the memory of all but the windows, which is 3 MiB at the least,
// at once: what is missing later ends the process that touches it.
func newBoard(lanes, slots int) (*board, error) {
	areas := (lanes*laneSize + slots + pageSize - 1) / pageSize * pageSize
	windows := areas + slots*slotSize
	file, bytes, err := shareMemory(windows, windows+lanes*windowSize)
	if err != nil {
		return nil, err
	}
	return &board{file: file, lanes: lanes, areas: areas, windows: windows, bytes: bytes}, nil
}

// window returns the window of a lane; nil when there is no memory for it.
func (b *board) window(lane int) []byte {
	at := b.windows + lane*windowSize
	if reserve(b.file, int64(at), windowSize) != nil {
		return nil
	}
	return b.bytes[at : at+windowSize : at+windowSize]
}

// request puts a packet, which begins with the id, into the area of a slot. A
// worker that was stopped with an earlier id in its hand, and given up, finds that
// out by the id, which is there only while all the rest is.
func (b *board) request(slot int, packet []byte) {
	at := b.areas + slot*slotSize
	id := b.word(at / 8)
	atomic.StoreUint64(id, 0)
	copy(b.bytes[at+8:at+requestSize], packet[8:])
	atomic.StoreUint64(id, binary.LittleEndian.Uint64(packet))
}

// response is the area for the response to the request in a slot.
func (b *board) response(slot int) []byte {
	at := b.areas + slot*slotSize + requestSize
	return b.bytes[at : at+responseSize : at+responseSize]
}

func (b *board) word(i int) *uint64 { return (*uint64)(unsafe.Pointer(&b.bytes[i*8])) }

// begun is the id of the request that is in the lane, 0 for none.
func (b *board) begun(lane int) uint64 { return atomic.LoadUint64(b.word(lane * laneSize / 8)) }

// clear makes a lane fit for another worker.
func (b *board) clear(lane int) {
	atomic.StoreUint64(b.word(lane*laneSize/8), 0)
	atomic.StoreUint64(b.word(lane*laneSize/8+1), 0)
}

// retire has the lane end when it looks next.
func (b *board) retire(lane int) { atomic.StoreUint64(b.word(lane*laneSize/8+1), 1) }

// cancel says whether anybody waits for the request in a slot. It is one byte,
// of which the worker sees the old value or the new.
func (b *board) cancel(slot int, cancelled bool) {
	at := b.lanes*laneSize + slot
	word := (*uint32)(unsafe.Pointer(&b.bytes[at&^3]))
	mask := uint32(1)
	if littleEndian {
		mask <<= 8 * (at & 3)
	} else {
		mask <<= 8 * (3 - at&3)
	}
	switch was := atomic.LoadUint32(word)&mask != 0; {
	case cancelled && !was:
		atomic.OrUint32(word, mask)
	case !cancelled && was: // rarely: the workers have the line in their caches
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
