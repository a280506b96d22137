"""The door of every page on 127.0.0.1: who may come in, and what a browser may do with what it gets.

The token is the first part of the path and not a cookie: browsers send cookies of 127.0.0.1 to every port of it, so
that any other program's page there would get it; and a page that doesn't know the path can't forge a request to it.
"""

import secrets
from collections.abc import Collection

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_BYTES = 256 * 1024
"""Of a request's body."""
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # not no-referrer, under which browsers send the origin of a form as null
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


class Guard:
    """Lets a request through that names a known host and the token, and that comes from our own page if it changes
    anything; any other gets a status and nothing else."""

    def __init__(self, app: ASGIApp, token: str, hosts: Collection[str]) -> None:
        self.app, self.token, self.hosts = app, token, frozenset(hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await self.app(scope, receive, send)
        if scope["type"] != "http":
            return None

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(HEADERS)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        status = self._refused(scope)
        answer = Response(status_code=status) if status else self.app
        return await answer(scope, receive, guarded)

    def _refused(self, scope: Scope) -> int:
        """The status of a request that is not let in, 0 for one that is."""
        headers = Headers(scope=scope)
        if headers.get("host") not in self.hosts:
            return 421
        given = str(scope["path"]).removeprefix("/").partition("/")[0]
        if not secrets.compare_digest(given.encode(errors="replace"), self.token.encode()):
            return 404
        if scope["method"] in ("GET", "HEAD"):
            return 0
        if headers.get("origin") != f"http://{headers['host']}":
            return 403
        length = headers.get("content-length", "")
        return 0 if length.isdecimal() and int(length) <= MOST_BYTES else 413
