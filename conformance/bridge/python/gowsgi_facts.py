"""What the probes look at that exists in Python alone.

A fact_ function looks at a call and returns plain values. A body_ function
makes a body of some shape; what is done with it is told as an event.

This file is part of gowsgi's conformance checks. It uses the standard library
only, and runs on CPython 3.8 and later.
"""
import collections
import gc
import io
import sys
import weakref

from gowsgi_wire import Described, class_name

FLAGS = ("wsgi.multithread", "wsgi.multiprocess", "wsgi.run_once")


def variables(environ):
    """The environ as it is told to the other side."""
    pairs = []
    for key, value in list(environ.items()):
        if not isinstance(key, str):
            continue
        if key in FLAGS:  # what counts is their truth (LEG-05)
            value = bool(value)
        elif not (value is None or isinstance(value, (str, bool, int, bytes)) or _plain(value)):
            value = Described(value)
        pairs.append((key, value))
    return pairs


def _plain(value):
    return type(value) is tuple and len(value) < 5 and all(type(item) in (int, str, bool) for item in value)


def outcome(function, *args):
    """What a call comes to: the class and the text of what it raises, or two empty strings."""
    try:
        function(*args)
    except Exception as exc:
        return (class_name(type(exc)), str(exc)[:500])
    return ("", "")


# -------------------------------------------------------------------- environ

def _is_text(key):
    """Whether a variable holds text: those that CGI and HTTP define, and the scheme."""
    return isinstance(key, str) and ("." not in key or key == "wsgi.url_scheme")


def fact_environ(call):
    items = list(call.environ.items())
    texts = [(key, value) for key, value in items if _is_text(key)]
    return {
        "class": class_name(type(call.environ)),
        "keys": [repr(key) for key, _ in items if type(key) is not str],
        "bytes": [(key, class_name(type(value))) for key, value in texts
                  if isinstance(value, (bytes, bytearray, memoryview))],
        "subclass": [(key, class_name(type(value))) for key, value in texts
                     if isinstance(value, str) and type(value) is not str],
        "wide": [(ascii(key), ascii(value)) for key, value in items
                 if _wide(key) or isinstance(value, str) and _wide(value)],
    }


def _wide(text):
    return isinstance(text, str) and any(ord(c) > 255 for c in text)


# ---------------------------------------------------------------------- input

def fact_input_types(call):
    """The types of what the methods of wsgi.input give, for a body of some lines."""
    stream = call.input
    return [
        ("read(2)", class_name(type(stream.read(2)))),
        ("readline()", class_name(type(stream.readline()))),
        ("iteration", class_name(type(next(iter(stream))))),
    ]


def fact_readlines_types(call, hint):
    lines = call.input.readlines(hint)
    return [class_name(type(lines))] + sorted({class_name(type(line)) for line in lines})


def fact_read(call, how):
    """The rest of the body by one of the ways to ask for it."""
    size = {"read(-1)": (-1,), "read(None)": (None,), "read()": ()}[how]
    return call.input.read(*size)


def fact_read_size(call, size):
    return call.input.read(size)


# ------------------------------------------------------------- start_response

def fact_start_none(call):
    """exc_info as an explicit None, at the first call and at a second."""
    headers = [("Content-Type", "text/plain")]
    return outcome(call.start_response, "200 OK", headers, None), outcome(call.start_response, "200 OK", headers, None)


def fact_start_twice(call):
    """A second call without exc_info."""
    headers = [("Content-Type", "text/plain")]
    call.start_response("200 OK", headers)
    return outcome(call.start_response, "200 OK", headers)


_PLAIN = ("Content-Type", "text/plain")

_HEADS = {
    "headers as a tuple": ("200 OK", (_PLAIN,)),
    "headers as an iterator": ("200 OK", lambda: iter([_PLAIN])),
    "headers as a dict": ("200 OK", {"Content-Type": "text/plain"}),
    "header as a list": ("200 OK", [["Content-Type", "text/plain"]]),
    "header of three": ("200 OK", [("Content-Type", "text/plain", "x")]),
    "name as bytes": ("200 OK", [(b"Content-Type", "text/plain")]),
    "value as bytes": ("200 OK", [("Content-Type", b"text/plain")]),
    "value as a number": ("200 OK", [("Content-Length", 2)]),
    "value beyond Latin-1": ("200 OK", [("X-Probe", "\u20ac")]),
    "status as bytes": (b"200 OK", [_PLAIN]),
    "status as a number": (200, [_PLAIN]),
    "status beyond Latin-1": ("200 \u20ac", [_PLAIN]),
}


def fact_refuses(call, head):
    status, headers = _HEADS[head]
    return outcome(call.start_response, status, headers() if callable(headers) else headers)


class Planned(Exception):
    """An error of an application, on purpose."""


def body_late_exc_info(call, event):
    """After a block, gives exc_info to start_response when the except block is left."""
    call.start_response("200 OK", [_PLAIN])
    yield b"begun"
    try:
        raise Planned("conformance: on purpose")
    except Planned as exc:
        original, info = exc, sys.exc_info()
    try:
        call.start_response("500 Late", [_PLAIN], info)
    except BaseException as exc:
        event("the original" if exc is original else "%s: %s" % (class_name(type(exc)), exc))
        raise
    else:
        event("nothing")
        raise original
    finally:
        original = info = None
        event("told")


