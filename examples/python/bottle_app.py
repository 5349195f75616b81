"""Bottle: a form, a cookie and an upload.

    gowsgi serve bottle_app:app
"""
import bottle

app = bottle.Bottle()


@app.get("/")
def index():
    return bottle.template("<title>Bottle</title><h1>Hello, {{name}}!</h1>", name=bottle.request.get_cookie("name") or "stranger")


@app.post("/name")
def name():
    bottle.response.set_cookie("name", bottle.request.forms.name)
    bottle.redirect("/")


@app.post("/upload")
def upload():
    file = bottle.request.files.get("file")
    return {"name": file.filename, "bytes": len(file.file.read())}


@app.get("/stream")
def stream():
    bottle.response.content_type = "text/plain"
    for number in range(3):
        yield "line %d\n" % number
