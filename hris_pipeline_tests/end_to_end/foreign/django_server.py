"""django-scim2-server as its documentation says to use it, on a SQLite file, behind uvicorn.

python django_server.py PORT TOKEN FOLDER
"""

import hmac
import sys
from pathlib import Path

import django
import uvicorn
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.core.management import call_command
from django.urls import include, path

urlpatterns = [path("scim/v2/", include("django_scim2_server.urls"))]
TOKEN = ""


def has_token(request):
    """Whether a request bears the token: what the package asks before each request."""
    return hmac.compare_digest(request.headers.get("Authorization", ""), f"Bearer {TOKEN}")


def main(port, token, folder):
    """Make the database and serve."""
    globals()["TOKEN"] = token
    # the settings name this file by its module
    sys.modules["django_server"] = sys.modules["__main__"]
    settings.configure(
        ALLOWED_HOSTS=["127.0.0.1"],
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": Path(folder) / "users.sqlite",
            }
        },
        INSTALLED_APPS=[
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django_scim2_server",
        ],
        ROOT_URLCONF="django_server",
        SCIM2_SERVER_AUTH_CHECK="django_server.has_token",
        USE_TZ=True,
    )
    django.setup()
    call_command("migrate", verbosity=0)
    uvicorn.run(
        get_asgi_application(),
        host="127.0.0.1",
        port=int(port),
        log_level="critical",
        lifespan="off",
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
