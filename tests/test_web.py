"""`python -m tfflow.web`: what it serves, with which headers, and what it refuses."""

from __future__ import annotations

import hashlib
import http.client
import json
import mimetypes
import socket
import threading
import time
from pathlib import Path

import pytest

from tests.exporting.tflite_files import of_manifest
from tfflow import InputError
from tfflow.commands import web

pytest.importorskip("jsonschema", reason="jsonschema is not here: pip install -e '.[export]' to test serving models")

VECTORS = Path(__file__).parents[1] / "android_demo/core/src/test/resources/vectors.json"
GOOD = json.loads(VECTORS.read_text("utf-8"))["manifests"]["good"]


@pytest.fixture(scope="module", autouse=True)
def site(tmp_path_factory):
    """What Node builds, in small."""
    folder = tmp_path_factory.mktemp("built") / "site"
    (folder / "litert").mkdir(parents=True)
    (folder / "index.html").write_text("<p>the page</p>")
    (folder / "models.json").write_text("[]")
    (folder / "litert" / "runtime.wasm").write_bytes(b"\0asm")
    (folder / "litert" / "runtime.js").write_text("0")
    (folder.parent / "secret.txt").write_text("secret")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(web, "SITE", folder)
        yield folder


FLOAT, BYTES = of_manifest(GOOD[0]), of_manifest(GOOD[0]) + b"other weights"


def export(folder: Path, contents: bytes = FLOAT, manifest: dict | None = None) -> Path:
    """A folder as to_tflite.py leaves it -> its .tflite. What the file computes is the browser's concern."""
    folder.mkdir()
    value = manifest or GOOD[0] | {"sha256": hashlib.sha256(contents).hexdigest(), "bytes": len(contents)}
    (folder / "model.json").write_text(json.dumps(value))
    (folder / value["file"]).write_bytes(contents)
    return folder / value["file"]


@pytest.fixture(scope="module")
def address(site, tmp_path_factory):
    """Of a server of two models."""
    folder = tmp_path_factory.mktemp("models")
    models = [export(folder / "fp32", FLOAT), export(folder / "int8", BYTES).parent]
    with web.open_server(models) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server.server_address[:2]
        server.shutdown()


@pytest.fixture
def ask(address):
    """Asks for a path, as it is written -> status, headers, contents."""

    def asked(path: str, method: str = "GET"):
        connection = http.client.HTTPConnection(*address, timeout=10)
        connection.request(method, path)
        response = connection.getresponse()
        contents = response.read()
        connection.close()
        return response.status, response.headers, contents

    return asked


def test_the_page_comes_with_the_headers_that_threads_need(ask):
    for path in ("/", "/index.html?threads=1", "/litert/runtime.wasm", "/models.json", "/models/0/model.tflite"):
        status, headers, _ = ask(path)
        assert status == 200
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert headers["Cross-Origin-Embedder-Policy"] == "require-corp"
    assert ask("/")[2] == b"<p>the page</p>"
    assert ask("/")[1]["Content-Type"] == "text/html; charset=utf-8"
    assert ask("/litert/runtime.wasm")[1]["Content-Type"] == "application/wasm"


def test_models_and_manifests_are_served_in_the_order_given(ask):
    status, headers, contents = ask("/models.json")
    assert (status, headers["Content-Type"]) == (200, "application/json")
    places = json.loads(contents)
    assert places == ["models/0/model.json", "models/1/model.json"]
    for place, model in zip(places, (FLOAT, BYTES), strict=True):
        assert json.loads(ask(f"/{place}")[2])["sha256"] == hashlib.sha256(model).hexdigest()
        assert ask(f"/{place}".replace(".json", ".tflite"))[2] == model


def test_types_do_not_depend_on_the_system(ask, monkeypatch):
    for name in ("guess_type", "guess_file_type"):
        monkeypatch.setattr(mimetypes, name, lambda *_, **__: ("text/plain", None), raising=False)
    assert ask("/litert/runtime.wasm")[1]["Content-Type"] == "application/wasm"
    assert ask("/litert/runtime.js")[1]["Content-Type"] == "text/javascript"


@pytest.mark.parametrize("path", ["/models.json", "/models/0/model.tflite"])
def test_head_gives_headers_alone(ask, address, path):
    with socket.create_connection(address, timeout=10) as connection:
        connection.sendall(f"HEAD {path} HTTP/1.0\r\n\r\n".encode())
        head, _, body = connection.makefile("rb").read().partition(b"\r\n\r\n")
    assert b" 200 " in head and body == b""
    assert f"Content-Length: {len(ask(path)[2])}".encode() in head


