"""Shows exported networks in the browser, served from here to this machine's browser."""

from __future__ import annotations

import contextlib
import errno
import functools
import ipaddress
import json
import os
import re
import socket
import socketserver
import sys
import threading
import urllib.parse
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler
from pathlib import Path

from tfflow.commands.options import Parser
from tfflow.errors import InputError, command
from tfflow.messages import counted

SITE = Path(__file__).parent.parent / "site"
"""What `npm run build` makes of web_demo/; a wheel made after it holds it."""

TYPES = {".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css", ".json": "application/json",
         ".wasm": "application/wasm", "": "application/octet-stream"}  # fmt: skip

ISOLATED = {"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp"}
"""Without these headers a browser gives a page no shared memory, and WebAssembly no threads."""

IDLE_SECONDS = 20.0
"""How long a connection may say nothing, or take to say what it wants."""
ANY_HOST = ("", "0.0.0.0", "::")

WHY = {
    HTTPStatus.BAD_REQUEST: "The target is no path, or there is not one Host.",
    HTTPStatus.MISDIRECTED_REQUEST: "Only names of this machine are answered: start it with --host NAME for another.",
}

EXAMPLES = """examples:
  tfflow web --model out/model.tflite
  tfflow web --model out/fp32 out/int8-ptq     # side by side"""


def parser() -> Parser:
    p = Parser("tfflow web", __doc__, EXAMPLES, plugins=False)
    p.add_argument(
        "--model", nargs="+", type=Path, required=True, metavar="FILE", help=".tflite files, or folders of exports"
    )
    p.add_argument(
        "--host",
        default="127.0.0.1",
        metavar="NAME",
        help="address to listen at, and the name that browsers may ask for; 0.0.0.0: any (default: %(default)s)",
    )
    p.add_argument("--port", type=int, default=8080, metavar="N", help="0 takes a free one (default: %(default)s)")
    return p


@command
def main(argv: list[str] | None = None) -> int:
    args = parser().parse_args(argv)
    server = open_server(args.model, args.host, args.port)
    with server:
        print(f"{server.url} shows {counted(len(args.model), 'network')}; Ctrl-C ends it", flush=True)
        server.serve_forever()
    return 0


class Server(socketserver.ThreadingTCPServer):
    """Serves the site and, beside it, what `pages` holds: contents or files by their path in the address."""

    daemon_threads = True
    allow_reuse_address = os.name != "nt"  # there it would let two servers have one port

    def __init__(self, family: socket.AddressFamily, address: tuple, pages: dict[str, bytes | Path], host: str):
        self.address_family = family
        self.pages, self.host = pages, host
        super().__init__(address, functools.partial(_Handler, directory=str(SITE)))

    def handle_error(self, request, client_address) -> None:
        """That a browser leaves or stops in the middle of a file is no error of the server."""
        if not isinstance(sys.exc_info()[1], (ConnectionError, TimeoutError)):
            super().handle_error(request, client_address)

    @property
    def url(self) -> str:
        host, port = self.socket.getsockname()[:2]
        return f"http://{f'[{host}]' if self.address_family == socket.AF_INET6 else host}:{port}/"


def open_server(models: list[Path], host: str = "127.0.0.1", port: int = 0) -> Server:
    """Listens at once; `serve_forever` answers. models: .tflite files, or folders of exports.

    Raises InputError where the site is not built, a model is not whole, or nobody can listen there.
    """
    if not (SITE / "index.html").is_file():
        raise InputError(
            f"no page in {str(SITE)!r}: build it with `npm ci && npm run build` in web_demo (Node 20.19 or later)"
        )
    pages = _pages(models)
    if not 0 <= port <= 65535:
        raise InputError(f"--port must be 0 to 65535, got {port}")
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        return Server(family, address, pages, host)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise InputError(f"port {port} is taken: choose another with --port") from None
        raise InputError(f"cannot listen at {host} port {port}: {error.strerror or error}") from None


