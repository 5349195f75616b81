"""Serves a WSGI application for the Go process that started this one.

All workers of a generation read one queue, of the numbers of requests: who is free
takes the next. The board, which is shared memory, has the request itself, room for
a response that is small, which request a lane has begun, and which nobody waits for
any more. Each thread has a lane of its own, a socket on which all other answers go
back. Package adapters/python of gowsgi has the other half of this file, and doc.go
there describes what passes between them.

This file uses the standard library only, and runs on CPython 3.8 to 3.14.
"""
import array
import ast
import errno
import fcntl
import faulthandler
import gc
import importlib
import importlib.machinery
import importlib.util
import io
import json
import mmap
import os
import re
import signal
import socket
import stat
import struct
import sys
import threading
import traceback
from time import monotonic, sleep

# The descriptors that a process is started with; the lanes follow.
CONTROL, QUEUE, BOARD, REPLIES, LANES = 4, 5, 6, 7, 8

TOKEN = struct.Struct("<Q")  # on the queue, and for a response that is on the board: an id
PACKET = struct.Struct("<QIIHH")  # id, bytes of keys, of values, flags, bytes of the body
FRAME = struct.Struct("<IIQHH")  # bytes after it, of them head, id, type, flags
REPLY = struct.Struct("<II")  # bytes after it, type
PLACE = struct.Struct("<II")  # lane, tray
PAGE, REQUEST, ROOM = 4096, 4096, 8192  # bytes; the latter two on the board, for a request and for its response
SLOT, LANE = REQUEST + ROOM, 64

INLINE, REMOTE, LARGE, HINTED = 1, 2, 4, 8  # flags of a packet
RESPONSE, DATA, END, ERROR, LOG, READ, HINTS, FILE, WANT, MEMORY = range(1, 11)  # types of a frame
LAST, AGAIN, CHECK, COMMIT, SINGLE, KEPT, TRAY = 1, 2, 4, 8, 16, 32, 64  # flags of a frame
OK, EOF, REFUSED, WINDOW = range(4)  # types of a reply

BIGGEST = 256 << 10  # bytes of a frame: what Go has buffers for
JOINED = 16 << 10  # up to here a copy is cheaper than a second piece, or a tray
SPILLED = 256 << 10  # from here on a file in memory is cheaper than the lane

TRAYS = 16  # of BIGGEST bytes each
MOMENT, PAUSE = 0.01, 0.0005  # seconds
VARARGS = 4  # of a function with *args, co_flags
LEFT = [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1]
ADD_SEALS, SEAL_SHRINK = 1033, 2  # of fcntl, which has names for them from Python 3.9 on

pack_frame = FRAME.pack
unpack_packet = PACKET.unpack_from
unpack_token = TOKEN.unpack
# Taken before the application is imported, which may put others in their place.
os_read, os_write, make_socket = os.read, os.write, socket.socket


class ContractError(AssertionError):
    """The application, or its server, broke a rule of PEP 3333."""


class InputError(OSError):
    """The body of the request cannot be read to its end."""


class Disconnected(ConnectionAbortedError):
    """Nobody waits for this response any more."""


def adopt(fd):
    """A socket of a descriptor. What an application sets by socket.setdefaulttimeout
    is not meant for it, and would have it, and the descriptor, not wait at all."""
    adopted = make_socket(socket.AF_UNIX, socket.SOCK_STREAM, 0, fd)
    adopted.setblocking(True)
    return adopted


class Board:
    """The shared memory, as both sides see it."""

    def __init__(self, fd, lanes, slots):
        self.areas = (lanes * LANE + slots + PAGE - 1) // PAGE * PAGE  # two a slot: its request, and its response
        windows = self.areas + slots * SLOT  # one a lane: a part of a body that was asked for
        self.memory = mmap.mmap(fd, windows + lanes * BIGGEST)
        view = memoryview(self.memory)
        self.words = view[:lanes * LANE].cast("Q")  # of a lane: what it has begun, and whether it is to end
        self.cancelled = view[lanes * LANE:lanes * LANE + slots]  # a byte a slot
        self.idents = view[self.areas:windows].cast("Q")  # each area of a request begins with its id
        self.windows = view[windows:]


# What heads have been found to be in order, so that Go need not be asked again.
# The rules themselves are in Go, and only there.
known_statuses, known_names = set(), {}
has_control = re.compile("[\x01-\x1f\x7f]").search
MOST_KNOWN = 2000
# The names of the variables of a request are remembered too, each list of them with
# some 200 bytes a name, and strangers choose them.
MOST_SECTIONS, LONGEST_KNOWN = 200, 3000
MOST_HEAD = BIGGEST - 100  # there may come a Content-Length to it


def encode(status, headers):
    """Returns the head as bytes, its Content-Length and whether it is known to be good."""
    parts = [status]
    length, good, add = -1, status in known_statuses, parts.extend
    for header in headers:
        if type(header) is not tuple:
            check_types(status, headers)
        name, value = header
        kind = known_names.get(name)
        if kind is None:
            good = False
        elif kind:
            if length >= 0 or not (value.isascii() and value.isdigit()) or len(value) > 18:
                good = False
            else:
                length = int(value)
        add(header)
    text = "\0".join(parts)
    if len(text) > MOST_HEAD:
        raise ContractError("status and headers are %d bytes, expected %d at the most" % (len(text), MOST_HEAD))
    bare = text.replace("\0", "")
    if not bare.isprintable() and has_control(text) is not None:
        good = False
    if len(text) - len(bare) != len(parts) - 1:
        raise ContractError("the status or a header contains a NUL: %s" % ascii(text)[:200])
    try:
        return text.encode("latin-1"), length, good
    except UnicodeEncodeError:
        raise ContractError("the head contains %s, expected characters up to U+00FF" % ascii(text)[:200]) from None


