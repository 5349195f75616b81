"""A small WSGI server that keeps PEP 3333, with a switch for each fault.

usage: reference_server.py HOST PORT MODULE:CALLABLE [FAULT...]

It is the proof that the probes accuse nobody falsely, and each fault is the
proof that a probe finds something. It speaks HTTP/1.1, keeps connections, and
serves each in a thread. It is written for these tests and not for use.
"""
import importlib
import os
import re
import socket
import struct
import sys
import threading
import time
from urllib.parse import unquote_to_bytes

FAULTS = set()
ALL = object()  # no size was given, or no exc_info
TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")
CONTROL = re.compile(r"[\x00-\x1f\x7f]")
STATUS = re.compile(r"[1-9][0-9][0-9] (|[^ \x00-\x1f\x7f]|[^ \x00-\x1f\x7f][^\x00-\x1f\x7f]*[^ \x00-\x1f\x7f])\Z")
HOP_BY_HOP = {"connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te",
              "trailer", "trailers", "transfer-encoding", "upgrade"}


def fault(name):
    return name in FAULTS


class Refused(Exception):
    """The request is answered by the server itself."""

    def __init__(self, status):
        Exception.__init__(self, status)
        self.status = status


class Gone(OSError):
    """The client has left, or has not sent what it declared."""


# ---------------------------------------------------------------- the request

class Request:
    """The head of a request."""

    def __init__(self, file):
        line = self.line(file, first=True)
        parts = line.split(b" ")
        if len(parts) != 3 or not re.match(rb"HTTP/1\.[0-9]\Z", parts[2]):
            raise Refused("400 Bad Request")
        self.method, self.target, self.protocol = (part.decode("latin-1") for part in parts)
        if not TOKEN.match(self.method):
            raise Refused("400 Bad Request")
        self.fields = []
        while True:
            line = self.line(file)
            if not line:
                break
            name, colon, value = line.partition(b":")
            name, value = name.decode("latin-1"), value.strip(b" \t").decode("latin-1")
            if not colon or not TOKEN.match(name):
                raise Refused("400 Bad Request")
            self.fields.append((name.lower(), value))
        self.modern = self.protocol != "HTTP/1.0"
        hosts = self.all("host")
        if len(hosts) > 1 or self.modern and not hosts:
            raise Refused("400 Bad Request")
        self.length = self.body_length()
        self.persistent = self.modern and not self.says("connection", "close")
        self.expects = self.modern and self.says("expect", "100-continue")

    @staticmethod
    def line(file, first=False):
        line = file.readline(65537)
        if first and not line:
            raise Gone("the connection is at its end")
        if not line.endswith(b"\r\n") or len(line) > 65536:
            raise Refused("400 Bad Request")
        return line[:-2]

    def all(self, name):
        return [value for field, value in self.fields if field == name]

    def says(self, name, word):
        return any(word in (part.strip().lower() for part in value.split(",")) for value in self.all(name))

    def body_length(self):
        """The number of bytes of the body, -1 when it is chunked."""
        lengths = set(self.all("content-length"))
        codings = self.all("transfer-encoding")
        if codings:
            if lengths or not self.modern or [c.lower() for c in codings] != ["chunked"]:
                raise Refused("400 Bad Request")
            return -1
        if len(lengths) > 1 or not all(re.match(r"[0-9]{1,18}\Z", length) for length in lengths):
            raise Refused("400 Bad Request")
        return int(lengths.pop()) if lengths else 0


