"""The application that a Python server loads to be checked by gowsgi.

It is the hands of an application in another process, which is written in Go:
for each call it connects to that process, tells it of the call, and does what
it is told until that application returns. It knows nothing of what is checked.

This file is part of gowsgi's conformance checks. It uses the standard library
only, and runs on CPython 3.8 and later.
"""
import collections
import io
import itertools
import os
import sys
import threading

_HERE = os.path.dirname(os.path.abspath(__file__))
if _HERE not in sys.path:  # mod_wsgi loads files, whatever the path
    sys.path.insert(0, _HERE)

import gowsgi_facts
from gowsgi_wire import (APP, CALL, CLOSE, CLOSED, EVENT, NEXT, RAISE, RAISED, RESULT, RETURN, STOP, YIELD,
                         Malformed, class_name, connect)


class ProbeError(Exception):
    """An error that the application in Go returned."""


class ProbePanic(ProbeError):
    """A panic of the application in Go."""


class Elsewhere(Exception):
    """What should be used belongs to another process, or is long gone."""


# The callables of the last calls of this process, which may be used too late
# on purpose.
_past = collections.OrderedDict()
_numbers = itertools.count(1)
_PAST = 16


class Call:
    """One call of the application."""

    def __init__(self, environ, start_response, how):
        self.environ = environ
        self.start_response = start_response
        self.how = how
        self.number = next(_numbers)
        self.writes = []
        self.input = environ.get("wsgi.input")
        self.errors = environ.get("wsgi.errors")
        self.file_wrapper = environ.get("wsgi.file_wrapper")
        self.lines = None
        self.objects = []  # what was made on this side and is known by its number
        self.raised = []  # exceptions that the other side was told of
        self.given = {}  # exceptions that stand for errors of the other side
        self.lock = threading.RLock()
        _past[self.number] = (start_response, self.writes)
        while len(_past) > _PAST:
            _past.popitem(last=False)
        self.stream, self.token = connect(_HERE)

    def __del__(self):
        stream = getattr(self, "stream", None)
        if stream is not None:
            stream.close()  # what the other side takes for the end of the call

    def run(self):
        kind, value = self.tell(APP, [
            self.token, self.number, os.getpid(), self.how,
            gowsgi_facts.variables(self.environ),
        ])
        if kind == RAISE:
            raise self.exception(value)
        if kind != RETURN:
            raise Malformed("frame %r in the place of a return" % kind)
        shape = value[0]
        if shape == "list":
            return list(value[1])
        if shape == "body":
            return Body(self)
        if shape == "sized":
            return SizedBody(self, value[1])
        if shape == "object":
            return self.objects[value[1]]
        return None

    def tell(self, kind, value=None):
        """Tells the other side something, and does what it says until it answers."""
        with self.lock:
            self.stream.send(kind, value)
            while True:
                kind, value = self.stream.receive()
                if kind != CALL:
                    return kind, value
                self.obey(value)

    def ask(self, *what):
        """Asks the other side for something that one of its objects does."""
        kind, value = self.tell(CALL, list(what))
        if kind == RAISE:
            raise self.exception(value)
        return value

    def event(self, watcher, text):
        """Tells the other side of something that happened to an object of this one."""
        with self.lock:
            self.stream.send(EVENT, (watcher, text))

    def obey(self, value):
        name, args = value[0], value[1:]
        if name == "environ":  # wants no answer
            changes, deleted = args
            self.environ.update(changes)
            for key in deleted:
                self.environ.pop(key, None)
            return
        try:
            result = getattr(self, "do_" + name)(*args)
        except BaseException as exc:
            self.stream.send(RAISED, self.describe(exc))
        else:
            self.stream.send(RESULT, result)

    # Exceptions, as (class, text, number, key). The number tells exceptions of
    # this side from one another, the key is that of an error of the other side.

    def describe(self, exc):
        try:
            text = str(exc)[:2000]
        except Exception:
            text = "?"
        key = next((key for key, given in self.given.items() if given is exc), -1)
        self.raised.append(exc)
        return (class_name(type(exc)), text, len(self.raised) - 1, key)

    def exception(self, value):
        if value[0] == "raised":
            return self.raised[value[1]]
        _, key, text, panicked = value
        if key not in self.given:
            self.given[key] = (ProbePanic if panicked else ProbeError)(text)
        return self.given[key]

    # What the other side may want done.

    def do_start(self, status, headers, cause):
        headers = [tuple(header) for header in headers]
        if cause is None:
            write = self.start_response(status, headers)
        else:
            try:
                raise self.exception(cause)
            except BaseException:
                write = self.start_response(status, headers, sys.exc_info())
        self.writes.append(write)
        return (len(self.writes) - 1, callable(write))

    def do_write(self, number, block):
        self.writes[number](block)

    def do_late(self, number, name, *args):
        if number not in _past:
            raise Elsewhere("the callables of call %d are not in this process" % number)
        start_response, writes = _past[number]
        if name == "write":
            writes[args[0]](args[1])
            return None
        status, headers, cause = args
        headers = [tuple(header) for header in headers]
        if cause is None:
            start_response(status, headers)
            return None
        try:
            raise self.exception(cause)
        except BaseException:
            start_response(status, headers, sys.exc_info())

    def do_read(self, size):
        return _content("read", self.input.read(size))

    def do_readline(self, *size):
        return _content("readline", self.input.readline(*size))

    def do_readlines(self, *hint):
        return [_content("readlines", line) for line in self.input.readlines(*hint)]

    def do_next_line(self):
        if self.lines is None:
            self.lines = iter(self.input)
        for line in self.lines:
            return _content("iteration", line)
        self.lines = None
        return None

    def do_log(self, text):
        self.errors.write(_text(text))

    def do_log_lines(self, lines):
        self.errors.writelines([_text(line) for line in lines])

    def do_flush(self):
        self.errors.flush()

    def do_wrap(self, kind, file, closable, size, *where):
        """Gives a file to the server's file_wrapper."""
        if kind == "descriptor":
            file = RealFile(self, file, closable, self.stream.receive_file())
        elif kind == "name":
            file = RealFile(self, file, closable, os.open(where[0], os.O_RDONLY | getattr(os, "O_BINARY", 0)))
            file.seek(where[1])
        elif closable:
            file = ClosableReader(self, file)
        else:
            file = Reader(self, file)
        self.objects.append(self.file_wrapper(file, size) if size > 0 else self.file_wrapper(file))
        return (len(self.objects) - 1, hasattr(self.objects[-1], "close"))

    def do_iterate(self, number):
        self.objects.append(iter(self.objects[number]))
        return len(self.objects) - 1

    def do_next(self, number):
        for block in self.objects[number]:
            return _content("iteration", block)
        return None

    def do_close(self, number):
        self.objects[number].close()

    def do_fact(self, name, args):
        return getattr(gowsgi_facts, "fact_" + name)(self, *args)

    def do_object(self, name, watcher, args):
        event = lambda text: self.event(watcher, text)
        self.objects.append(getattr(gowsgi_facts, "body_" + name)(self, event, *args))
        return len(self.objects) - 1

    def do_exception(self, name, text):
        return self.describe(getattr(gowsgi_facts.exceptions, name)(text))