def remember(status, headers):
    """Remembers a head that Go has accepted, by its parts."""
    if len(known_statuses) < MOST_KNOWN:
        known_statuses.add(status)
    for name, _ in headers:
        if len(known_names) < MOST_KNOWN:
            known_names[name] = name.lower() == "content-length"


def check_types(status, headers):
    """Refuses what could not be sent, or is no list of pairs of str."""
    if type(status) is not str:
        raise ContractError("the status is %s, a %s, expected a str" % (shorten(status), type(status).__name__))
    if type(headers) is not list:
        raise ContractError("the headers are a %s, expected a list" % type(headers).__name__)
    for header in headers:
        if type(header) is not tuple or len(header) != 2:
            raise ContractError("a header is %s, expected a tuple of name and value" % shorten(header))
        for text in header:
            if type(text) is not str:
                raise ContractError("a header is %s, expected name and value to be str" % shorten(header))


def shorten(value):
    return ascii(value)[:100]


class Exchange:
    """One request, and the response to it."""

    __slots__ = ("lane", "ident", "slot", "head", "length", "flags", "started", "committed", "ended", "over",
                 "failed", "wrote", "sent", "bodiless", "input_done")

    def __init__(self, lane, ident, bodiless):
        self.lane, self.ident, self.slot = lane, ident, ident & 0xFFFF
        self.head = None
        self.length = -1
        self.flags = 0  # of the frame that will have the head
        self.started = self.committed = self.ended = self.over = self.wrote = False
        self.failed = None  # why the response cannot be completed
        self.sent = 0
        self.bodiless = bodiless  # or Content-Length would say nothing about what is sent
        self.input_done = False

    def start_response(self, status, headers, exc_info=None):
        if self.over:
            raise ContractError("start_response was called after the end of the request")
        if exc_info:
            try:
                if self.committed:
                    self.failed = exc_info[1]
                    raise exc_info[1].with_traceback(exc_info[2])
            finally:
                exc_info = None
            again = self.started
        elif self.started:
            return self.refuse(ContractError("start_response was called again with status %s and no exc_info" % shorten(status)))
        else:
            again = False
        self.started = True
        self.failed = self.head = None
        try:
            head, length, good = encode(status, headers)
            if type(status) is not str or type(headers) is not list:
                check_types(status, headers)
        except ContractError as exc:
            return self.refuse(exc)
        except (TypeError, ValueError, AttributeError) as exc:
            try:
                check_types(status, headers)
            except ContractError as better:
                exc = better
            return self.refuse(exc)
        if not good:
            self.ask_head(head, again, status, headers)
            if self.failed is None:
                length = encode(status, headers)[1]
        elif again and self.flags & KEPT:  # Go has an earlier one
            self.ask_head(head, True, status, headers)
        self.head, self.length = head, length
        return self.write

    def refuse(self, exc):
        self.failed = exc
        raise exc

    def ask_head(self, head, again, status, headers):
        """Has Go look at a head and keep it."""
        lane = self.lane
        try:
            lane.put(RESPONSE, self.ident, CHECK | (AGAIN if again else 0), head, len(head))
            kind, text = lane.reply()
        except BaseException:
            lane.torn()
        self.flags |= KEPT
        if kind != OK:
            self.refuse(ContractError(text.decode("utf-8", "replace")))
        remember(status, headers)

    def write(self, data):
        if self.over:
            raise ContractError("write was called after the end of the request")
        if self.failed is not None:
            raise self.failed
        if type(data) is not bytes:
            data = as_bytes("write was given", data)
        self.wrote = True
        if data or not self.committed:
            self.send(data, 0 if data else COMMIT)

    def send(self, data, flags=0):
        """Sends a block, with the head if that is still to do."""
        if self.failed is not None:
            raise self.failed
        lane = self.lane
        if lane.cancelled[self.slot] and not self.ended:
            raise Disconnected(errno.ECONNABORTED, "the client has left")
        size = len(data)
        if self.ended:
            raise ContractError("the response is longer than the %d bytes of its Content-Length" % self.length)
        if flags & SINGLE and self.head is not None and len(self.head) + size > BIGGEST:
            flags &= ~SINGLE  # it will be several frames, and Go cannot tell how long they are
            self.state_length(size)
        self.sent = sent = self.sent + size
        length = -1 if self.bodiless else self.length
        if not self.committed and self.head is None:
            raise ContractError("a block came, expected start_response to be called before")
        try:
            if sent == length and self.input_done:
                flags |= LAST  # Go has all that it needs; what happens from here on is no business of the client
                self.ended = True
            if self.committed:
                lane.send(DATA, self.ident, flags, b"", data)
            else:
                self.committed = True
                lane.respond(self.ident, flags | self.flags, b"" if self.flags & KEPT else self.head, data)
        except BaseException:
            lane.torn()
        if sent > length >= 0:  # Go has sent what fits
            raise ContractError("the response is longer than the %d bytes of its Content-Length" % self.length)

    def respond(self, app, environ):
        """Calls the application and sends what it answers."""
        body = None
        try:
            try:
                body = app(environ, self.start_response)
                kind = type(body)
                if (kind is list or kind is tuple) and len(body) == 1 and not self.wrote:
                    self.single(body[0])
                elif kind is FileWrapper and self.send_file(body):
                    pass
                else:
                    self.iterate(body)
                if not self.ended:
                    self.finish()
            except Disconnected:
                self.give_up()
            except BaseException:
                self.fail(traceback.format_exc())
        finally:
            self.over = True
            if body is not None:
                close = getattr(body, "close", None)
                if close is not None:
                    try:
                        close()
                    except BaseException:
                        self.lane.log(self.ident, "closing the response body failed\n" + traceback.format_exc())

    def single(self, block):
        """Sends a body of one block, of which the length is known by that."""
        if type(block) is not bytes:
            block = as_bytes("the body yielded", block)
        size = len(block)
        if not size:
            return
        if self.failed is not None or self.head is None or 0 <= self.length != size or self.lane.cancelled[self.slot]:
            self.send(block, SINGLE)
        else:
            flags = LAST | SINGLE
            if len(self.head) + size > BIGGEST:  # more than one frame
                self.state_length(size)
                flags = LAST
            try:
                self.committed = self.ended = True
                self.lane.respond(self.ident, flags | self.flags, b"" if self.flags & KEPT else self.head, block)
            except BaseException:
                self.lane.torn()

    def state_length(self, size):
        """Adds a Content-Length, where there is none and one may be."""
        if self.length < 0:
            self.length = size
            if not self.bodiless and self.head[:3] not in (b"204", b"304"):
                if self.flags & KEPT:  # Go has a head already, which is another one now
                    self.flags = self.flags & ~KEPT | AGAIN
                self.head += b"\0Content-Length\0%d" % size

    def iterate(self, body):
        if body is None:
            raise ContractError("the application returned None, expected an iterable of blocks")
        if isinstance(body, (str, bytes)):
            if isinstance(body, str):
                raise ContractError("the application returned a str, expected an iterable of bytes")
            if body:
                self.send(bytes(body))  # legal, and never meant: not byte by byte
            return
        flags = 0
        if not self.wrote and hasattr(type(body), "__len__"):
            try:
                flags = SINGLE if len(body) == 1 else 0
            except TypeError:
                pass
        for block in body:
            if type(block) is not bytes:
                block = as_bytes("the body yielded", block)
            if block:
                self.send(block, flags)
                flags = 0
            elif self.lane.cancelled[self.slot] and not self.ended:
                raise Disconnected(errno.ECONNABORTED, "the client has left")

    def send_file(self, wrapper):
        """Gives a file to Go, if it is one; then nothing is left for the worker to do."""
        if self.wrote or self.failed is not None or self.head is None:
            return False
        position = wrapper.position()
        if position is None:
            return False
        try:
            self.committed = self.ended = True
            self.lane.respond_file(self.ident, self.flags, b"" if self.flags & KEPT else self.head, wrapper.file.fileno(), position)
        except BaseException:
            self.lane.torn()
        return True

    def finish(self):
        if self.failed is not None:
            raise self.failed
        if not self.committed and self.head is None:
            raise ContractError("the body ended, expected start_response to be called before")
        try:
            self.ended = True
            if not self.committed:
                self.committed = True
                self.lane.respond(self.ident, LAST | self.flags, b"" if self.flags & KEPT else self.head)
            else:
                self.lane.put(END, self.ident, LAST)
        except BaseException:
            self.lane.torn()

    def fail(self, text):
        if self.ended:
            self.lane.log(self.ident, "application failed after its response was complete\n" + text)
        else:
            self.end(ERROR, text[-32000:].encode("utf-8", "backslashreplace"))

    def give_up(self):
        if not self.ended:
            self.end(END, b"")

    def end(self, kind, payload):
        try:
            self.ended = True
            self.lane.put(kind, self.ident, LAST, payload)
        except BaseException:
            self.lane.torn()

    def disconnected(self):
        """environ["gowsgi.client_disconnected"]: whether nobody waits for the response any more."""
        return self.over or not self.ended and bool(self.lane.cancelled[self.slot])

    def early_hints(self, headers):
        if self.over:
            raise ContractError("wsgi.early_hints was called after the end of the request")
        if self.committed or self.ended:
            return
        headers = [tuple(header) for header in headers]
        check_types("103", headers)
        parts = [part for header in headers for part in header]
        text = "\0".join(parts)
        if text.count("\0") >= max(1, len(parts)):
            raise ContractError("an early hint contains a NUL: %s" % ascii(text)[:200])
        if len(text) > MOST_HEAD:
            raise ContractError("early hints are %d bytes, expected %d at the most" % (len(text), MOST_HEAD))
        data = text.encode("latin-1")
        try:
            self.lane.put(HINTS, self.ident, 0, data)
            kind, text = self.lane.reply()
        except BaseException:
            self.lane.torn()
        if kind != OK:
            raise ContractError(text.decode("utf-8", "replace"))


