"""A package index of the tests' own, with wheels made here: pip is the real one, and nothing comes from the internet."""

import base64
import hashlib
import io
import json
import tarfile
import zipfile

from web_services import Web


def wheel(name, version="1.0", files=None) -> bytes:
    """A wheel whose module `name` holds VERSION, and `files` (path -> bytes) beside it."""
    info = f"{name}-{version}.dist-info"
    content = {f"{name}/__init__.py": f"VERSION = {version!r}\n".encode(), **(files or {}),
               f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n".encode(),
               f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"}
    record = ""
    for path, data in content.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        record += f"{path},sha256={digest},{len(data)}\n"
    content[f"{info}/RECORD"] = (record + f"{info}/RECORD,,\n").encode()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for path, data in content.items():
            archive.writestr(path, data)
    return packed.getvalue()


class PackageIndex(Web):
    """A simple repository (PEP 503) on 127.0.0.1."""

    def offer(self, name, version="1.0", files=None, host=None):
        """`host`: where the wheel is said to be; here if it is left out."""
        file = f"{name}-{version}-py3-none-any.whl"
        self.html(f"/simple/{name.replace('_', '-')}/", f'<a href="{host or self.url}/files/{file}">{file}</a>')
        self.pages[f"/files/{file}"] = (200, {"Content-Type": "application/octet-stream"}, wheel(name, version, files))

    @property
    def index(self):
        return self.url + "/simple"


class NodeRegistry(Web):
    """A registry of packages for Node.js on 127.0.0.1, as npm asks it."""

    def offer(self, name, version="1.0.0", host=None):
        """A package whose default export is {version}. `host`: where its archive is said to be; here if it is left out."""
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w:gz") as archive:
            for path, text in (("package.json", json.dumps({"name": name, "version": version, "main": "index.js"})), ("index.js", f"module.exports = {{version: {version!r}}}\n")):
                entry = tarfile.TarInfo(f"package/{path}")
                entry.size = len(text)
                archive.addfile(entry, io.BytesIO(text.encode()))
        file = f"/{name}/-/{name}-{version}.tgz"
        integrity = "sha512-" + base64.b64encode(hashlib.sha512(packed.getvalue()).digest()).decode()
        about = {"name": name, "dist-tags": {"latest": version}, "versions": {version: {"name": name, "version": version, "dist": {"tarball": (host or self.url) + file, "integrity": integrity}}}}
        self.pages[f"/{name}"] = (200, {"Content-Type": "application/json"}, json.dumps(about))
        self.pages[file] = (200, {"Content-Type": "application/octet-stream"}, packed.getvalue())
