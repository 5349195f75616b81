"""Applications of the tests, by the path of the request. All but those below
/raw are wrapped by wsgiref.validate, which looks at what the worker does."""
import io
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from wsgiref.validate import validator

TEXT = [("Content-Type", "text/plain")]


def hello(environ, start_response):
    start_response("200 OK", TEXT)
    return [b"Hello, world!\n"]


def environ(environ, start_response):
    start_response("200 OK", TEXT)
    return ["".join("%s=%r\n" % (k, v) for k, v in sorted(environ.items()) if isinstance(v, (str, bool, tuple))).encode("latin-1", "backslashreplace")]


def echo(environ, start_response):
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    start_response("200 OK", TEXT)
    return [body]


def generator(environ, start_response):
    start_response("200 OK", TEXT)
    yield b""
    yield b"one "
    yield b"two"


def lazy(environ, start_response):
    def blocks():
        start_response("201 Created", TEXT)
        yield b"late"
    return blocks()


def writes(environ, start_response):
    write = start_response("200 OK", TEXT)
    write(b"written ")
    write(b"")
    return [b"returned"]


def replaced(environ, start_response):
    start_response("200 OK", TEXT + [("Content-Length", "1000")])
    try:
        raise ValueError("no")
    except ValueError:
        start_response("503 Sorry", TEXT, sys.exc_info())
    return [b"sorry"]


def late_exc_info(environ, start_response):
    start_response("200 OK", TEXT)
    yield b"begun "
    try:
        raise ValueError("the second half is missing")
    except ValueError:
        start_response("500 Oops", TEXT, sys.exc_info())
    yield b"never"


def twice(environ, start_response):
    start_response("200 OK", TEXT)
    start_response("200 OK", TEXT)
    return [b""]


def twice_repaired(environ, start_response):
    start_response("200 OK", TEXT)
    try:
        start_response("200 OK", TEXT)
    except AssertionError:
        start_response("418 Teapot", TEXT, sys.exc_info())
    return [b"repaired"]


def raises(environ, start_response):
    raise RuntimeError("the kettle is empty: \u20ac")


def raises_later(environ, start_response):
    start_response("200 OK", TEXT)
    yield b"begun "
    raise RuntimeError("the kettle is empty")


def exits(environ, start_response):
    sys.exit(3)


def never(environ, start_response):
    return [b"x"]


def nothing(environ, start_response):
    return None


def text(environ, start_response):
    start_response("200 OK", TEXT)
    return ["text"]


def bad_header(environ, start_response):
    start_response("200 OK", [("Connection", "close")])
    return [b"x"]


def bad_header_repaired(environ, start_response):
    try:
        start_response("200 OK", [("X", "a\r\nb")])
    except AssertionError:
        start_response("500 Repaired", TEXT, sys.exc_info())
    return [b"repaired"]


def bad_value_repaired(environ, start_response):
    try:
        start_response("200 OK", [("Content-Type", "text/plain\x01")])
    except AssertionError:
        start_response("500 Oops", TEXT, sys.exc_info())
        return [b"repaired"]
    return [b"not noticed"]


def long_header(environ, start_response):
    start_response("200 OK", TEXT + [("X-Long", "y" * 100000)])
    return [b"x"]


def long_head(environ, start_response):
    start_response("200 OK", TEXT + [("X-Long", "y" * 20000)])
    return []


def too_long(environ, start_response):
    start_response("200 OK", TEXT + [("Content-Length", "3")])
    return [b"abcdef"]


def too_short(environ, start_response):
    start_response("200 OK", TEXT + [("Content-Length", "30")])
    return [b"abcdef"]


def exact(environ, start_response):
    start_response("200 OK", TEXT + [("Content-Length", "6")])
    yield b"abc"
    yield b"def"


def writes_too_long(environ, start_response):
    write = start_response("200 OK", [("Content-Length", "3")])
    try:
        write(b"abcdef")
    except AssertionError as exc:
        environ["wsgi.errors"].write("the writer is told that %s\n" % exc)
    return []


class Closing:
    def __init__(self, blocks, path):
        self.blocks, self.path = blocks, path

    def __iter__(self):
        return iter(self.blocks)

    def close(self):
        with open(self.path, "a") as f:
            f.write("closed\n")


def closing(environ, start_response):
    start_response("200 OK", TEXT)
    return Closing([b"a", b"b"], environ["QUERY_STRING"])


def endless(environ, start_response):
    start_response("200 OK", TEXT)

    def blocks():
        while True:
            yield b"x" * 1000
    return Closing(blocks(), environ["QUERY_STRING"])