def as_bytes(what, block):
    if isinstance(block, bytes):
        return bytes(block)
    raise ContractError("%s %s, a %s, expected bytes" % (what, shorten(block), type(block).__name__))


class RemoteBody(io.RawIOBase):
    """The body of a request that Go still has, or still has to receive."""

    def __init__(self, exchange):
        self.exchange = exchange
        self.block = b""  # what has come and was not read yet
        self.error = None
        self.at_end = False

    def readable(self):
        return True

    def readinto(self, buffer):
        if self.exchange.over:
            raise ContractError("wsgi.input was read after the end of the request")
        if self.error is not None:
            raise self.error
        if self.at_end or not len(buffer):
            return 0
        lane = self.exchange.lane
        if self.exchange.ended or lane.cancelled[self.exchange.slot]:
            raise Disconnected(errno.ECONNABORTED, "the client has left")
        if not self.block:
            # As much as there is space for, even if less is wanted now.
            try:
                lane.put(READ, self.exchange.ident, 0, b"", BIGGEST)
                kind, size = lane.reply_head()
                if kind == WINDOW:
                    self.block = lane.window[:size]
                else:
                    self.block = memoryview(lane.receive(size))
            except BaseException:
                lane.torn()
            if kind == EOF:
                self.at_end = True
                return 0
            if kind == REFUSED:
                self.error = InputError(errno.EPIPE, bytes(self.block).decode("utf-8", "replace"))
                self.block = b""
                raise self.error
        with memoryview(buffer) as view, view.cast("B") as room:
            block = self.block[:len(room)]
            room[:len(block)] = block
        self.block = self.block[len(block):]
        return len(block)

    def readall(self):
        parts = []
        while True:
            part = bytearray(BIGGEST)
            size = self.readinto(part)
            if not size:
                return b"".join(parts)
            del part[size:]
            parts.append(part)


