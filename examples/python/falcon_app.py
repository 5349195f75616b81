"""Falcon: an API in JSON that keeps notes, and one that counts what is sent.

    gowsgi serve falcon_app:app
"""
import falcon


class Notes:
    notes = []

    def on_get(self, request, response):
        response.media = self.notes

    def on_post(self, request, response):
        self.notes.append(request.get_media())
        response.status = falcon.HTTP_201
        response.location = "/notes/%d" % (len(self.notes) - 1)


class Count:
    def on_put(self, request, response):
        total = 0
        while True:
            block = request.bounded_stream.read(64 << 10)
            if not block:
                break
            total += len(block)
        response.media = {"bytes": total}


class Stream:
    def on_get(self, request, response):
        response.content_type = "text/plain"
        response.stream = (b"line %d\n" % number for number in range(3))


app = falcon.App()
app.add_route("/notes", Notes())
app.add_route("/count", Count())
app.add_route("/stream", Stream())
