"""Applications for tests: good ones, and one for each mistake."""
import io
import sys
import time

TEXT = ("Content-Type", "text/plain")


def good(environ, start_response):
    body = b"%s %s\n" % (environ["REQUEST_METHOD"].encode("latin-1"), environ["PATH_INFO"].encode("latin-1"))
    start_response("200 OK", [TEXT, ("Content-Length", str(len(body)))])
    return [body]


application = good


class Class:
    """Starts late, in its first iteration."""

    def __init__(self, environ, start_response):
        self.start_response = start_response
        self.blocks = iter([b"late ", b"start"])
        self.begun = False

    def __iter__(self):
        return self

    def __next__(self):
        if not self.begun:
            self.begun = True
            self.start_response("200 OK", [TEXT])
        return next(self.blocks)


class Namespace:
    @staticmethod
    def nested(environ, start_response):
        return good(environ, start_response)


def factory():
    return good


def echo(environ, start_response):
    """Uses every method of wsgi.input and of wsgi.errors."""
    stream = environ["wsgi.input"]
    parts = [stream.read(2), stream.readline(), stream.readline(2), b"".join(stream.readlines(3)), b"".join(stream)]
    parts.append(stream.read())
    environ["wsgi.errors"].write("a line \u20ac\n")
    environ["wsgi.errors"].writelines(["one\n", "two\n"])
    environ["wsgi.errors"].flush()
    start_response("200 OK", [TEXT])
    return [b"|".join(parts)]


def writes(environ, start_response):
    write = start_response("200 OK", [TEXT])
    write(b"written ")
    return [b"and yielded"]


class Closing:
    closed = 0

    def __init__(self, blocks):
        self.blocks = blocks

    def __iter__(self):
        return iter(self.blocks)

    def close(self):
        Closing.closed += 1


def closing(environ, start_response):
    start_response("200 OK", [TEXT])
    return Closing([b"%d" % Closing.closed])


def recovers(environ, start_response):
    """Has an error page."""
    start_response("200 OK", [TEXT])
    try:
        raise ValueError("on purpose")
    except ValueError:
        start_response("500 Sorry", [TEXT], sys.exc_info())
    return [b"sorry"]


def fails(environ, start_response):
    raise ValueError("on purpose")


def fails_late(environ, start_response):
    start_response("200 OK", [TEXT])
    yield b"begun"
    try:
        raise ValueError("on purpose")
    except ValueError:
        start_response("500 Sorry", [TEXT], sys.exc_info())


def exits(environ, start_response):
    sys.exit(3)


def wraps_file(environ, start_response):
    start_response("200 OK", [TEXT])
    return environ["wsgi.file_wrapper"](io.BytesIO(b"file content"), 5)


def slow(environ, start_response):
    time.sleep(60)


def dies(environ, start_response):
    import os
    os._exit(7)


# One mistake each.

def _text_block(environ, start_response):
    start_response("200 OK", [TEXT])
    return ["text"]


def _bytearray_block(environ, start_response):
    start_response("200 OK", [TEXT])
    return [bytearray(b"almost")]


def _keywords(environ, start_response):
    start_response(status="200 OK", headers=[TEXT])
    return [b""]


def _tuple_headers(environ, start_response):
    start_response("200 OK", (TEXT,))
    return [b""]


def _list_header(environ, start_response):
    start_response("200 OK", [list(TEXT)])
    return [b""]


def _bytes_status(environ, start_response):
    start_response(b"200 OK", [TEXT])
    return [b""]


class _Text(str):
    pass


def _subclass_status(environ, start_response):
    start_response(_Text("200 OK"), [TEXT])
    return [b""]


def _wide_header(environ, start_response):
    start_response("200 OK", [("X-Price", "\u20ac")])
    return [b""]


def _no_tuple_exc_info(environ, start_response):
    start_response("500 Sorry", [TEXT], ValueError("no triple"))
    return [b""]


def _returns_none(environ, start_response):
    start_response("200 OK", [TEXT])


def _returns_number(environ, start_response):
    start_response("200 OK", [TEXT])
    return 7


def _returns_bytes(environ, start_response):
    start_response("200 OK", [TEXT])
    return b"bytes"


class _Lying(list):
    def __len__(self):
        return 1


def _lying_len(environ, start_response):
    start_response("200 OK", [TEXT])
    return _Lying([b"one", b"two"])


class _Raising(list):
    def __len__(self):
        raise RuntimeError("no length")


def _raising_len(environ, start_response):
    start_response("200 OK", [TEXT])
    return _Raising([b"one"])


def _write_keyword(environ, start_response):
    start_response("200 OK", [TEXT])(data=b"x")
    return [b""]


def _changes_headers(environ, start_response):
    headers = [TEXT]
    start_response("200 OK", headers)
    headers.append(("X-Late", "1"))
    return [b"x"]


def _closes_input(environ, start_response):
    environ["wsgi.input"].close()
    start_response("200 OK", [TEXT])
    return [b""]


def _seeks_input(environ, start_response):
    hasattr(environ["wsgi.input"], "seek")
    start_response("200 OK", [TEXT])
    return [b""]


def _closes_errors(environ, start_response):
    environ["wsgi.errors"].close()
    start_response("200 OK", [TEXT])
    return [b""]


def _names_errors(environ, start_response):
    getattr(environ["wsgi.errors"], "fileno", None)
    start_response("200 OK", [TEXT])
    return [b""]


def _bytes_to_errors(environ, start_response):
    environ["wsgi.errors"].write(b"bytes")
    start_response("200 OK", [TEXT])
    return [b""]


def _bytes_key(environ, start_response):
    environ[b"key"] = "value"
    start_response("200 OK", [TEXT])
    return [b""]