class Input:
    """wsgi.input of a request whose body is not at hand: it is asked for when it is read."""

    __slots__ = ("exchange", "stream")

    def __init__(self, exchange):
        self.exchange, self.stream = exchange, None

    def open(self):
        if self.exchange.over:
            raise ContractError("wsgi.input was read after the end of the request")
        if self.stream is None:
            self.exchange.input_done = False
            self.stream = io.BufferedReader(RemoteBody(self.exchange), 64 << 10)
        return self.stream

    def read(self, size=-1):
        return self.open().read(-1 if size is None or size < 0 else size)

    def readline(self, size=-1):
        return self.open().readline(-1 if size is None or size < 0 else size)

    def readlines(self, hint=-1):
        return self.open().readlines(-1 if hint is None or hint < 0 else hint)

    def __iter__(self):
        return iter(self.readline, b"")

    def __next__(self):
        line = self.readline()
        if not line:
            raise StopIteration
        return line

    def readinto(self, buffer):
        return self.open().readinto(buffer)


class Errors:
    """wsgi.errors of the requests of a lane."""

    encoding, errors = "utf-8", "backslashreplace"

    def __init__(self, lane):
        self.lane = lane
        self.pending = []

    def write(self, text):
        if not isinstance(text, str):
            raise TypeError("wsgi.errors.write was given a %s, expected a str" % type(text).__name__)
        lane = self.lane
        if threading.get_ident() != lane.thread or lane.fd < 0:  # of the application's own: not of this request
            return sys.stderr.write(text)
        if lane.ident:
            lane.log(lane.ident, text)
        else:
            sys.stderr.write(text)
        return len(text)

    def writelines(self, lines):
        self.write("".join(lines))

    def flush(self):
        pass


class FileWrapper:
    """wsgi.file_wrapper"""

    def __init__(self, file, size=8192):
        self.file, self.size = file, size
        if hasattr(file, "close"):
            self.close = file.close

    def __iter__(self):
        return self

    def __next__(self):
        block = self.file.read(self.size)
        if not block:
            raise StopIteration
        return block

    def position(self):
        """Where the file is, if it is one that Go can read in its place: what
        its read returns is what its descriptor has."""
        file = self.file
        file = getattr(file, "file", file) if type(file).__module__ == "tempfile" else file
        kind = type(file)
        if kind is not io.FileIO and (kind not in (io.BufferedReader, io.BufferedRandom) or type(file.raw) is not io.FileIO):
            return None
        try:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode) or not file.readable():
                return None
            return file.tell()
        except (OSError, ValueError):
            return None