def waits(environ, start_response):
    """Until the client has left, which it writes into a file."""
    start_response("200 OK", TEXT)
    yield b"begun"
    gone = environ["gowsgi.client_disconnected"]
    for _ in range(3000):
        if gone():
            with open(environ["QUERY_STRING"], "w") as f:
                f.write("gone\n")
            return
        time.sleep(0.01)


def lines(environ, start_response):
    stream = environ["wsgi.input"]
    found = [stream.readline(), stream.readline(2), stream.read(3), b"|".join(stream.readlines()), stream.read(1), stream.readline()]
    start_response("200 OK", TEXT)
    return [repr(found).encode()]


def iterates(environ, start_response):
    found = list(environ["wsgi.input"])
    start_response("200 OK", TEXT)
    return [repr(found).encode()]


def reads_all(environ, start_response):
    size = len(environ["wsgi.input"].read())
    start_response("200 OK", TEXT)
    return [b"%d" % size]


def counts(environ, start_response):
    stream, total = environ["wsgi.input"], 0
    while True:
        block = stream.read(100000)
        if not block:
            break
        total += len(block)
    start_response("200 OK", TEXT)
    return [b"%d" % total]


def tells(environ, start_response):
    """Writes into a file what reading the body comes to."""
    def tell(text):
        with open(environ["QUERY_STRING"], "w") as f:
            f.write(text)
    environ["wsgi.input"].read(1)
    tell("reads")
    raised = "nothing"
    try:
        environ["wsgi.input"].read()
    except OSError as exc:
        raised = type(exc).__name__
    tell("reads, raised " + raised)
    start_response("200 OK", TEXT)
    return [b""]


def errors(environ, start_response):
    environ["wsgi.errors"].write("first \u20ac\n")
    environ["wsgi.errors"].writelines(["second\n", "third\n"])
    environ["wsgi.errors"].flush()
    start_response("200 OK", TEXT)
    return [b""]


def errors_of_a_thread(environ, start_response):
    """A thread of the application's own may write at any time, also between two frames."""
    thread = threading.Thread(target=environ["wsgi.errors"].write, args=("of a thread\n",))
    thread.start()
    thread.join()
    sys.stderr.flush()
    start_response("200 OK", TEXT)
    return [b""]


def prints(environ, start_response):
    print("printed", flush=True)
    start_response("200 OK", TEXT)
    return [b""]


def file(environ, start_response):
    f = tempfile.TemporaryFile()
    f.write(b"skipped" + b"0123456789" * 100000)
    f.seek(7)
    start_response("200 OK", [("Content-Type", "application/octet-stream")])
    return environ["wsgi.file_wrapper"](f)


def file_like(environ, start_response):
    start_response("200 OK", TEXT)
    return environ["wsgi.file_wrapper"](io.BytesIO(b"like a file"), 4)


def big(environ, start_response):
    start_response("200 OK", TEXT)
    return [b"0123456789" * 100000]


def sized(environ, start_response):
    """One block, of as many bytes as the query says."""
    start_response("200 OK", TEXT)
    return [b"x" * int(environ["QUERY_STRING"])]


def marked(environ, start_response):
    """As many bytes as the query says, of one letter that it says too, in the way that it says."""
    size, letter, way = environ["QUERY_STRING"].split(",")
    block = letter.encode() * int(size)
    headers = TEXT + ([("Content-Length", size)] if way == "stated" else [])
    write = start_response("200 OK", headers)
    if way == "written":
        write(block)
        return []
    if way == "once":
        return Once(block)
    if way == "blocks":
        return iter([block[i:i + 100000] for i in range(0, len(block), 100000)])
    return iter([block]) if way == "stated" else [block]


class Once:
    """A body that says that it has one block."""

    def __init__(self, block):
        self.block = block

    def __len__(self):
        return 1

    def __iter__(self):
        yield self.block


def download(environ, start_response):
    """As many MiB as the query says, without a length."""
    start_response("200 OK", TEXT)
    for _ in range(int(environ["QUERY_STRING"])):
        yield b"x" * (1 << 20)


def hints(environ, start_response):
    environ["wsgi.early_hints"]([("Link", "</style.css>; rel=preload")])
    start_response("200 OK", TEXT)
    return [b"hinted"]


def keeps(environ, start_response):
    """Has what belongs to its request called after the end of it."""
    write = start_response("200 OK", TEXT)
    hoard[:] = [lambda: write(b"x"), lambda: start_response("200 OK", TEXT), lambda: environ["wsgi.input"].read(),
                lambda: environ["wsgi.early_hints"]([])]
    environ["wsgi.input"].read(1)
    return [b"kept"]