@pytest.mark.parametrize(
    "path",
    ["/../secret.txt", "/%2e%2e/secret.txt", "/..%2fsecret.txt", "/litert/../../secret.txt", "//../secret.txt",
     "/models/0/../../secret.txt", "/models/0/report.json", "/models/2/model.json", "/litert/", "/models/", "/none"],
)  # fmt: skip
def test_nothing_beside_the_site_and_the_models_is_served(ask, path):
    status, _, contents = ask(path)
    assert status == 404
    assert b"secret" not in contents and b"runtime.wasm" not in contents


@pytest.mark.parametrize(
    "target",
    ["/\0", "/%00", "/index.html%00.js", "/models/0/%0a", "/a%7fb", "*", "index.html", "ftp://localhost/", "http://[/",
     "/%ff", "/\\..\\secret.txt", "/%5c..%5csecret.txt", "http://localhost/%00"],
)  # fmt: skip
def test_a_target_that_is_no_path_is_a_bad_request(address, target, capsys):
    status, _, body = exchange(address, f"GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert status == 400 and b"secret" not in body
    assert not capsys.readouterr().err


def test_a_target_with_the_name_of_the_server_is_its_path(address):
    status, _, body = exchange(address, "GET http://localhost/index.html HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert status == 200 and body == b"<p>the page</p>"


def exchange(address, request: str) -> tuple[int, bytes, bytes]:
    """Sends bytes as they are -> status, head, body."""
    with socket.create_connection(address[:2], timeout=10) as connection:
        connection.sendall(request.encode("latin1"))
        head, _, body = connection.makefile("rb").read().partition(b"\r\n\r\n")
    return int(head.split(b" ")[1]), head, body


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200), ("LOCALHOST:8080", 200), ("127.0.0.1:1", 200), ("127.8.0.1", 200), ("[::1]:8080", 200),
        ("localhost.", 200), ("example.org", 421), ("127.0.0.1.example.org", 421), ("localhost.example.org:80", 421),
        ("192.0.2.1", 421), ("[2001:db8::1]", 421), ("", 421), ("[::1", 421), ("127.0.0.1:x", 421), ("a b", 421),
    ],
)  # fmt: skip
def test_only_names_of_this_machine_are_answered(address, host, status):
    """A page of another site whose name was turned to 127.0.0.1 asks by that name."""
    got, _, body = exchange(address, f"GET /models/0/model.json HTTP/1.1\r\nHost: {host}\r\n\r\n")
    assert got == status and (b"sha256" in body) == (status == 200)
    assert (b"start it with --host NAME" in body) == (status == 421)


def test_a_request_without_a_host_is_bad_and_one_with_two_is_as_well(address):
    assert exchange(address, "GET / HTTP/1.1\r\n\r\n")[0] == 400
    assert exchange(address, "GET / HTTP/1.1\r\nHost: localhost\r\nHost: example.org\r\n\r\n")[0] == 400


@pytest.mark.parametrize(
    ("given", "host", "answered"),
    [
        ("0.0.0.0", "example.org", True),
        ("::", "example.org", True),
        ("localhost", "example.org", False),
        ("127.0.0.1", "localhost", True),
        ("192.0.2.1", "192.0.2.1:8080", True),
        ("192.0.2.1", "localhost", True),
        ("192.0.2.1", "example.org", False),
        ("my-machine", "MY-MACHINE:80", True),
        ("fe80::1", "[fe80::1]:80", True),
    ],
)
def test_host_says_which_names_are_answered_besides(given, host, answered):
    assert web.answered(host, given) == answered