def body_kept_exc_info(call, event):
    """Looks whether an exception that was given as exc_info lives on in the response."""
    def begin():
        try:
            raise Planned("conformance: on purpose")
        except Planned as exc:
            call.start_response("503 Failed", [_PLAIN], sys.exc_info())
            return weakref.ref(exc)

    kept = begin()
    for block in (b"one", b"two"):
        yield block
    gc.collect()
    event("kept" if kept() is not None else "gone")
    event("told")


# --------------------------------------------------------------------- bodies

def _start(call):
    call.start_response("200 OK", [_PLAIN])


BLOCKS = [b"one, ", b"two, ", b"three"]


class OnlyIter:
    """An iterable that has __iter__ and nothing else."""

    def __iter__(self):
        return iter(BLOCKS)


class OnlyIterator:
    """An iterator that has what an iterator has and nothing else."""

    def __init__(self):
        self._blocks = iter(BLOCKS)

    def __iter__(self):
        return self

    def __next__(self):
        return next(self._blocks)


def body_shape(call, event, name):
    _start(call)
    return {
        "a list": lambda: list(BLOCKS),
        "a tuple": lambda: tuple(BLOCKS),
        "a deque": lambda: collections.deque(BLOCKS),
        "a generator": lambda: (block for block in BLOCKS),
        "a map": lambda: map(bytes, BLOCKS),
        "an iterator": OnlyIterator,
        "an object with __iter__": OnlyIter,
    }[name]()


class _Watched:
    """An iterable whose iterator is another object, and which tells of both."""

    def __init__(self, event):
        self._event = event

    def __iter__(self):
        self._event("iter")
        return _WatchedIterator(self._event)

    def close(self):
        self._event("close")


class _WatchedIterator:
    def __init__(self, event):
        self._event, self._blocks = event, iter(BLOCKS)

    def __iter__(self):
        self._event("iter of the iterator")
        return self

    def __next__(self):
        try:
            return next(self._blocks)
        except StopIteration:
            self._event("end")
            raise

    def close(self):
        self._event("close of the iterator")


def body_watched(call, event):
    _start(call)
    return _Watched(event)


class _Unwilling:
    def __init__(self, event):
        self._event = event

    def __iter__(self):
        self._event("iter")
        raise Planned("conformance: on purpose")

    def close(self):
        self._event("close")


def body_unwilling(call, event):
    _start(call)
    return _Unwilling(event)


class _Tempting(OnlyIterator):
    """A body that tells of the attributes that are looked for."""

    def __init__(self, event):
        OnlyIterator.__init__(self)
        self._event = event

    def close(self):
        self._event("close")

    def __getattr__(self, name):  # of what is not there
        if not name.startswith("__"):
            self._event("attribute " + name)
        raise AttributeError(name)

    @property
    def read(self):
        self._event("attribute read")
        return lambda *size: b""

    @property
    def fileno(self):
        self._event("attribute fileno")
        return lambda: -1

    @property
    def write(self):
        self._event("attribute write")
        return lambda data: None


def body_tempting(call, event):
    _start(call)
    return _Tempting(event)


def body_text(call, event):
    """Blocks that are text, which no server needs to take."""
    _start(call)
    return iter(["text, ", "and more"])


# ---------------------------------------------------------- wsgi.file_wrapper

def fact_has_file_wrapper(call):
    return call.file_wrapper is not None


class _File:
    def __init__(self, event=None):
        self._file = io.BytesIO(b"file content")
        self.closed = 0

    def read(self, size=-1):
        return self._file.read(size)

    def close(self):
        self.closed += 1


def fact_wrapper_calls(call):
    """Whether a file can be wrapped alone, and with a block size."""
    with open(__file__, "rb") as file:
        return outcome(call.file_wrapper, file), outcome(call.file_wrapper, file, 5)


def fact_wrapper(call):
    """What iteration of a wrapped file gives."""
    blocks = list(iter(call.file_wrapper(_File(), 5)))
    return {
        "types": sorted({class_name(type(block)) for block in blocks}),
        "content": b"".join(block for block in blocks if isinstance(block, bytes)),
    }


def fact_wrapper_close(call):
    """What close of the wrapper does, given that the file has it."""
    file = _File()
    close = getattr(call.file_wrapper(file, 5), "close", None)
    if close is not None:
        close()
    return {"has close": close is not None, "closed": file.closed}


def body_wrapped_memory(call, event):
    """A file in memory, whose fileno raises."""
    _start(call)
    return call.file_wrapper(io.BytesIO(b"file content"), 5)


# ----------------------------------------------------------------- exceptions

class exceptions:
    """What an application may raise, by name."""

    SystemExit = SystemExit
    KeyboardInterrupt = KeyboardInterrupt
    GeneratorExit = GeneratorExit

    class BaseException(BaseException):
        pass


# ------------------------------------------------------------- the application

# Attributes of the application object that were used: to call it is all that
# is done with it.
touched = []


class Trapped:
    """An object with attributes that a server might be tempted by."""


def _trap(name):
    def get(self):
        touched.append(name)
        raise AttributeError(name)

    return property(get)


for _name in ("app", "application", "asgi", "close", "handle", "handle_request", "process_request", "read", "run",
              "wsgi", "wsgi_app", "write"):
    setattr(Trapped, _name, _trap(_name))
