"""Imports a WSGI application and calls it for a process that checks it.

usage: gowsgi_driver.py FOLDER TARGET

FOLDER tells where that process listens. TARGET is module:callable,
module:factory() or path/file.py:callable. Each thread has a connection of its
own and serves one call after the other. What an application can do wrong in
Python alone is looked at here, on the objects themselves, and told as findings.

This file is part of gowsgi's conformance checks. It uses the standard library
only, and runs on CPython 3.8 and later.
"""
import importlib
import importlib.machinery
import importlib.util
import os
import sys
import threading
import traceback

FOLDER = sys.argv[1]
sys.path.insert(0, FOLDER)
from gowsgi_wire import (APP, CALL, CLOSE, CLOSED, EVENT, LANE, NEXT, RAISE, RAISED, RESULT, RETURN, STOP, YIELD,
                         class_name, connect, shorten)
sys.path.remove(FOLDER)

BLOCK = 1 << 20  # bytes that are asked for at once


class ServerError(Exception):
    """An error of the server that calls the application."""


class BrokenContract(TypeError):
    """A mistake of the application that leaves nothing to pass on."""


class InputError(OSError):
    """An error of wsgi.input."""


def load(target):
    """The application that target names."""
    name, colon, attribute = target.rpartition(":")
    if not colon or attribute.endswith(".py") or os.sep in attribute:
        name, attribute = target, "application"
    # mysite.wsgi is a module, ./mysite.wsgi a file of mod_wsgi.
    script = name.endswith(".wsgi") and os.sep in name
    if script or name.endswith(".py"):
        path = os.path.abspath(name)
        sys.path[0] = os.path.dirname(path)
        module_name = os.path.splitext(os.path.basename(path))[0]
        if script:
            # It mostly has the name of the package that it imports.
            module_name = "_wsgi_file_" + module_name
        loader = importlib.machinery.SourceFileLoader(module_name, path)
        spec = importlib.util.spec_from_file_location(module_name, path, loader=loader)
        module = importlib.util.module_from_spec(spec)
        sys.modules[module_name] = module
        spec.loader.exec_module(module)
    else:
        sys.path[0] = os.getcwd()
        module = importlib.import_module(name)
    factory = attribute.endswith("()")
    found = module
    for part in (attribute[:-2] if factory else attribute).split("."):
        found = getattr(found, part)
    if factory:
        found = found()
    if not callable(found):
        raise TypeError("%s is %s, which cannot be called" % (target, class_name(type(found))))
    return found


