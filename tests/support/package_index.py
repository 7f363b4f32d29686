"""A package index of the tests' own, with wheels made here: pip is the real one, and nothing comes from the internet."""

import base64
import hashlib
import io
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
