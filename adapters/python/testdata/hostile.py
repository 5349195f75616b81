"""Applications that do what no application should, and some do."""
import os
import signal
import socket
import tempfile
import time


TEXT = [("Content-Type", "text/plain")]


class Late(Exception):
    pass


def alarm(seconds):
    """The limit of time of many a library: an exception, wherever the code is."""

    def raise_late(*_):
        raise Late

    signal.signal(signal.SIGALRM, raise_late)
    signal.setitimer(signal.ITIMER_REAL, seconds)


def sends_until_late(environ, start_response):
    """Catches the alarm itself, and says so."""
    write = start_response("200 OK", TEXT)
    alarm(0.3)
    try:
        while True:
            write(b"a" * 200000)
    except Late:
        print("caught Late", flush=True)
    return []


def reads_until_late(environ, start_response):
    alarm(0.3)
    try:
        while environ["wsgi.input"].read(50000):
            pass
    except Late:
        print("caught Late", flush=True)
    start_response("408 Request Timeout", TEXT)
    return [b"late"]


def echo(environ, start_response):
    body = environ["wsgi.input"].read()
    start_response("200 OK", TEXT)
    return [body]


def forks(environ, start_response):
    """Goes on as two."""
    child = os.fork()
    if child:
        os.waitpid(child, 0)
    start_response("200 OK", TEXT)
    return [b"child" if child == 0 else b"parent"] * 2


def leaves_group(environ, start_response):
    os.setpgid(0, os.getpgid(os.getppid()))
    time.sleep(1000)


def logs_bytes(environ, start_response):
    """As a path looks that is not UTF-8."""
    environ["wsgi.errors"].write("\udc80" * 65536 + "\u20ac" * 65536 + "the end\n")
    start_response("200 OK", TEXT)
    return [b"logged"]


def hints(environ, start_response):
    value = {"nul": "</a>\0Set-Cookie\0evil=1", "long": "x" * 300000, "number": 1}[environ["QUERY_STRING"]]
    try:
        environ["wsgi.early_hints"]([("Link", value)])
        text = b"sent"
    except AssertionError:
        text = b"refused"
    start_response("200 OK", TEXT)
    return [text]


def sleeps(environ, start_response):
    time.sleep(0.3)
    start_response("200 OK", TEXT)
    return [b"slept"]


def download(environ, start_response):
    file = tempfile.TemporaryFile()
    file.write(b"f" * 100000)
    file.seek(0)
    start_response("200 OK", TEXT)
    return environ["wsgi.file_wrapper"](file)


def large(environ, start_response):
    start_response("200 OK", TEXT)
    return [b"l" * 1000000]


def stream(environ, start_response):
    start_response("200 OK", TEXT)
    for _ in range(200):
        yield b"s" * 50000


def pid(environ, start_response):
    start_response("200 OK", TEXT)
    return [b"%d" % os.getpid()]


def with_timeout():
    """Many an application does so as it is imported, for its own clients."""
    socket.setdefaulttimeout(0.05)
    return app


def app(environ, start_response):
    return globals()[environ["PATH_INFO"].strip("/")](environ, start_response)