class Input:
    """wsgi.input: the body of the request, which ends where it ends."""

    def __init__(self, connection, request):
        self.connection, self.file = connection, connection.file
        self.expects = request.expects and request.length != 0
        self.chunked = request.length < 0
        self.left = max(request.length, 0)  # of the body, or of the chunk
        self.over = request.length == 0
        self.began = False

    def some(self, limit):
        """At most limit bytes, b"" at the end."""
        if self.over or limit == 0:
            return b""
        if self.expects:
            self.expects = False
            if not self.connection.sent_head:
                self.connection.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        if self.chunked and self.left == 0:
            self.next_chunk()
            if self.over:
                return b""
        data = self.file.read1(min(limit, self.left))
        if not data:
            self.connection.persistent = False
            raise Gone("the body is cut short")
        self.left -= len(data)
        if self.left == 0:
            if self.chunked:
                self.crlf()
            else:
                self.over = True
        return data

    def next_chunk(self):
        size = self.file.readline(1024).split(b";")[0].strip()
        if not re.match(rb"[0-9a-fA-F]{1,8}\Z", size):
            self.connection.persistent = False
            raise Gone("the body is cut short, or no chunk")
        self.left = int(size, 16)
        if self.left == 0:
            while self.file.readline(65537) not in (b"\r\n", b""):
                pass  # trailers
            self.over = True

    def crlf(self):
        if self.file.read(2) != b"\r\n":
            self.connection.persistent = False
            raise Gone("no end of a chunk")

    def read(self, size=ALL):
        if size is ALL and fault("read-needs-size"):
            raise TypeError("read() needs a size")
        if size is not ALL and (size is None and fault("read-none") or size == -1 and fault("read-minus")):
            raise ValueError("no such size")
        if size is ALL or size is None or size < 0 or size == 0 and fault("read-zero"):
            size = sys.maxsize
        parts = []
        while size > 0:
            part = self.some(min(size, 65536))
            if not part:
                break
            parts.append(part)
            size -= len(part)
            if fault("short-read"):
                break
        return self.given(b"".join(parts), "read")

    def readline(self, size=-1):
        limit = sys.maxsize if size is None or size < 0 else size
        line = b""
        while len(line) < limit and not line.endswith(b"\n"):
            part = self.some(1)
            if not part:
                break
            line += part
        return self.given(line, "readline")

    def readlines(self, hint=-1):
        lines, total = [], 0
        while True:
            line = self.readline()
            if not line:
                break
            lines.append(line)
            total += len(line)
            if hint is not None and 0 < hint <= total:
                break
        return tuple(lines) if fault("readlines-tuple") else lines

    def __iter__(self):
        if fault("iterates-text"):
            return (line.decode("latin-1") for line in iter(self.readline, b""))
        return iter(self.readline, b"")

    @staticmethod
    def given(data, method):
        return bytearray(data) if fault("bytearray-" + method) else data

    def drain(self):
        """Reads what the application has not, if it is not too much."""
        if self.expects and not self.over:
            return False  # the client has not sent it, and may never
        try:
            left = 1 << 20
            while left > 0:
                part = self.some(65536)
                if not part:
                    return True
                left -= len(part)
        except OSError:
            pass
        return False


class Errors:
    """wsgi.errors: text, in whole pieces."""

    lock = threading.Lock()

    def write(self, text):
        if not isinstance(text, str):
            raise TypeError("wsgi.errors takes str")
        with self.lock:
            sys.stderr.buffer.write(text.encode("utf-8", "backslashreplace"))

    def writelines(self, lines):
        self.write("".join(lines))

    def flush(self):
        sys.stderr.buffer.flush()


class FileWrapper:
    """wsgi.file_wrapper."""

    def __init__(self, file, size=None):
        if size is None and fault("wrapper-needs-size"):
            raise TypeError("a block size is needed")
        self.file, self.size = file, size or 8192
        if hasattr(file, "close") and not fault("wrapper-without-close"):
            self.close = file.close
        if fault("asks-fileno"):
            file.fileno()

    def __iter__(self):
        return self

    def __next__(self):
        block = self.file.read(self.size)
        if not block:
            raise StopIteration
        return bytearray(block) if fault("wrapper-bytearray") else block


class Dict(dict):
    pass


class Text(str):
    pass