class Call:
    """One call of the application, on one connection."""

    def __init__(self, stream):
        self.stream = stream
        self.lock = threading.RLock()
        self.turn = False  # the application is at work
        self.raised = []  # exceptions that the other side was told of
        self.given = {}  # exceptions that stand for errors of the other side
        self.body = self.blocks = None
        self.count = 0  # of blocks
        self.size = None  # what len says that this should become
        self.told = set()
        self.lists = []  # of headers, and what was in them when they were given

    def finding(self, rule, detail):
        """Tells the other side that the application broke a rule, once."""
        if rule not in self.told:
            self.told.add(rule)
            with self.lock:
                self.stream.send(EVENT, (rule, detail))

    def ask(self, *what):
        """Asks the other side to do something, as the server it is."""
        with self.lock:
            if not self.turn:
                raise ServerError("the request is over, or nobody waits for what it does")
            self.stream.send(CALL, list(what))
            kind, value = self.stream.receive()
        if kind == RAISED:
            raise self.exception(value)
        return value

    def describe(self, exc):
        try:
            text = str(exc)[:2000]
        except Exception:
            text = "?"
        trace = "".join(traceback.format_exception(type(exc), exc, exc.__traceback__))[-8000:]
        key = next((key for key, given in self.given.items() if given is exc), -1)
        for number, known in enumerate(self.raised):
            if known is exc:
                break
        else:
            number = len(self.raised)
            self.raised.append(exc)
        return (class_name(type(exc)), text, number, key, trace)

    def exception(self, value):
        if value[0] == "raised":
            return self.raised[value[1]]
        _, key, text, is_input = value
        if key not in self.given:
            self.given[key] = (InputError if is_input else ServerError)(text)
        return self.given[key]

    # The server's side of the contract.

    def start_response(self, *args, **named):
        if named:
            self.finding("CALL-05", "start_response was called with the keywords %s, expected positional arguments"
                         % ", ".join(sorted(named)))
            known = ("status", "response_headers", "headers", "exc_info")
            args += tuple(named[name] for name in known if name in named)
        if not 2 <= len(args) <= 3:
            raise TypeError("start_response takes two or three positional arguments, got %d" % len(args))
        status, headers = args[:2]
        exc_info = args[2] if len(args) == 3 else None
        status = self.text("status", status)
        if type(headers) is not list:
            self.finding("HDR-06", "headers are a %s, expected a list and nothing else" % class_name(type(headers)))
        pairs = [self.header(header) for header in headers]
        changed = self.ask("start", status, pairs, self.exc_info(exc_info))
        if type(headers) is list:
            if changed is not None:  # the list is the server's now (HDR-07)
                headers[:] = [tuple(pair) for pair in changed]
            self.lists.append((headers, list(headers)))
        return self.write

    def text(self, what, value):
        if not isinstance(value, str):
            self.finding("STR-02", "%s is %s, a %s, expected a str" % (what, shorten(value), class_name(type(value))))
            raise BrokenContract("%s is a %s, expected a str" % (what, class_name(type(value))))
        if type(value) is not str:
            self.finding("STR-09", "%s is a %s, expected a str and no object of a subclass"
                         % (what, class_name(type(value))))
        if any(ord(c) > 255 for c in value):
            self.finding("STR-05", "%s is %s, expected characters that stand for a byte" % (what, ascii(value)))
            raise BrokenContract("%s is %s, expected characters up to U+00FF" % (what, ascii(value)))
        return str.__str__(value)

    def header(self, header):
        if type(header) is not tuple or len(header) != 2:
            self.finding("HDR-08", "a header is %s, expected a tuple of two" % shorten(header))
            if not isinstance(header, (tuple, list)) or len(header) != 2:
                raise BrokenContract("a header is %s" % shorten(header))
        name, value = header
        return (self.text("the name of a header", name), self.text("the value of a header", value))

    def exc_info(self, info):
        if info is None:
            return None
        genuine = type(info) is tuple and len(info) == 3 and isinstance(info[1], BaseException)
        if not genuine:
            self.finding("START-11", "exc_info is %s, expected what sys.exc_info() gives in an except block" % shorten(info))
            info = (None, TypeError("exc_info is %s" % shorten(info)), None)
        return self.describe(info[1])

    def write(self, *args, **named):
        if named or len(args) != 1:
            self.finding("CALL-06", "write was called with %d positional arguments and %d keywords, expected one argument"
                         % (len(args), len(named)))
            raise BrokenContract("write takes one positional argument")
        self.ask("write", self.block("write was given", args[0]))

    def block(self, what, block):
        if not isinstance(block, (bytes, bytearray, memoryview)):
            self.finding("STR-03", "%s %s, a %s, expected bytes" % (what, shorten(block, 60), class_name(type(block))))
            raise BrokenContract("%s a %s, expected bytes" % (what, class_name(type(block))))
        if type(block) is not bytes:
            self.finding("STR-11", "%s a %s, expected bytes and nothing else" % (what, class_name(type(block))))
        return bytes(block)

    # What the other side wants of the application.

    def begin(self, app, variables):
        environ = {}
        for key, value in variables:
            environ[key] = value
        if "wsgi.input" in environ:
            environ["wsgi.input"] = Input(self)
        if "wsgi.errors" in environ:
            environ["wsgi.errors"] = Errors(self)
        if "wsgi.file_wrapper" in environ:
            environ["wsgi.file_wrapper"] = FileWrapper
        self.body = body = app(environ, self.start_response)
        for key in environ:
            if type(key) is not str:
                self.finding("ENV-22", "environ has the key %s, expected nothing but str" % shorten(key))
        if body is None:
            self.finding("BODY-01", "the application returned None, expected an iterable")
            return ("none", None)
        if isinstance(body, (bytes, str)):
            self.finding("BODY-20", "the application returned a %s, expected an iterable of blocks"
                         % class_name(type(body)))
        if not hasattr(type(body), "__iter__") and not hasattr(type(body), "__getitem__"):
            self.finding("BODY-01", "the application returned a %s, which cannot be iterated" % class_name(type(body)))
        if hasattr(type(body), "__len__"):
            try:
                self.size = len(body)
            except Exception as exc:
                self.finding("BODY-07", "len of the body raised %s, expected the number of blocks" % class_name(type(exc)))
        return ("body", self.size)

    def next(self):
        if self.blocks is None:
            self.blocks = iter(self.body)
        for block in self.blocks:
            self.count += 1
            if self.size is not None and self.count > self.size:
                self.finding("BODY-07", "len of the body was %d, expected the number of blocks, which is more" % self.size)
            return (YIELD, self.block("the body yielded", block))
        if self.size is not None and self.size != self.count:
            self.finding("BODY-07", "len of the body was %d, expected the number of blocks, which is %d"
                         % (self.size, self.count))
        return (STOP, None)

    def close(self):
        close = getattr(self.body, "close", None)
        self.body = self.blocks = None
        try:
            if close is not None:
                close()
        finally:
            for given, was in self.lists:
                if given != was:
                    self.finding("START-27", "the list of headers became %s after start_response, expected it to stay %s"
                                 % (shorten(given), shorten(was)))


