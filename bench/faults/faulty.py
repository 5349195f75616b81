"""An application that does, on request, what applications should not."""
import ctypes
import os


def app(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/exit":
        os._exit(7)
    elif path == "/segfault":
        ctypes.string_at(0)
    elif path == "/loop":
        while True:
            pass
    elif path == "/bomb":
        hoard = []
        while True:
            hoard.append(bytearray(1 << 20))
    elif path == "/upload":
        total, stream = 0, environ["wsgi.input"]
        while block := stream.read(1 << 16):
            total += len(block)
        body = [b"%d" % total]
    elif path == "/download":
        body = (bytes(1 << 16) for _ in range(int(environ["QUERY_STRING"]) << 4))
    else:
        body = [b"Hello, world!\n"]
    start_response("200 OK", [("Content-Type", "text/plain")])
    return body