def _content(method, value):
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value)
    raise TypeError("%s gave %s, expected bytes" % (method, class_name(type(value))))


def _text(data):
    """Text out of bytes that are UTF-8, or nearly so."""
    return data.decode("utf-8", "surrogateescape")


class Body:
    """The body of a response whose blocks are made on the other side."""

    def __init__(self, call):
        self._call = call

    def __iter__(self):
        return self

    def __next__(self):
        kind, value = self._call.tell(NEXT)
        if kind == YIELD:
            return value
        if kind == RAISE:
            raise self._call.exception(value)
        if kind != STOP:
            raise Malformed("frame %r in the place of a block" % kind)
        raise StopIteration

    def close(self):
        kind, value = self._call.tell(CLOSE)
        if kind == RAISE:
            raise self._call.exception(value)
        if kind != CLOSED:
            raise Malformed("frame %r in the place of a close" % kind)


class SizedBody(Body):
    """A Body that says how many blocks it has, rightly or not."""

    def __init__(self, call, size):
        Body.__init__(self, call)
        self._size = size

    def __len__(self):
        return self._size


class Reader:
    """A file-like object whose content is on the other side. It has read only."""

    def __init__(self, call, number):
        self._call, self._number = call, number

    def read(self, size=-1):
        return self._call.ask("read", self._number, -1 if size is None else size)


class ClosableReader(Reader):
    def close(self):
        self._call.ask("close", self._number)


class RealFile(io.BufferedReader):
    """An open file of this process. That it is closed is told to the other side."""

    def __init__(self, call, number, closable, descriptor):
        io.BufferedReader.__init__(self, io.FileIO(descriptor, "rb", closefd=True))
        self._call, self._number, self._tells = call, number, closable

    def close(self):
        tells, self._tells = self._tells, False
        io.BufferedReader.close(self)
        if tells:
            self._call.ask("close", self._number)

    def __del__(self):  # to be forgotten is not to be closed
        self._tells = False
        io.BufferedReader.close(self)


def application(environ=None, start_response=None, /, *more, **named):
    """The application."""
    return _enter("function", environ, start_response, more, named)


def _enter(shape, environ, start_response, more, named):
    how = {"shape": shape, "more": len(more), "named": list(named), "touched": list(gowsgi_facts.touched)}
    if named:  # against the rules, and the check is to go on
        environ, start_response = list(named.values())[:2] if environ is None else (environ, list(named.values())[0])
    return Call(environ, start_response, how).run()


class _Class:
    """The application as a class, whose instances are the body."""

    def __init__(self, environ=None, start_response=None, /, *more, **named):
        self._given = (environ, start_response, more, named)
        self._body = self._blocks = None

    def __iter__(self):
        return self

    def __next__(self):
        if self._blocks is None:
            self._body = _enter("class", *self._given)
            self._blocks = iter(self._body)
        return next(self._blocks)

    def close(self):
        if hasattr(self._body, "close"):
            self._body.close()


class _Instance(gowsgi_facts.Trapped):
    """The application as an instance, and as a method of one."""

    def __call__(self, environ=None, start_response=None, /, *more, **named):
        return _enter("instance", environ, start_response, more, named)

    def method(self, environ=None, start_response=None, /, *more, **named):
        return _enter("method", environ, start_response, more, named)


application_class = _Class
application_instance = _Instance()
application_method = application_instance.method
