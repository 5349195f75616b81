"""Flask: a guest book with a session, an upload and a page that streams.

    gowsgi serve flask_app:app --workers 2
"""
import os
import time

from flask import Flask, Response, flash, redirect, render_template_string, request, session, url_for

app = Flask(__name__)
app.secret_key = os.environ.get("SECRET_KEY", "only for this example")
app.config["MAX_CONTENT_LENGTH"] = 8 << 20

PAGE = """<!DOCTYPE html>
<title>Guest book</title>
<h1>Hello, {{ name or "stranger" }}!</h1>
{% for message in get_flashed_messages() %}<p class="flash">{{ message }}</p>{% endfor %}
<form method="post" action="{{ url_for('name') }}"><input name="name"><button>Sign</button></form>
<form method="post" action="{{ url_for('upload') }}" enctype="multipart/form-data"><input type="file" name="file"><button>Send</button></form>
"""


@app.route("/")
def index():
    return render_template_string(PAGE, name=session.get("name"))


@app.route("/name", methods=["POST"])
def name():
    session["name"] = request.form["name"]
    flash("Thank you.")
    return redirect(url_for("index"))


@app.route("/upload", methods=["POST"])
def upload():
    file = request.files["file"]
    return {"name": file.filename, "bytes": len(file.read())}


@app.route("/stream")
def stream():
    def lines():
        for number in range(3):
            yield "line %d\n" % number
            time.sleep(0.05)
    return Response(lines(), mimetype="text/plain")


@app.route("/fails")
def fails():
    raise RuntimeError("the kettle is empty")