def _pages(models: list[Path]) -> dict[str, bytes | Path]:
    """The manifests and files of exports under /models/0/, /models/1/, ..., and their list."""
    try:
        from tfflow.exporting.manifest import read_manifest
    except ModuleNotFoundError as error:
        raise InputError(f"serving a model needs {error.name}: pip install 'tfflow[export]'") from None
    pages: dict[str, bytes | Path] = {}
    for i, path in enumerate(models):
        folder = path if path.is_dir() else path.parent
        described = read_manifest(folder / "model.json")
        file = folder / described["file"]
        if not path.is_dir() and path.name not in (file.name, "model.json"):
            raise InputError(f"{str(path)!r} is not the model of the model.json beside it, which is {file.name}")
        pages[f"/models/{i}/model.json"] = folder / "model.json"
        pages[f"/models/{i}/{file.name}"] = file
    pages["/models.json"] = json.dumps([f"models/{i}/model.json" for i in range(len(models))]).encode()
    return pages


def answered(asked: str, host: str) -> bool:
    """Whether a request for `asked` (the header Host) is for a server that was started with --host `host`.

    Loopback names always are. Others are names that a foreign page can turn to this machine's address, to read here
    what its own browser may not.
    """
    if host in ANY_HOST:
        return True
    match = re.fullmatch(r"(\[[0-9a-fA-F:.]+\]|[\w.-]+)(:\d*)?", asked, re.ASCII)
    if not match:
        return False
    name = match[1].strip("[]").lower().rstrip(".")
    if name in ("localhost", host.lower()):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


class _Handler(SimpleHTTPRequestHandler):
    server: Server
    extensions_map = TYPES  # the system's own list may lack wasm, which a browser then refuses to compile

    def setup(self) -> None:
        super().setup()
        self.connection.settimeout(IDLE_SECONDS)

    def handle(self) -> None:
        """One request. What comes in drops, each in time, ends with the same limit as what does not come."""
        watch = threading.Timer(IDLE_SECONDS, self._hang_up)
        watch.daemon = True
        watch.start()
        self.watch = watch
        try:
            super().handle()
        finally:
            watch.cancel()

    def _hang_up(self) -> None:
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def do_GET(self) -> None:
        self.watch.cancel()  # it is known what is wanted
        problem = self._problem()
        if problem:
            self.send_error(problem, explain=WHY.get(problem))
            return
        self.path = urllib.parse.quote(self._path() or "")  # without a server's name in front
        page = self._page()
        if isinstance(page, bytes):
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Type", TYPES[".json"])
            self.send_header("Content-Length", str(len(page)))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(page)
        elif page is None and _has_link(super().translate_path(self.path)):
            self.send_error(HTTPStatus.NOT_FOUND)
        elif self.command == "GET":
            super().do_GET()
        else:
            super().do_HEAD()

    do_HEAD = do_GET

    def _problem(self) -> HTTPStatus | None:
        """What is wrong with a request, before anything is looked up for it."""
        hosts = self.headers.get_all("Host", [])
        if len(hosts) > 1 or (not hosts and self.request_version != "HTTP/1.0") or self._path() is None:
            return HTTPStatus.BAD_REQUEST
        if hosts and not answered(hosts[0].strip(), self.server.host):
            return HTTPStatus.MISDIRECTED_REQUEST
        return None

    def _path(self) -> str | None:
        """The path that the request asks for; None where its target has none, or one that no file can have."""
        try:
            parts = urllib.parse.urlsplit(self.path)
            path = urllib.parse.unquote(parts.path, errors="strict")
        except ValueError:
            return None
        whole = self.path.startswith("/") or parts.scheme in ("http", "https")
        return path if whole and path.startswith("/") and path.isprintable() and "\\" not in path else None

    def translate_path(self, path: str) -> str:
        page = self._page()
        return str(page) if isinstance(page, Path) else super().translate_path(path)

    def _page(self) -> bytes | Path | None:
        return self.server.pages.get(self._path() or "")

    def list_directory(self, path) -> None:
        self.send_error(HTTPStatus.NOT_FOUND)

    def end_headers(self) -> None:
        for name, value in (*ISOLATED.items(), ("Cache-Control", "no-cache")):
            self.send_header(name, value)
        super().end_headers()

    def log_message(self, format: str, *args) -> None:
        """Says nothing of each file: the page itself says what is missing."""


def _has_link(path: str) -> bool:
    """Whether a path below the site leads over a symbolic link, which may lead out of it."""
    return Path(os.path.realpath(path)) != Path(os.path.realpath(SITE)) / os.path.relpath(path, SITE)


if __name__ == "__main__":
    raise SystemExit(main())
