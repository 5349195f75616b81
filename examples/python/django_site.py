"""Django in one file: the admin with its database, login and static files, an
upload and a page that streams.

    DATABASE=site.sqlite3 python3 django_site.py migrate
    gowsgi serve django_site:application --env DATABASE=site.sqlite3
"""
import os
import sys

import django
from django.conf import settings

settings.configure(
    DEBUG=False,
    SECRET_KEY=os.environ.get("SECRET_KEY", "only for this example"),
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ.get("DATABASE", "site.sqlite3")}},
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    INSTALLED_APPS=["django.contrib." + name for name in ("admin", "auth", "contenttypes", "sessions", "messages", "staticfiles")],
    MIDDLEWARE=[
        "django.middleware.security.SecurityMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
    ],
    TEMPLATES=[{
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": ["django.template.context_processors.request",
                                           "django.contrib.auth.context_processors.auth",
                                           "django.contrib.messages.context_processors.messages"]},
    }],
    STATIC_URL="/static/",
)
if __name__ == "__main__":
    sys.modules["django_site"] = sys.modules[__name__]
django.setup()

from django.contrib import admin  # noqa: E402: none of these can be imported before
from django.contrib.auth.decorators import login_required  # noqa: E402
from django.contrib.staticfiles.handlers import StaticFilesHandler  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.http import HttpResponse, JsonResponse, StreamingHttpResponse  # noqa: E402
from django.urls import path  # noqa: E402
from django.views.decorators.csrf import csrf_exempt  # noqa: E402


def index(request):
    return HttpResponse("Hello, %s!\n" % (request.user.get_username() or "stranger"), content_type="text/plain")


@csrf_exempt
def upload(request):
    file = request.FILES["file"]
    return JsonResponse({"name": file.name, "bytes": sum(len(chunk) for chunk in file.chunks())})


def stream(request):
    return StreamingHttpResponse(("line %d\n" % number for number in range(3)), content_type="text/plain")


@login_required(login_url="/admin/login/")
def private(request):
    return HttpResponse("Only for %s.\n" % request.user.get_username(), content_type="text/plain")


urlpatterns = [
    path("", index), path("upload", upload), path("stream", stream), path("private", private),
    path("admin/", admin.site.urls),
]
application = StaticFilesHandler(get_wsgi_application())

if __name__ == "__main__":
    from django.core.management import execute_from_command_line
    execute_from_command_line(sys.argv)