def make_environ(request, body, server, client):
    target = request.target
    host = (request.all("host") or [None])[0]
    if "#" in target:
        raise Refused("400 Bad Request")
    if request.method == "CONNECT":
        raise Refused("501 Not Implemented")
    if target == "*":
        raise Refused("204 No Content" if request.method == "OPTIONS" else "400 Bad Request")
    absolute = re.match(r"https?://([^/?]*)([^?]*)(\?.*)?\Z", target, re.I | re.S)
    if absolute:
        host = absolute.group(1)
        target = (absolute.group(2) or "/") + (absolute.group(3) or "")
    path, _, query = target.partition("?")
    if not path.startswith("/") or re.search(r"%(?![0-9a-fA-F]{2})", path):
        raise Refused("400 Bad Request")
    environ = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path.encode("latin-1")).decode("latin-1"),
        "QUERY_STRING": query,
        "SERVER_NAME": server[0],
        "SERVER_PORT": str(server[1]),
        "SERVER_PROTOCOL": request.protocol,
        "SERVER_SOFTWARE": "reference",
        "GATEWAY_INTERFACE": "CGI/1.1",
        "REQUEST_URI": request.target,
        "REMOTE_ADDR": client[0],
        "REMOTE_PORT": str(client[1]),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": body,
        "wsgi.errors": Errors(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "wsgi.input_terminated": True,
        "wsgi.file_wrapper": FileWrapper,
    }
    for name, value in request.fields:
        if "_" in name or name in ("proxy", "transfer-encoding"):
            continue
        key = name.upper().replace("-", "_")
        if key not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            key = "HTTP_" + key
        if key in environ and key.startswith("HTTP_"):
            value = environ[key] + ("; " if key == "HTTP_COOKIE" else ", ") + value
        environ[key] = value
    if host is not None:
        environ["HTTP_HOST"] = host
    if fault("unicode-path"):
        environ["PATH_INFO"] = unquote_to_bytes(path.encode("latin-1")).decode("utf-8", "replace")
    if fault("text-subclass"):
        environ["REQUEST_METHOD"] = Text(request.method)
    if fault("text-subclass-scheme"):
        environ["wsgi.url_scheme"] = Text("http")
    if fault("bytes-path"):
        environ["HTTP_HOST"] = environ.get("HTTP_HOST", "").encode("latin-1")
    if fault("number-port"):
        environ["REMOTE_PORT"] = client[1]
    if fault("bytes-key"):
        environ[b"REMOTE_HOST"] = "localhost"
    if fault("list-version"):
        environ["wsgi.version"] = [1, 0]
    if fault("truthy-flags"):  # is none: only their truth counts
        environ.update({"wsgi.multithread": 1, "wsgi.multiprocess": 0, "wsgi.run_once": 0})
    return Dict(environ) if fault("dict-subclass") else environ


# --------------------------------------------------------------- the response