def calls_kept(environ, start_response):
    said = []
    for call in hoard:
        try:
            said.append("%r" % call())
        except Exception as exc:
            said.append(str(exc))
    start_response("200 OK", TEXT)
    return ["\n".join(said).encode()]


def progress(environ, start_response):
    """Up to 256 MiB; how many of them it has come to is in a file."""
    start_response("200 OK", TEXT)
    for i in range(256):
        with open(environ["QUERY_STRING"], "w") as f:
            f.write("%d" % i)
        yield b"x" * (1 << 20)


def pid(environ, start_response):
    start_response("200 OK", TEXT)
    return [b"%d" % os.getpid()]


def sleep(environ, start_response):
    time.sleep(float(environ["QUERY_STRING"]))
    start_response("200 OK", TEXT)
    return [b"slept"]


def visitor(environ, start_response):
    start_response("200 OK", TEXT)
    return [("%s %s" % (environ.get("HTTP_COOKIE"), environ.get("REMOTE_USER"))).encode()]


def signalled(environ, start_response):
    """Is sent what systemd sends to each process of a service. In a child that it forks
    a signal means what it always did, and so it does in another program."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1):
        os.kill(os.getpid(), number)
        if environ["QUERY_STRING"] == "zygote":
            os.kill(os.getppid(), number)
    ends = []
    child = os.fork()
    if child == 0:
        os.kill(os.getpid(), signal.SIGTERM)
        os._exit(0)
    ends.append(os.waitpid(child, 0)[1])
    other = subprocess.Popen(["sleep", "60"])
    other.terminate()
    ends.append(-other.wait())
    start_response("200 OK", TEXT)
    return [repr(ends).encode()]


def os_exit(environ, start_response):
    os._exit(7)


def segfault(environ, start_response):
    import ctypes
    ctypes.string_at(0)


def kills_itself(environ, start_response):
    os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(60)


def dies_later(environ, start_response):
    start_response("200 OK", TEXT)
    yield b"begun"
    os._exit(7)


def loops(environ, start_response):
    while True:
        pass


hoard = []


def hoards(environ, start_response):
    hoard.append(b"x" * (int(environ["QUERY_STRING"]) << 20))
    start_response("200 OK", TEXT)
    return [b"%d" % os.getpid()]


def bomb(environ, start_response):
    """Takes ever more memory, as something that a client has sent might make it."""
    while True:
        hoard.append(b"x" * (8 << 20))
        time.sleep(0.02)


def variables(environ, start_response):
    start_response("200 OK", TEXT)
    return ["\n".join(sorted(os.environ)).encode()]


def descriptors(environ, start_response):
    start_response("200 OK", TEXT)
    names = []
    for fd in os.listdir("/proc/self/fd"):
        try:
            names.append("%s %s" % (fd, os.readlink("/proc/self/fd/" + fd)))
        except OSError:
            pass  # the one of the listing itself
    return ["\n".join(names).encode()]


def childs_descriptors(environ, start_response):
    """Those of a program that the application starts, and closes nothing for."""
    text = subprocess.run(["ls", "-l", "/proc/self/fd"], close_fds=False, stdout=subprocess.PIPE, check=True).stdout
    start_response("200 OK", TEXT)
    return [text]


def whoami(environ, start_response):
    try:
        os.setuid(0)
        back = "is root again"
    except PermissionError:
        back = "stays"
    start_response("200 OK", TEXT)
    return [("%r %r %r %s" % (os.getresuid(), os.getresgid(), os.getgroups(), back)).encode()]


class Dying:
    """A body of which the closing is the worker's end."""

    def __iter__(self):
        yield b"whole"

    def close(self):
        os._exit(7)


def dies_when_closed(environ, start_response):
    start_response("200 OK", TEXT + [("Content-Length", "5")])
    return Dying()


calls = 0


def called(environ, start_response):
    """How often this worker was asked for something."""
    start_response("200 OK", TEXT)
    return [b"%d" % calls]


validated = {name: validator(function) for name, function in list(globals().items()) if callable(function)}


def app(environ, start_response):
    global calls
    calls += 1
    name = environ["PATH_INFO"].strip("/")
    if name.startswith("raw/"):
        return globals()[name[4:]](environ, start_response)
    return validated[name](environ, start_response)


def make_app(name, debug=False):
    return validated[name]


def without_trays():
    """The same, where the system has no files in memory."""
    del os.memfd_create
    return app
