"""The smallest application, and bodies of 1 MiB in both directions."""
MIB = b"x" * (1 << 20)


def app(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/":
        body = b"Hello, world!\n"
    elif path == "/download":
        body = MIB
    else:
        stream, total = environ["wsgi.input"], 0
        left = int(environ.get("CONTENT_LENGTH") or 0)
        while left > 0:
            block = stream.read(min(left, 64 << 10))
            if not block:
                break
            left -= len(block)
            total += len(block)
        body = b"%d" % total
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]