class Response:
    """The state machine of one response."""

    def __init__(self, connection, request):
        self.connection, self.request = connection, request
        self.status = self.headers = None
        self.sent = False  # the head is on the wire
        self.failed = False  # a call of start_response was refused
        self.over = False
        self.used_write = False
        self.chunked = False
        self.single = False  # the body says that it is one block
        self.length = None  # declared, or known
        self.count = 0
        self.kept = None

    def start_response(self, status, headers, exc_info=ALL):
        if self.over:
            raise RuntimeError("start_response: the request is over")
        if exc_info is None and fault("refuses-none"):
            raise TypeError("None for exc_info")
        if exc_info is None and fault("none-is-exc-info"):
            pass
        elif exc_info is not ALL and exc_info:
            if self.sent:
                self.failed = True
                if fault("bare-raise"):
                    raise  # what is being handled, if anything is
                raise exc_info[1].with_traceback(exc_info[2])
            if fault("keeps-exc-info"):
                self.kept = exc_info
        elif self.headers is not None or self.failed:
            self.failed = True
            raise AssertionError("start_response was called before, and without exc_info")
        self.status, self.headers, self.length = None, None, None
        self.failed = True  # until the new head is found good
        self.check(status, headers)
        self.status, self.headers = status, list(headers)
        self.failed = False
        exc_info = None
        return self.write

    def check(self, status, headers):
        if not (fault("bytes-status") and isinstance(status, bytes)):
            if type(status) is not str or not STATUS.match(status) or not latin1(status) or status < "2":
                raise ValueError("bad status %r" % (status,))
        if type(headers) is not list and not fault("any-headers"):
            raise TypeError("headers are a %s, expected a list" % type(headers).__name__)
        seen = False
        for header in headers:
            if fault("any-headers"):
                header = tuple(header)
            if type(header) is not tuple or len(header) != 2:
                raise TypeError("expected a tuple of two, got %r" % (header,))
            name, value = header
            if type(name) is not str or type(value) is not str:
                if fault("any-value"):
                    continue
                raise TypeError("expected two strings, got %r" % (header,))
            if fault("any-value") and not latin1(value):
                continue
            if not TOKEN.match(name) or name.lower() in HOP_BY_HOP:
                raise ValueError("bad name of a header: %r" % name)
            if CONTROL.search(value) or not latin1(value):
                raise ValueError("bad value of a header: %r" % value)
            if name.lower() == "content-length":
                if seen or not re.match(r"[0-9]+\Z", value):
                    raise ValueError("bad Content-Length %r" % value)
                seen, self.length = True, int(value)

    def write(self, data):
        if self.over:
            raise RuntimeError("write: the request is over")
        self.used_write = True
        self.block(data, commits=True)
        if self.length is not None and self.count > self.length:
            raise ValueError("more than the Content-Length")

    def block(self, data, commits=False):
        """Sends a block, and reports whether there is room for more."""
        if fault("drops-text") and isinstance(data, str):
            data = b""
        if type(data) is not bytes and not (fault("any-bytes") and isinstance(data, (bytes, bytearray))):
            raise TypeError("expected bytes, got %s" % type(data).__name__)
        if self.failed:
            raise AssertionError("start_response was refused")
        if self.headers is None:
            if not data:
                return True
            raise AssertionError("start_response was not called")
        if not data and not commits:
            return True
        if self.single and not self.used_write and self.length is None and not self.bodiless():
            self.length = len(data)
        self.head()
        before, self.count = self.count, self.count + len(data)
        if self.length is not None and not self.bodiless():
            data = data[:max(self.length - before, 0)]
        if data and not self.bodiless():
            if self.chunked:
                data = b"%x\r\n%s\r\n" % (len(data), data)
            self.connection.send(data)
        return self.length is None or self.count <= self.length

    def bodiless(self):
        return self.request.method == "HEAD" or self.status[:3] in ("204", "304")

    def head(self):
        if self.sent:
            return
        self.sent = self.connection.sent_head = True
        names = {name.lower() for name, _ in self.headers}
        lines = list(self.headers)
        if self.status[:3] == "204":
            lines = [(name, value) for name, value in lines if name.lower() != "content-length"]
        if self.length is None and not self.bodiless():
            if self.request.modern:
                self.chunked = True
                lines.append(("Transfer-Encoding", "chunked"))
            else:
                self.connection.persistent = False
        elif self.length is not None and "content-length" not in names:
            lines.append(("Content-Length", str(self.length)))
        if "date" not in names:
            lines.append(("Date", time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime())))
        if "server" not in names:
            lines.append(("Server", "reference"))
        if not self.connection.persistent or not self.request.persistent:
            lines.append(("Connection", "close"))
        head = "HTTP/1.1 %s\r\n" % self.text(self.status)
        for name, value in lines:
            head += "%s: %s\r\n" % (self.text(name), self.text(value))
        self.connection.send(head.encode("latin-1") + b"\r\n")

    @staticmethod
    def text(value):
        return value.decode("latin-1") if isinstance(value, bytes) else str(value)

    def run(self, app, environ):
        result = blocks = None
        try:
            if fault("touches-application"):
                app = getattr(app, "wsgi_app", app)
            if fault("keywords"):
                result = app(environ=environ, start_response=self.start_response)
            elif fault("third-argument"):
                result = app(environ, self.start_response, None)
            else:
                result = app(environ, self.start_response)
            if fault("touches-body"):
                getattr(result, "fileno", None)
            if fault("refuses-deque") and type(result).__name__ == "deque":
                raise TypeError("expected something more common")
            blocks = self.iterator(result)
            self.iterate(blocks)
            self.end()
        except Gone:
            self.connection.persistent = False
        except BaseException as exc:
            self.error(exc)
        finally:
            self.over = True
            try:
                if fault("closes-iterator") and hasattr(blocks, "close"):
                    blocks.close()
                if hasattr(result, "close") and not (fault("close-needs-iterator") and blocks is None):
                    result.close()
            except Exception as exc:
                log("close: %r" % exc)

    def iterator(self, result):
        if fault("iterates-twice"):
            iter(result)
        try:  # a body that is one block has the length of that block
            self.single = len(result) == 1
        except Exception:
            self.single = False
        if fault("wants-next") and not hasattr(result, "__next__") and type(result) not in (list, tuple):
            raise TypeError("expected an iterator")
        return iter(result)

    def iterate(self, blocks):
        for data in blocks:
            if not self.block(data):
                log("more than the Content-Length")
                break
        else:
            if fault("asks-after-end"):
                next(blocks, None)

    def end(self):
        if self.failed:
            raise AssertionError("start_response was refused")
        if self.headers is None:
            raise AssertionError("start_response was not called")
        self.head()
        if self.chunked:
            self.connection.send(b"0\r\n\r\n")
        if self.length is not None and self.count < self.length and not self.bodiless():
            log("less than the Content-Length")
            self.connection.persistent = False

    def error(self, exc):
        log("%s: %s" % (type(exc).__name__, exc))
        if fault("hangs-on-exit") and isinstance(exc, SystemExit):
            time.sleep(60)
        if fault("dies-on-exit") and isinstance(exc, SystemExit):
            os._exit(1)
        if fault("exit-ends-all") and isinstance(exc, SystemExit):
            for connection in list(Connection.all):
                if connection is not self.connection:
                    connection.sock.shutdown(socket.SHUT_RDWR)
        if self.sent:
            self.connection.abort(reset=not self.chunked and self.length is None and not self.bodiless())
            return
        try:
            self.connection.answer("500 Internal Server Error", self.request)
        except OSError:
            self.connection.persistent = False


