"""A build backend without dependencies: what is in `src` is in the wheel (PEP 517, PEP 660)."""
import base64
import hashlib
import os
import zipfile

STEM = "{STEM}"
DIST_INFO = STEM + ".dist-info"
WHEEL = "Wheel-Version: 1.0\nGenerator: envlock-depot\nRoot-Is-Purelib: true\nTag: py3-none-any\n"

# {BEFORE_BUILD}


def read(path):
    with open(path, "rb") as file:
        return file.read()


def dist_info():
    files = {"METADATA": read("backend/METADATA"), "WHEEL": WHEEL.encode()}
    if os.path.exists("backend/entry_points.txt"):
        files["entry_points.txt"] = read("backend/entry_points.txt")
    return {DIST_INFO + "/" + name: content for name, content in files.items()}


def sources():
    for directory, _, names in os.walk("src"):
        for name in names:
            if not name.endswith(".pyc"):
                path = os.path.join(directory, name)
                yield os.path.relpath(path, "src").replace(os.sep, "/"), read(path)


def record(files):
    lines = []
    for path, content in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")
        lines.append("%s,sha256=%s,%d\n" % (path, digest, len(content)))
    return "".join(lines) + DIST_INFO + "/RECORD,,\n"


def write_wheel(directory, contents):
    files = dict(sorted(contents.items()))
    files.update(dist_info())
    files[DIST_INFO + "/RECORD"] = record(files).encode()
    name = STEM + "-py3-none-any.whl"
    with zipfile.ZipFile(os.path.join(directory, name), "w") as wheel:
        for path, content in files.items():
            entry = zipfile.ZipInfo(path)
            entry.external_attr = 0o100644 << 16
            wheel.writestr(entry, content)
    return name


def prepare_metadata_for_build_wheel(metadata_directory, config_settings=None):
    for path, content in dist_info().items():
        path = os.path.join(metadata_directory, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(content)
    return DIST_INFO


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    return write_wheel(wheel_directory, dict(sources()))


def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    return write_wheel(wheel_directory, {STEM + ".pth": os.path.abspath("src").encode() + b"\n"})


prepare_metadata_for_build_editable = prepare_metadata_for_build_wheel
