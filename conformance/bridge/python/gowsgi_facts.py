"""What the probes look at that exists in Python alone.

A fact_ function looks at the call and returns plain values; a body_ function
makes a body of some shape that records what is done with it.

This file is part of gowsgi's conformance checks. It uses the standard library
only, and runs on CPython 3.8 and later.
"""
from gowsgi_wire import Described, class_name, shorten

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


class exceptions:
    """What an application may raise, by name."""

    SystemExit = SystemExit
    KeyboardInterrupt = KeyboardInterrupt
    GeneratorExit = GeneratorExit
    StopIteration = StopIteration

    class BaseException(BaseException):
        pass


# Attributes of application objects that were used and are none of a server's
# business.
touched = []


class Trapped:
    """An object with attributes that a server might be tempted by."""