class Trays:
    """Memory in which large blocks wait until Go has sent them; one for all lanes.

    It is made when there is the first one. A word for each tray says whether it is
    taken, which Go sets to 0 again.
    """

    def __init__(self):
        self.lock = threading.Lock()
        self.missing = False  # while it is being made, and for good where that fails
        self.memory = self.words = None
        self.last = 0.0  # when one was taken

    def take(self, lane, whole):
        """Returns the number of a tray, or -1. What is not the whole rest of a
        response may have half of them, since its worker waits for its client.

        Where all are taken, and by clients that seem to be quick, this waits for a
        moment: a tray that comes back costs less than new memory.
        """
        most = TRAYS if whole else TRAYS // 2
        tray = self.free(lane, most)
        if tray < 0 and whole and not self.missing:
            until = self.last + MOMENT
            while tray < 0 and monotonic() < until:
                sleep(PAUSE)
                tray = self.free(lane, most)
        return tray

    def free(self, lane, most):
        if self.missing or self.memory is None and not self.open(lane):
            return -1
        with self.lock:
            taken = self.words[:most].tolist()
            if 0 not in taken:
                return -1
            tray = taken.index(0)
            self.words[tray] = 1
            self.last = monotonic()
            return tray

    def open(self, lane):
        """Makes the memory and gives it to Go. Reports whether there is some."""
        with self.lock:  # and not while Go is asked, which may have a slow client to serve first
            if self.missing or self.memory is not None:
                return not self.missing
            self.missing = True
        size = PAGE + TRAYS * BIGGEST
        try:
            fd = os.memfd_create("gowsgi trays", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
            try:
                os.ftruncate(fd, size)
                fcntl.fcntl(fd, ADD_SEALS, SEAL_SHRINK)
                memory = mmap.mmap(fd, size)
                lane.pass_file(pack_frame(0, 0, lane.ident, MEMORY, 0), fd)
            finally:
                os.close(fd)
        except (AttributeError, OSError):
            return False
        if lane.reply()[0] != OK:
            return False
        self.memory, self.words = memory, memoryview(memory)[:4 * TRAYS].cast("I")
        self.missing = False
        return True

    def fill(self, tray, head, block):
        at = PAGE + tray * BIGGEST
        if head:
            self.memory[at:at + len(head)] = head
            at += len(head)
        self.memory[at:at + len(block)] = block


class Lane:
    """One thread's connection with Go."""

    def __init__(self, fd, number, worker):
        self.fd, self.number, self.worker = fd, number, worker
        self.socket = None
        self.memory, self.areas = worker.board.memory, worker.board.areas
        self.cancelled = worker.board.cancelled
        self.ident = 0
        self.window = worker.board.windows[number * BIGGEST:(number + 1) * BIGGEST]
        self.token = b""  # of the request
        self.ahead = worker.ahead
        self.used = False  # something of the request went over the lane, which must not be overtaken
        self.thread = None
        self.errors = Errors(self)

    def respond(self, ident, flags, head, block=b""):
        """Sends the head and the first block of a response."""
        size = len(head)
        frame = size + len(block)
        if not flags & LAST or self.used or frame > ROOM - FRAME.size:
            self.send(RESPONSE, ident, flags, head, block)
        else:
            self.place(b"".join((pack_frame(frame, size, ident, RESPONSE, flags), head, block)))

    def send(self, kind, ident, flags, head, block):
        """Sends a block: on trays if it is large and there are some."""
        size, last = len(block), flags & LAST
        if size <= JOINED and not (size and last and kind == RESPONSE and not self.used):
            self.put(kind, ident, flags, head, len(head), block)
            return
        whole = last and size <= self.ahead
        trays, rest = self.worker.trays, memoryview(block)
        while rest:
            tray = trays.take(self, whole)
            if tray < 0:
                break
            part = rest[:BIGGEST - len(head)]
            rest = rest[len(part):]
            trays.fill(tray, head, part)
            flags = flags & ~LAST if rest else flags | last
            frame = pack_frame(len(head) + len(part), len(head), ident, kind, flags | TRAY) + PLACE.pack(self.number, tray)
            if kind == RESPONSE and flags & LAST and not self.used:
                self.place(frame)
            else:
                self.write(frame)
            kind, flags, head = DATA, 0, b""
        if rest:
            flags |= last
            if not (whole and len(rest) >= SPILLED and self.spill(kind, ident, flags, head, rest)):
                self.put(kind, ident, flags, head, len(head), rest)

    def place(self, frame):
        """Leaves a response on the board, as one frame."""
        at = self.areas + (self.ident & 0xFFFF) * SLOT + REQUEST
        self.memory[at:at + len(frame)] = frame
        os_write(REPLIES, self.token)

    def spill(self, kind, ident, flags, head, rest):
        """Sends the rest of a response as a file in memory. Reports whether that is
        possible."""
        try:
            fd = os.memfd_create("gowsgi", os.MFD_CLOEXEC)
        except (AttributeError, OSError):
            return False
        try:
            left = memoryview(rest)
            try:
                while left:
                    left = left[os_write(fd, left):]
            except OSError:
                return False
            frames = b"" if kind == DATA else pack_frame(len(head), len(head), ident, kind, flags & ~LAST) + head
            self.pass_file(frames + pack_frame(TOKEN.size, 0, ident, FILE, LAST) + TOKEN.pack(0), fd)
        finally:
            os.close(fd)
        return True

    def put(self, kind, ident, flags, payload=b"", head=0, block=b""):
        """Sends a frame. One that is too long for Go's buffers becomes several."""
        rest = None
        if len(payload) + len(block) > BIGGEST:
            block, cut = memoryview(block), BIGGEST - len(payload)
            block, rest = block[:cut], block[cut:]
            last, flags = flags & LAST, flags & ~LAST
        header = pack_frame(len(payload) + len(block), head, ident, kind, flags)
        if len(block) <= JOINED and len(payload) <= JOINED:
            self.write(b"".join((header, payload, block)))
        else:
            self.write_all([header, payload, block])
        while rest:
            block, rest = rest[:BIGGEST], rest[BIGGEST:]
            self.write_all([pack_frame(len(block), 0, ident, DATA, 0 if rest else last), block])

    def write(self, data):
        self.used = True
        sent = os_write(self.fd, data)
        while sent < len(data):
            data = data[sent:]
            sent = os_write(self.fd, data)

    def write_all(self, parts):
        self.used = True
        parts = [memoryview(part) for part in parts if len(part)]
        while parts:
            sent = os.writev(self.fd, parts)
            while parts and sent >= len(parts[0]):
                sent -= len(parts.pop(0))
            if sent:
                parts[0] = parts[0][sent:]

    def respond_file(self, ident, flags, head, fd, position):
        """Sends a response of which the body is what follows in a file."""
        self.pass_file(b"".join((pack_frame(len(head), len(head), ident, RESPONSE, flags), head,
                                 pack_frame(TOKEN.size, 0, ident, FILE, LAST), TOKEN.pack(position))), fd)

    def pass_file(self, frames, fd):
        """Sends frames, and a descriptor with them."""
        if self.socket is None:
            self.socket = adopt(self.fd)
        sent = self.socket.sendmsg([frames], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [fd]))])
        self.used = True
        if sent < len(frames):
            self.write(frames[sent:])

    def log(self, ident, text):
        data = text.encode("utf-8", "backslashreplace")
        try:
            for at in range(0, len(data), BIGGEST):
                self.put(LOG, ident, 0, data[at:at + BIGGEST])
        except BaseException:
            self.torn()

    def torn(self):
        """Ends the process, in whose hands something of the lane may be half done.

        That is where an exception comes from a signal handler, or from another
        thread: what is sent next would be taken for the rest of what was begun, and
        an answer that still comes for one to the next request. So there is no next.
        """
        if self.fd < 0:
            text = "gowsgi: a process that the application has forked goes on with the request of its parent; it ends\n"
        else:
            text = "gowsgi: the application was interrupted while it spoke with its server; the worker ends\n" + traceback.format_exc()
        try:
            sys.stdout.flush()
            sys.stderr.write(text)
            sys.stderr.flush()
        finally:
            os._exit(1)

    def leave(self):
        """Has nothing more to do with the lane, which is that of the parent process."""
        self.fd, self.socket, self.memory = -1, None, None

    def receive(self, size):
        data = b""
        while len(data) < size:
            part = os_read(self.fd, size - len(data))
            if not part:
                raise InputError(errno.EPIPE, "the server has ended")
            data += part
        return data

    def reply_head(self):
        size, kind = REPLY.unpack(self.receive(REPLY.size))
        return kind, size

    def reply(self):
        kind, size = self.reply_head()
        return kind, self.receive(size)

    def serve(self):
        """Serves one request after the other, until there are no more."""
        self.thread = threading.get_ident()
        worker, app, base = self.worker, self.worker.app, dict(self.worker.base)
        base["wsgi.errors"] = self.errors
        words, cancelled = worker.board.words, worker.board.cancelled
        begun, retire = self.number * LANE // 8, self.number * LANE // 8 + 1
        memory, idents, areas = self.memory, worker.board.idents, self.areas
        known_keys = {}
        BytesIO = io.BytesIO
        while not words[retire]:
            token = os_read(QUEUE, TOKEN.size)
            if not token:
                return
            ident, = unpack_token(token)
            if not ident:  # only to make us look whether we are to end
                continue
            words[begun] = ident
            self.token, self.used = token, False
            slot = ident & 0xFFFF
            if cancelled[slot]:
                self.put(END, ident, LAST)
                words[begun] = 0
                continue
            at = areas + slot * SLOT
            _, keys, values, flags, size = unpack_packet(memory, at)
            at += PACKET.size
            section = memory[at:at + keys]
            at += keys
            text = memory[at:at + values]
            at += values
            content = memory[at:at + size] if size else b""
            if idents[slot * SLOT // 8] != ident:  # we were so late that it was given up
                words[begun] = 0
                continue
            self.ident = ident
            if flags & LARGE:
                try:
                    self.put(WANT, ident, 0)
                    kind, packet = self.reply()
                except BaseException:
                    self.torn()
                if kind != OK:  # nobody waits for it any more
                    self.put(END, ident, LAST)
                    words[begun] = 0
                    continue
                section, text = packet[:keys], packet[keys:]
            known = known_keys.get(section)
            if known is None:
                names = [sys.intern(name) for name in section.decode("latin-1").split("\0")]
                known = names, base.copy()  # with the names in it, which saves the copy to grow
                known[1].update(dict.fromkeys(names))
                if len(section) <= LONGEST_KNOWN:
                    if len(known_keys) >= MOST_SECTIONS:  # somebody makes them up
                        known_keys.clear()
                    known_keys[section] = known
            names, environ = known[0], known[1].copy()
            for name, value in zip(names, text.decode("latin-1").split("\0")):
                environ[name] = value
            exchange = Exchange(self, ident, environ.get("REQUEST_METHOD") == "HEAD")
            if flags & INLINE:
                environ["wsgi.input"] = body = BytesIO(content)
                exchange.input_done = True
            else:
                environ["wsgi.input"] = Input(exchange)
                exchange.input_done = not flags & REMOTE
                body = None
            if flags & HINTED:
                environ["wsgi.early_hints"] = exchange.early_hints
            environ["gowsgi.client_disconnected"] = exchange.disconnected
            exchange.respond(app, environ)
            if body is not None:
                body.close()
            del environ, exchange, body  # or it would live until the next request comes
            if self.fd < 0:  # this is a process that the application has forked
                self.torn()
            self.ident = 0
            words[begun] = 0
            if worker.left:
                worker.count()


class Worker:
    """One process that serves."""

    def __init__(self, config, control, lanes, app):
        self.app = app
        self.control = control
        self.control_lock = threading.Lock()
        self.board = Board(BOARD, config["lanes"], config["slots"])
        self.base = {
            "wsgi.version": (1, 0),
            "wsgi.multithread": len(lanes) > 1,
            "wsgi.multiprocess": config["multiprocess"],
            "wsgi.run_once": False,
            "wsgi.input_terminated": True,
            "wsgi.file_wrapper": FileWrapper,
        }
        self.ahead = config["ahead"]  # bytes of a response that Go takes before its client does
        self.lanes = [Lane(fd, config["first"] + i, self) for i, fd in enumerate(lanes)]
        self.left = config.get("max_requests", 0)
        self.trays = Trays()
        os.register_at_fork(after_in_child=self.leave)

    def leave(self):
        """A process that the application forks has its own work, and no part in this one's."""
        self.trays = Trays()
        self.trays.missing = True
        for lane in self.lanes:
            lane.leave()

    def tell(self, **message):
        tell(self.control, self.control_lock, message)

    def count(self):
        self.left -= 1
        if not self.left:
            self.tell(op="full")

    def run(self):
        os.set_blocking(QUEUE, True)
        threading.Thread(target=self.listen, name="gowsgi control", daemon=True).start()
        self.tell(op="ready", pid=os.getpid(), files=imported())
        if len(self.lanes) == 1:  # in the main thread, where signals may be handled
            self.lanes[0].serve()
            return
        threads = [threading.Thread(target=lane.serve, name="gowsgi lane %d" % lane.number) for lane in self.lanes]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def listen(self):
        """Answers what Go asks, and ends the process when Go has ended."""
        for message in messages(self.control):
            if message["op"] == "files":
                self.tell(op="files", files=imported())
        os._exit(0)


def tell(control, lock, message):
    data = json.dumps(message).encode() + b"\n"
    with lock:
        try:
            control.sendall(data)
        except OSError:
            pass  # the reader of the same socket will see it


def messages(control):
    rest = b""
    while True:
        try:
            data = control.recv(65536)
        except OSError:
            return
        if not data:
            return
        *lines, rest = (rest + data).split(b"\n")
        for line in lines:
            yield json.loads(line)


def imported():
    """The source files of all that has been imported."""
    files = set()
    for module in list(sys.modules.values()):
        name = getattr(module, "__file__", None)
        if isinstance(name, str):
            files.add(os.path.abspath(name))
    return sorted(files)


def load(target):
    """The application that target names."""
    name, colon, attribute = target.partition(":")
    # mysite.wsgi is a module, ./mysite.wsgi a file of mod_wsgi.
    ending = ".wsgi" if "/" in name and (name + ":").endswith(".wsgi:") else ".py"
    if ending + ":" in target:
        name, colon, attribute = target.rpartition(":")
    elif target.endswith(ending):
        name, attribute = target, ""
    attribute = attribute or "application"
    if name.endswith(ending):
        path = os.path.abspath(name)
        sys.path.insert(0, os.path.dirname(path))
        module_name = os.path.splitext(os.path.basename(path))[0]
        if ending == ".wsgi":
            # It is no module that anybody imports, and mostly has the name of the
            # package beside it, which it imports itself.
            module_name = "_wsgi_file_" + module_name
        loader = importlib.machinery.SourceFileLoader(module_name, path)
        spec = importlib.util.spec_from_file_location(module_name, path, loader=loader)
        if not os.path.isfile(path):
            raise FileNotFoundError(errno.ENOENT, "there is no such file", path)
        module = importlib.util.module_from_spec(spec)
        sys.modules[module_name] = module
        spec.loader.exec_module(module)
    else:
        module = importlib.import_module(name)
    found = module
    tree = ast.parse(attribute.strip(), mode="eval").body
    call = None
    if isinstance(tree, ast.Call):
        call, tree = tree, tree.func
    path = []
    while isinstance(tree, ast.Attribute):
        path.append(tree.attr)
        tree = tree.value
    if not isinstance(tree, ast.Name):
        raise ValueError("%s names no object of a module, expected a name or a call of one" % attribute)
    for part in [tree.id] + path[::-1]:
        found = getattr(found, part)
    if call is not None:
        found = found(*[ast.literal_eval(arg) for arg in call.args],
                      **{word.arg: ast.literal_eval(word.value) for word in call.keywords})
    if not callable(found):
        raise TypeError("%s is a %s, which cannot be called" % (target, type(found).__name__))
    if isinstance(found, type(load)):
        code = found.__code__
        if code.co_argcount < 2 and not code.co_flags & VARARGS:
            raise TypeError("%s takes %d arguments, expected an application, which takes environ and start_response; "
                            "where it returns one, it is called by %s()" % (attribute, code.co_argcount, attribute))
    return found


def open_app(config):
    """Prepares the process for the application and imports it."""
    sys.argv = [config["app"]]
    sys.path[:] = [entry for entry in sys.path if entry != ""]
    sys.path.insert(0, os.getcwd())
    for entry in reversed(config.get("path") or []):
        sys.path.insert(0, entry)
    faulthandler.enable()
    faulthandler.register(signal.SIGUSR2, all_threads=True, chain=False)
    return load(config["app"])


def leave_signals():
    """Leaves to Go's process what is meant for it and reaches all of them: systemd ends a
    service by a SIGTERM to each process, and one that takes it in the middle of a request
    has lost that. A handler that does nothing is not passed on to other programs, as a
    signal that is ignored would be; a process that the application forks has it taken
    back, for whoever made it wants to end it."""
    before = {number: signal.getsignal(number) for number in LEFT}
    handler = lambda *_: None

    def take_back():
        for number in LEFT:
            if signal.getsignal(number) is handler:
                signal.signal(number, before[number])

    for number in LEFT:
        signal.signal(number, handler)
        signal.siginterrupt(number, False)
    os.register_at_fork(after_in_child=take_back)


class Zygote:
    """A process that has the application imported and forks workers, which
    share its memory for as long as they do not write to it."""

    def __init__(self, config, control, app):
        self.config, self.control, self.app = config, control, app
        self.lock = threading.Lock()
        self.rest, self.fds = b"", []  # what came and is not used yet

    def run(self):
        """Returns in each child, with its worker."""
        tell(self.control, self.lock, {"op": "ready", "pid": os.getpid(), "files": imported()})
        waker, wakened = socket.socketpair()
        for end in (waker, wakened):
            end.setblocking(False)
        signal.set_wakeup_fd(waker.fileno())
        signal.signal(signal.SIGCHLD, lambda *_: None)
        import selectors
        selector = selectors.DefaultSelector()
        selector.register(self.control, selectors.EVENT_READ)
        selector.register(wakened, selectors.EVENT_READ)
        while True:
            ready = [key.fileobj for key, _ in selector.select()]
            if wakened in ready:
                try:
                    wakened.recv(4096)
                except BlockingIOError:
                    pass
                self.reap()
            if self.control in ready:
                child = self.answer()
                if child is not None:
                    signal.set_wakeup_fd(-1)
                    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                    selector.close()
                    waker.close()
                    wakened.close()
                    self.control.close()
                    return child

    def reap(self):
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not pid:
                return
            if os.WIFSIGNALED(status):
                text = "signal: " + signal.Signals(os.WTERMSIG(status)).name
            else:
                text = "exit status %d" % os.WEXITSTATUS(status)
            tell(self.control, self.lock, {"op": "exited", "pid": pid, "status": text})

    def answer(self):
        """Does what Go asks. Only a request to fork comes with descriptors, and
        Go waits for the answer to one before it makes another."""
        data, ancillary, _, _ = self.control.recvmsg(65536, socket.CMSG_SPACE(4 * 200))
        for level, kind, content in ancillary:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                fds = array.array("i")
                fds.frombytes(content[:len(content) - len(content) % fds.itemsize])
                self.fds += fds
        if not data:
            os._exit(0)
        *lines, self.rest = (self.rest + data).split(b"\n")
        for line in lines:
            message = json.loads(line)
            if message["op"] == "fork":
                fds, self.fds = self.fds, []
                child = self.fork(message, fds)
                if child is not None:
                    return child
            elif message["op"] == "kill":
                try:  # one that was not reaped has its number for certain
                    os.kill(message["pid"], message["signal"])  # which may have left its group
                    if message["signal"] == signal.SIGKILL:
                        os.killpg(message["pid"], signal.SIGKILL)
                except OSError:
                    pass
            elif message["op"] == "files":
                tell(self.control, self.lock, {"op": "files", "files": imported()})
        return None

    def fork(self, message, fds):
        pid = os.fork()
        if pid:
            for fd in fds:
                os.close(fd)
            try:  # as the child does: whoever is first
                os.setpgid(pid, pid)
            except OSError:
                pass
            tell(self.control, self.lock, {"op": "forked", "pid": pid})
            return None
        os.setpgid(0, 0)
        leave_signals()
        for fd in fds:
            os.set_inheritable(fd, False)
        control = adopt(fds[0])
        return Worker(dict(self.config, **message), control, fds[1:], self.app)


def main():
    control = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, 0, CONTROL)
    line = b""
    while not line.endswith(b"\n"):
        part = control.recv(65536)
        if not part:
            os._exit(0)
        line += part
    config = json.loads(line)
    lanes = [] if config["zygote"] else list(range(LANES, LANES + config["threads"]))
    own = [CONTROL, QUEUE, BOARD, REPLIES] + lanes
    for fd in own:
        os.set_inheritable(fd, False)
    for fd in map(int, os.listdir("/proc/self/fd")):
        if fd > 2 and fd not in own:  # what Go's process was given by its own parent
            try:
                os.close(fd)
            except OSError:
                pass  # that of the listing
    leave_signals()
    try:
        app = open_app(config)
    except BaseException:
        trace = traceback.format_exc()
        tell(control, threading.Lock(), {"op": "failed", "trace": trace[-16000:]})
        os._exit(3)
    gc.collect()
    gc.freeze()
    if config["zygote"]:
        worker = Zygote(config, control, app).run()
    else:
        worker = Worker(config, control, lanes, app)
    worker.run()


main()