def test_an_idle_connection_is_closed(address, monkeypatch, capsys):
    monkeypatch.setattr(web, "IDLE_SECONDS", 0.2)
    for sent in (b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: loc"):
        with socket.create_connection(address, timeout=10) as connection:
            connection.sendall(sent)
            assert connection.recv(1000) == b""
    assert not capsys.readouterr().err


def test_a_request_that_comes_in_drops_is_closed(address, monkeypatch):
    monkeypatch.setattr(web, "IDLE_SECONDS", 0.5)
    with socket.create_connection(address, timeout=10) as connection:
        began = time.monotonic()
        with pytest.raises(OSError):
            while time.monotonic() - began < 10:
                connection.sendall(b"G")
                time.sleep(0.05)
        assert time.monotonic() - began < 5


def test_a_browser_that_stops_reading_is_no_error(address, site, monkeypatch, capsys):
    monkeypatch.setattr(web, "IDLE_SECONDS", 0.2)
    (site / "large.js").write_bytes(bytes(50_000_000))
    with socket.create_connection(address, timeout=10) as connection:
        connection.sendall(b"GET /large.js HTTP/1.1\r\nHost: localhost\r\n\r\n")
        time.sleep(1)
    (site / "large.js").unlink()
    assert not capsys.readouterr().err


def test_links_inside_the_site_are_not_followed(ask, site):
    (site / "link.txt").symlink_to(site.parent / "secret.txt")
    (site / "folder").symlink_to(site.parent)
    (site / "inside.js").symlink_to(site / "litert" / "runtime.js")
    try:
        for path in ("/link.txt", "/folder/secret.txt", "/folder/site/index.html", "/inside.js"):
            status, _, contents = ask(path)
            assert status == 404 and b"secret" not in contents
    finally:
        for name in ("link.txt", "folder", "inside.js"):
            (site / name).unlink()


def test_a_site_that_is_reached_by_a_link_is_served(tmp_path, site, monkeypatch):
    (tmp_path / "site").symlink_to(site)
    monkeypatch.setattr(web, "SITE", tmp_path / "site")
    with web.open_server([export(tmp_path / "fp32")]) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        assert exchange(server.server_address, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")[0] == 200
        server.shutdown()


def test_other_methods_are_refused(ask):
    assert ask("/", "POST")[0] == 501
    assert ask("/models.json", "DELETE")[0] == 501


@pytest.mark.parametrize(("error", "said"), [(BrokenPipeError, False), (ConnectionResetError, False), (KeyError, True)])
def test_a_browser_that_leaves_is_no_error(tmp_path, capsys, error, said):
    with web.open_server([export(tmp_path / "fp32")]) as server:
        try:
            raise error
        except error:
            server.handle_error(None, ("127.0.0.1", 1))
    assert ("Traceback" in capsys.readouterr().err) == said


def test_a_bad_model_is_refused(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"no such file: '.*model.json'; expected the manifest"):
        web.open_server([tmp_path / "empty" / "model.tflite"])
    (export(tmp_path / "damaged")).write_bytes(b"other")
    with pytest.raises(InputError, match=r"missing or not that file; export again"):
        web.open_server([tmp_path / "damaged"])
    export(tmp_path / "future", manifest=GOOD[0] | {"format": "tfflow-model-9"})
    with pytest.raises(InputError, match=r"has format 'tfflow-model-9', expected 'tfflow-model-1'"):
        web.open_server([tmp_path / "future"])
    export(tmp_path / "several")
    with pytest.raises(InputError, match=r"other.tflite' is not the model of the model.json beside it"):
        web.open_server([tmp_path / "several" / "other.tflite"])


def test_a_site_that_is_not_built_is_refused_with_how_to_build_it(tmp_path, monkeypatch):
    monkeypatch.setattr(web, "SITE", tmp_path / "none")
    with pytest.raises(InputError, match=r"npm ci && npm run build"):
        web.open_server([export(tmp_path / "fp32")])


def test_refusals_of_the_command_are_one_line(tmp_path, capsys):
    model = str(export(tmp_path / "fp32"))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert web.main(["--model", model, "--port", str(port)]) == 2
        assert capsys.readouterr().err == f"tfflow: port {port} is taken: choose another with --port\n"
    assert web.main(["--model", model, "--port", "70000"]) == 2
    assert capsys.readouterr().err == "tfflow: --port must be 0 to 65535, got 70000\n"
    assert web.main(["--model", model, "--host", "192.0.2.1"]) == 2  # an address of documentation: nobody's
    assert capsys.readouterr().err.startswith("tfflow: cannot listen at 192.0.2.1 port 8080: ")
    assert web.main(["--model", str(tmp_path / "none.tflite")]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_the_command_says_where_the_page_is(tmp_path, monkeypatch, capsys):
    def stopped(server):
        raise KeyboardInterrupt

    monkeypatch.setattr(web.Server, "serve_forever", stopped)
    assert web.main(["--model", str(export(tmp_path / "fp32")), "--port", "0"]) == 130
    out = capsys.readouterr().out
    assert out.startswith("http://127.0.0.1:") and out.endswith("/ shows 1 network; Ctrl-C ends it\n")
