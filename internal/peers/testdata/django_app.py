import hashlib

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse, StreamingHttpResponse
from django.urls import path

settings.configure(
    ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], SECRET_KEY="of a test", DATA_UPLOAD_MAX_MEMORY_SIZE=None, DEBUG=False,
)
django.setup()


def see(request, name):
    body = request.body
    response = HttpResponse(
        "%s %s %s %d %s" % (request.method, name, request.META["QUERY_STRING"], len(body), hashlib.sha256(body).hexdigest()[:16]),
        status=201, content_type="text/plain")
    response.set_cookie("a", "1")
    response.set_cookie("b", "2")
    return response


def stream(request):
    return StreamingHttpResponse(("block %d\n" % i for i in range(1000)), content_type="text/plain")


def fails(request):
    raise RuntimeError("the application fails")


urlpatterns = [path("see/<path:name>", see), path("stream", stream), path("fails", fails)]
app = get_wsgi_application()
