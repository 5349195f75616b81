"""A WSGI server that answers until it is ready, and then is a bad one.

Its arguments are the manner, the host, the port, and the application.
"""

import importlib
import os
import socket
import sys
import threading
import time
import traceback
from socketserver import ThreadingMixIn
from wsgiref.simple_server import ServerHandler, WSGIRequestHandler, WSGIServer

manner, host, port, module, name = sys.argv[1:]


class Handler(ServerHandler):
    def log_exception(self, exc_info):
        if manner == "dies":  # of what an application raises
            print("the server gives up", flush=True)
            os._exit(5)
        if manner == "hides errors of bodies" and self.result is not None:
            return
        ServerHandler.log_exception(self, exc_info)

    def _write(self, data):
        try:
            ServerHandler._write(self, data)
        except ConnectionError:
            if manner == "tells of leavers":
                traceback.print_exc()
            raise


class Torn:
    """An error stream that writes in parts."""

    def write(self, text):
        half = len(text) // 2
        os.write(2, text[:half].encode())
        time.sleep(0.0005)
        os.write(2, text[half:].encode())

    def writelines(self, lines):
        for line in lines:
            self.write(line)

    def flush(self):
        pass


class RequestHandler(WSGIRequestHandler):
    def log_message(self, *args):
        pass

    def handle(self):
        self.raw_requestline = self.rfile.readline(65537)
        if not self.parse_request():
            return
        if not self.path.startswith("/gowsgi-"):
            if manner == "garbage":
                self.wfile.write(b"\x00garbage\xff" * 1000)
                return
            if manner == "closes":
                return
            if manner == "says nothing":
                self.connection.recv(1 << 16)
                return
            if manner == "never ends":
                self.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
                while True:
                    self.wfile.write(b"and so on" * 1000)
            if manner == "stops listening":
                self.server.socket.close()
                return
        handler = Handler(self.rfile, self.wfile, self.get_stderr(), self.get_environ(), multithread=True)
        handler.request_handler = self
        handler.run(self.server.get_app())


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request, client_address):
        pass


if manner == "logs to a file":
    sys.stderr = open(os.path.join(os.environ["TMPDIR"], "log"), "a")
if manner == "tears lines":
    sys.stderr = Torn()
server = Server((host, int(port)), RequestHandler)
server.set_app(getattr(importlib.import_module(module), name))
if manner == "stops listening":
    threading.Thread(target=server.serve_forever, daemon=True).start()
    threading.Event().wait()
server.serve_forever()
