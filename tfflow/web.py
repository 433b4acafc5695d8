"""`python -m tfflow.web`: exported networks in a browser page, served from here to this machine's browser."""

from __future__ import annotations

import argparse
import errno
import functools
import json
import os
import socket
import socketserver
import sys
import urllib.parse
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler
from pathlib import Path

from tfflow.errors import InputError, command
from tfflow.terminal import Parser

SITE = Path(__file__).with_name("site")
"""What `npm run build` makes of web_demo/; a wheel made after it holds it."""

TYPES = {".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css", ".json": "application/json",
         ".wasm": "application/wasm", "": "application/octet-stream"}  # fmt: skip

ISOLATED = {"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp"}
"""Without these headers a browser gives a page no shared memory, and WebAssembly no threads."""

EXAMPLES = """examples:
  python -m tfflow.web --model out/model.tflite
  python -m tfflow.web --model out/fp32 out/int8-ptq     # side by side"""


def parser() -> Parser:
    p = Parser(
        prog="python -m tfflow.web",
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    p.add_argument(
        "--model", nargs="+", type=Path, required=True, metavar="FILE", help=".tflite files, or folders of exports"
    )
    p.add_argument("--host", default="127.0.0.1", metavar="NAME", help="address to listen at (default: %(default)s)")
    p.add_argument("--port", type=int, default=8080, metavar="N", help="0 takes a free one (default: %(default)s)")
    return p


@command
def main(argv: list[str] | None = None) -> int:
    args = parser().parse_args(argv)
    server = open_server(args.model, args.host, args.port)
    with server:
        many = len(args.model)
        print(f"{server.url} shows {many} network{'s' * (many > 1)}; Ctrl-C ends it", flush=True)
        server.serve_forever()
    return 0


class Server(socketserver.ThreadingTCPServer):
    """Serves the site and, beside it, what `pages` holds: contents or files by their path in the address."""

    daemon_threads = True
    allow_reuse_address = os.name != "nt"  # there it would let two servers have one port

    def __init__(self, family: socket.AddressFamily, address: tuple, pages: dict[str, bytes | Path]):
        self.address_family = family
        self.pages = pages
        super().__init__(address, functools.partial(_Handler, directory=str(SITE)))

    def handle_error(self, request, client_address) -> None:
        """That a browser leaves in the middle of a file is no error of the server."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
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
        return Server(family, address, pages)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise InputError(f"port {port} is taken: choose another with --port") from None
        raise InputError(f"cannot listen at {host} port {port}: {error.strerror or error}") from None


def _pages(models: list[Path]) -> dict[str, bytes | Path]:
    """The manifests and files of exports under /models/0/, /models/1/, ..., and their list."""
    try:
        from tfflow.export.manifest import read_manifest
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


class _Handler(SimpleHTTPRequestHandler):
    server: Server
    extensions_map = TYPES  # the system's own list may lack wasm, which a browser then refuses to compile

    def do_GET(self) -> None:
        page = self._page()
        if isinstance(page, bytes):
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Type", TYPES[".json"])
            self.send_header("Content-Length", str(len(page)))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(page)
        elif self.command == "GET":
            super().do_GET()
        else:
            super().do_HEAD()

    do_HEAD = do_GET

    def translate_path(self, path: str) -> str:
        page = self._page()
        return str(page) if isinstance(page, Path) else super().translate_path(path)

    def _page(self) -> bytes | Path | None:
        return self.server.pages.get(urllib.parse.unquote(urllib.parse.urlsplit(self.path).path))

    def list_directory(self, path) -> None:
        self.send_error(HTTPStatus.NOT_FOUND)

    def end_headers(self) -> None:
        for name, value in (*ISOLATED.items(), ("Cache-Control", "no-cache")):
            self.send_header(name, value)
        super().end_headers()

    def log_message(self, format: str, *args) -> None:
        """Says nothing of each file: the page itself says what is missing."""


if __name__ == "__main__":
    raise SystemExit(main())