def latin1(text):
    return all(ord(c) < 256 for c in text)


def log(text):
    Errors().write("reference: %s\n" % text)


# ------------------------------------------------------------- the connection

class Connection:
    all = set()

    def __init__(self, sock, app):
        self.sock, self.app = sock, app
        self.all.add(self)
        self.file = sock.makefile("rb")
        self.persistent = True
        self.sent_head = False

    def send(self, data):
        try:
            self.sock.sendall(data)
        except OSError as exc:
            raise Gone(str(exc))

    def answer(self, status, request=None):
        """A response of the server's own."""
        text = b"" if status.startswith("204") else (status + "\n").encode()
        head = "HTTP/1.1 %s\r\nDate: %s\r\nServer: reference\r\n" % (
            status, time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime()))
        if text:
            head += "Content-Type: text/plain\r\nContent-Length: %d\r\n" % len(text)
        if request is None or not request.persistent:
            self.persistent = False
            head += "Connection: close\r\n"
        self.sent_head = True
        self.send(head.encode() + b"\r\n" + (b"" if request is not None and request.method == "HEAD" else text))

    def abort(self, reset):
        """Ends a response so that the client sees that it is not whole."""
        self.persistent = False
        if reset:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def serve(self):
        try:
            while self.persistent:
                self.sent_head = False
                if not self.serve_one():
                    break
        except OSError:
            pass
        finally:
            self.close()

    def serve_one(self):
        request = None
        try:
            request = Request(self.file)
            body = Input(self, request)
            environ = make_environ(request, body, self.sock.getsockname(), self.sock.getpeername())
        except Refused as refused:
            keeps = request is not None and request.length == 0 and refused.status.startswith("204")
            self.answer(refused.status, request if keeps else None)
            return keeps
        Response(self, request).run(self.app, environ)
        return self.persistent and request.persistent and body.drain()

    def close(self):
        """Closes so that what was sent arrives, though not all was read."""
        try:
            self.sock.shutdown(socket.SHUT_WR)
            self.sock.settimeout(0.2)
            while self.sock.recv(65536):
                pass
        except OSError:
            pass
        self.all.discard(self)
        self.file.close()
        self.sock.close()


def main(host, port, target, *faults):
    FAULTS.update(faults)
    module, _, name = target.partition(":")
    app = getattr(importlib.import_module(module), name)
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, int(port)))
    listener.listen(64)
    if int(port) == 0:  # whoever has chosen one before may find it taken
        print(listener.getsockname()[1], flush=True)
    while True:
        sock, _ = listener.accept()
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=Connection(sock, app).serve, daemon=True).start()


if __name__ == "__main__":
    main(*sys.argv[1:])
