"""Frames and values between a Go process and Python: see frame.go and value.go.

This file is part of gowsgi's conformance checks. It uses the standard library
only, and runs on CPython 3.8 and later.
"""
import os
import socket
import struct

CALL, RESULT, RAISED, EVENT = b"c", b"r", b"x", b"v"
APP, NEXT, CLOSE = b"a", b"n", b"k"
RETURN, RAISE, YIELD, STOP, CLOSED = b"q", b"e", b"y", b"s", b"d"
LANE = b"l"

MAX_FRAME = 16 << 20
_LENGTH = struct.Struct(">I")
_NUMBER = struct.Struct(">q")
_HEADER = struct.Struct(">Ic")


def class_name(kind):
    """The name of a type, with its module unless it is built in."""
    try:
        if kind.__module__ == "builtins":
            return kind.__qualname__
        return "%s.%s" % (kind.__module__, kind.__qualname__)
    except Exception:
        return "?"


def shorten(value, limit=200):
    """The beginning of a repr, whatever the object does when it is asked."""
    try:
        text = repr(value)
    except Exception as exc:
        text = "(repr raised %s)" % class_name(type(exc))
    return text if len(text) <= limit else text[:limit] + "..."


class Described:
    """A value of which only a description is to travel."""

    def __init__(self, value):
        self.name, self.repr = class_name(type(value)), shorten(value)


def _bytes(data):
    return _LENGTH.pack(len(data)) + data


def pack(value, depth=0):
    """The encoding of a value. What has no counterpart in Go is described."""
    if value is None:
        return b"N"
    if value is True:
        return b"T"
    if value is False:
        return b"F"
    if isinstance(value, str):
        try:
            return b"S" + _bytes(str.encode(value, "latin-1"))
        except UnicodeEncodeError:
            return b"U" + _bytes(str.encode(value, "utf-8", "surrogatepass"))
    if isinstance(value, (bytes, bytearray, memoryview)):
        return b"B" + _bytes(bytes(value))
    if type(value) is int and -1 << 63 <= value < 1 << 63:
        return b"I" + _NUMBER.pack(value)
    if depth < 6:
        if type(value) in (tuple, list):
            parts = [pack(item, depth + 1) for item in value]
            tag = b"P" if type(value) is tuple else b"L"
            return tag + _LENGTH.pack(len(parts)) + b"".join(parts)
        if type(value) is dict:
            parts = [pack(str(key), depth + 1) + pack(item, depth + 1) for key, item in value.items()]
            return b"D" + _LENGTH.pack(len(parts)) + b"".join(parts)
    if type(value) is not Described:
        value = Described(value)
    return b"O" + _bytes(_text(value.name)) + _bytes(_text(value.repr))


def _text(text):
    return text.encode("utf-8", "backslashreplace")


class Malformed(Exception):
    """A frame is not what a peer of ours would send."""


def unpack(data):
    """The value that data is the encoding of."""
    value, end = _unpack(data, 0)
    if end != len(data):
        raise Malformed("%d bytes follow a value" % (len(data) - end))
    return value


def _unpack(data, at):
    tag = data[at:at + 1]
    at += 1
    if tag == b"N":
        return None, at
    if tag in (b"T", b"F"):
        return tag == b"T", at
    if tag == b"I":
        return _NUMBER.unpack_from(data, at)[0], at + 8
    if tag not in (b"S", b"U", b"B", b"P", b"L", b"D", b"O"):
        raise Malformed("no value begins with %r" % tag)
    size = _LENGTH.unpack_from(data, at)[0]
    at += 4
    if tag in (b"S", b"U", b"B"):
        part = data[at:at + size]
        if len(part) < size:
            raise Malformed("a value is cut")
        if tag == b"S":
            part = part.decode("latin-1")
        elif tag == b"U":
            part = part.decode("utf-8", "surrogateescape")
        return part, at + size
    if tag == b"O":  # what has no counterpart in Python either
        at += size
        return object(), at + 4 + _LENGTH.unpack_from(data, at)[0]
    items = []
    for _ in range(2 * size if tag == b"D" else size):
        item, at = _unpack(data, at)
        items.append(item)
    if tag == b"D":
        return dict(zip(items[::2], items[1::2])), at
    return (tuple(items) if tag == b"P" else items), at


class Stream:
    """A connection that carries frames."""

    def __init__(self, sock):
        self.sock = sock

    def send(self, kind, value):
        data = pack(value)
        if len(data) >= MAX_FRAME:
            raise Malformed("a frame of %d bytes" % len(data))
        self.sock.sendall(_HEADER.pack(len(data) + 1, kind) + data)

    def receive(self):
        size, kind = _HEADER.unpack(self._exactly(_HEADER.size))
        if not 1 <= size <= MAX_FRAME:
            raise Malformed("a frame of %d bytes" % size)
        return kind, unpack(self._exactly(size - 1))

    def _exactly(self, size):
        # Not a byte more is read: a descriptor may travel behind the frame.
        data = bytearray(size)
        view, got = memoryview(data), 0
        while got < size:
            n = self.sock.recv_into(view[got:])
            if n == 0:
                raise ConnectionResetError("the process that checks has gone")
            got += n
        return bytes(data)

    def receive_file(self):
        """The descriptor that comes with one byte."""
        data, ancillary, _, _ = self.sock.recvmsg(1, socket.CMSG_SPACE(4 * 16))
        for level, kind, content in ancillary:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                return struct.unpack("i", content[:4])[0]
        raise Malformed("no descriptor came with %r" % data)

    def close(self):
        self.sock.close()


_addresses = {}


def connect(folder):
    """A stream to the process that made the folder, and what proves it."""
    if folder not in _addresses:
        with open(os.path.join(folder, "address"), encoding="utf-8") as file:
            _addresses[folder] = file.read().splitlines()
    network, address, token = _addresses[folder]
    if network == "unix":
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    else:
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        host, port = address.rsplit(":", 1)
        address = (host, int(port))
    try:
        sock.settimeout(None)
        sock.connect(address)
        if network != "unix":
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except BaseException:
        sock.close()
        raise
    return Stream(sock), token
