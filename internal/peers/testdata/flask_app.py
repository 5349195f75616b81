import hashlib

from flask import Flask, Response, request

app = Flask(__name__)


@app.route("/see/<path:name>", methods=["GET", "POST", "PUT"])
def see(name):
    body = request.get_data()
    return Response(
        "%s %s %s %d %s" % (request.method, name, request.query_string.decode(), len(body), hashlib.sha256(body).hexdigest()[:16]),
        status=201, headers=[("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")], mimetype="text/plain")


@app.route("/stream")
def stream():
    return Response(("block %d\n" % i for i in range(1000)), mimetype="text/plain")


@app.route("/fails")
def fails():
    raise RuntimeError("the application fails")