class _Stream:
    """A stream that has what the contract names, and tells of everything else."""

    _rule, _name = "", ""

    def __init__(self, call):
        self._call = call

    def __getattr__(self, name):
        if not name.startswith("__"):
            self._call.finding(self._rule, "%s.%s was used, expected nothing but the methods of PEP 3333"
                               % (self._name, name))
        raise AttributeError(name)


class Input(_Stream):
    """wsgi.input"""

    _rule, _name = "INPUT-14", "wsgi.input"

    def read(self, size=-1):
        left = sys.maxsize if size is None or size < 0 else size
        parts = []
        while left > 0:
            part = self._call.ask("read", min(left, BLOCK))
            if not part:
                break
            parts.append(part)
            left -= len(part)
        return b"".join(parts)

    def readline(self, size=-1):
        return self._call.ask("readline", -1 if size is None else size)

    def readlines(self, hint=-1):
        lines, total = [], 0
        for line in self:
            lines.append(line)
            total += len(line)
            if hint is not None and 0 < hint <= total:
                break
        return lines

    def __iter__(self):
        return iter(self.readline, b"")

    def close(self):
        self._call.finding("INPUT-15", "wsgi.input.close() was called, expected it to be left to the server")


class Errors(_Stream):
    """wsgi.errors"""

    _rule, _name = "LOG-09", "wsgi.errors"

    def write(self, text):
        if not isinstance(text, str):
            self._call.finding("LOG-14", "wsgi.errors.write was given a %s, expected text" % class_name(type(text)))
            raise TypeError("expected a str, got %s" % class_name(type(text)))
        self._call.ask("log", text.encode("utf-8", "surrogateescape" if _escapes(text) else "backslashreplace"))

    def writelines(self, lines):
        for line in lines:
            self.write(line)

    def flush(self):
        self._call.ask("flush")

    def close(self):
        self._call.finding("LOG-10", "wsgi.errors.close() was called, expected it to be left to the server")


def _escapes(text):
    try:
        text.encode("utf-8", "surrogateescape")
        return True
    except UnicodeEncodeError:
        return False


class FileWrapper:
    """wsgi.file_wrapper"""

    def __init__(self, file, size=8192):
        self._file, self._size = file, size
        if hasattr(file, "close"):
            self.close = file.close

    def __iter__(self):
        return self

    def __next__(self):
        block = self._file.read(self._size)
        if not block:
            raise StopIteration
        return block


def serve(app, token):
    """Serves calls on a connection of its own until that ends."""
    stream, _ = connect(FOLDER)
    stream.send(LANE, (token, "lane"))
    call = None
    while True:
        try:
            kind, value = stream.receive()
        except OSError:
            return
        try:
            if kind == APP:
                call = Call(stream)
            call.turn = True
            if kind == APP:
                answer = (RETURN, call.begin(app, value))
            elif kind == NEXT:
                answer = call.next()
            elif kind == CLOSE:
                call.close()
                answer = (CLOSED, None)
        except BaseException as exc:
            answer = (RAISE, call.describe(exc))
        with call.lock:  # other threads of the application may be at it
            call.turn = False
            stream.send(*answer)


def main():
    stream, token = connect(FOLDER)
    stream.send(LANE, (token, "control"))
    try:
        app = load(sys.argv[2])
    except BaseException:
        stream.send(RAISE, traceback.format_exc()[-8000:])
        return
    stream.send(RESULT, None)
    while True:
        try:
            stream.receive()
        except OSError:
            os._exit(0)  # nobody is there to call the application any more
        threading.Thread(target=serve, args=(app, token), daemon=True).start()


if __name__ == "__main__":
    main()
