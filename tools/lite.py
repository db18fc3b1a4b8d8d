"""JupyterLite beside the book: the notebooks with a Python that runs in the page, and convbp in what it can import.

Pyodide has a list of all packages that it can load, with their hashes: its lock file. In that of the site stands the
course, and of the others what the course needs. Of Pyodide a package is taken only if it has the hash in the lock file.
"""

import hashlib
import json
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen
from zipfile import ZipFile

import nbformat
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name, parse_wheel_filename
from save_notebooks import ROOT, notebooks

CORE = ["pyodide.js", "pyodide.mjs", "pyodide.asm.js", "pyodide.asm.wasm", "python_stdlib.zip", "pyodide-lock.json"]
WHEELS = Path(__file__).parent / "book" / "wheels.txt"  # what is not Pyodide's
KERNEL = ["micropip", "ssl", "sqlite3", "ipython", "jedi", "comm"]  # what it begins with
# What the wheels ask for that a page has no use for: of the widgets, it has the part for the browser already.
LEFT_OUT = {"jupyterlab-widgets", "widgetsnbextension", "resvg", "ipykernel", "jupyterlab"}
LABEXTENSIONS = Path(sysconfig.get_path("data"), "share", "jupyter", "labextensions")
EXTENSIONS = ["@jupyter-widgets/jupyterlab-manager", "anywidget", "@jupyterlite/pyodide-kernel-extension"]


def build(site: Path, scratch: Path, pyodide: str | None) -> None:
    """Write JupyterLite into the folder ``site``; ``pyodide`` is a folder or an address of an unpacked distribution."""
    lite = scratch / "lite"
    distribution(lite / "static" / "pyodide", pyodide or published(), wheels(scratch / "wheels"))
    for path in notebooks():
        there = lite / "files" / path.relative_to(ROOT)
        there.parent.mkdir(parents=True, exist_ok=True)
        # JupyterLite 0.6 wants the text of a cell in one piece, which nbformat makes of its lines as it reads them.
        write(there, nbformat.read(path, as_version=4))
    options = {
        "LiteBuildConfig": {
            "apps": ["lab", "notebooks", "tree"],
            "contents": [str(lite / "files")],
            "federated_extensions": [str(LABEXTENSIONS / name) for name in EXTENSIONS],
            "ignore_sys_prefix": ["federated_extensions"],
            "no_sourcemaps": True,
            "output_dir": str(site),
        }
    }
    kernel = {"loadPyodideOptions": {"packages": [*KERNEL, "convbp"]}, "disablePyPIFallback": True}
    settings = {
        "appName": "Backpropagation in convolutional networks",
        "exposeAppInBrowser": True,
        "litePluginSettings": {"@jupyterlite/pyodide-kernel-extension:kernel": kernel},
    }
    write(lite / "jupyter_lite_config.json", options)
    write(lite / "jupyter-lite.json", {"jupyter-lite-schema-version": 0, "jupyter-config-data": settings})
    write(lite / "overrides.json", {"@jupyterlab/apputils-extension:notification": {"fetchNews": "false"}})
    command = [sys.executable, "-m", "jupyterlite_core", "build"]
    done = subprocess.run(command, cwd=lite, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{done.stdout}{done.stderr}JupyterLite could not be built; why stands above.")


def write(path: Path, content: dict) -> None:
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


# Pyodide


def published() -> str:
    """Where Pyodide is published in the version that JupyterLite's kernel is made for, which has its address."""
    kernel = LABEXTENSIONS / "@jupyterlite" / "pyodide-kernel-extension" / "static"
    written = "".join(path.read_text(encoding="utf-8") for path in sorted(kernel.glob("*.js")))
    return re.findall(r"https://[\w./]+/pyodide/v[\d.]+/full/", written)[0]


def distribution(folder: Path, source: str, wheels: list[Path]) -> None:
    """Write the part of Pyodide that the course needs, with the course in its lock file."""
    folder.mkdir(parents=True)
    for name in CORE:
        fetch(source, name, folder)
    lock = json.loads((folder / "pyodide-lock.json").read_text(encoding="utf-8"))
    version, expected = lock["info"]["version"], re.findall(r"/v([\d.]+)/", published())[0]
    if version.rpartition(".")[0] != expected.rpartition(".")[0]:
        sys.exit(f"The Pyodide in {source} is {version}; JupyterLite's kernel is made for {expected}.")
    official = lock["packages"]
    own = dict(map(entry, wheels))
    # What a notebook imports is loaded with its cell; what the course imports later, in a function, has to be there.
    own["convbp"]["depends"] += ["matplotlib", *(name for name in own if name != "convbp")]
    lock["packages"] = needed([*KERNEL, "convbp"], official | own)
    for package in lock["packages"].values():
        if package["name"] not in own:
            fetch(source, package["file_name"], folder, package["sha256"])
    for wheel in wheels:
        shutil.copy(wheel, folder)
    write(folder / "pyodide-lock.json", lock)


def needed(names: list[str], packages: dict[str, dict]) -> dict[str, dict]:
    """The packages of these names, and all that they depend on."""
    found: dict[str, dict] = {}
    waiting = list(names)
    while waiting:
        name = canonicalize_name(waiting.pop())
        if name not in found:
            found[name] = packages[name]
            waiting += packages[name]["depends"]
    return found


def entry(wheel: Path) -> tuple[str, dict]:
    """The name of a wheel and what the lock file says of it."""
    name, version, _, _ = parse_wheel_filename(wheel.name)
    with ZipFile(wheel) as archive:
        inside = archive.namelist()
        (metadata,) = (n for n in inside if n.endswith(".dist-info/METADATA"))
        lines = archive.read(metadata).decode("utf-8").partition("\n\n")[0].splitlines()
    asked = [Requirement(line.partition(": ")[2]) for line in lines if line.startswith("Requires-Dist: ")]
    there = {"extra": "", "sys_platform": "emscripten", "platform_system": "Emscripten", "python_version": "3.12"}
    names = [canonicalize_name(one.name) for one in asked if one.marker is None or one.marker.evaluate(there)]
    return name, {
        "name": name,
        "version": str(version),
        "file_name": wheel.name,
        "install_dir": "site",
        "sha256": hashlib.sha256(wheel.read_bytes()).hexdigest(),
        "package_type": "package",
        "imports": sorted({n.partition("/")[0] for n in inside if n.count("/") == 1 and n.endswith("/__init__.py")}),
        "depends": [one for one in names if one not in LEFT_OUT],
        "unvendored_tests": False,
    }


def fetch(source: str, name: str, folder: Path, sha256: str | None = None) -> None:
    """Copy a file of the distribution; end with a sentence if it is not there, or has another hash."""
    try:
        if "://" in source:
            with urlopen(f"{source.rstrip('/')}/{name}") as answer:
                content = answer.read()
        else:
            content = Path(source, name).read_bytes()
    except (OSError, URLError) as error:
        sys.exit(
            f"Pyodide's {name} cannot be had from {source} ({error}). --pyodide names a folder with an unpacked "
            "distribution of Pyodide, or its address; --book builds the site without Python in the page."
        )
    if sha256 and hashlib.sha256(content).hexdigest() != sha256:
        sys.exit(f"{name} from {source} is not the file that Pyodide's lock file names: its SHA-256 differs.")
    (folder / name).write_bytes(content)


# The course, and what is not Pyodide's


def wheels(folder: Path) -> list[Path]:
    """The wheel of the course and those of wheels.txt."""
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q"]
    anywhere = ["--only-binary=:all:", "--platform=any", "--implementation=py", "--abi=none", "--python-version=3.12"]
    for command in (
        ["wheel", "--no-deps", "--no-build-isolation", "-w", folder, ROOT],
        ["download", "--no-deps", *anywhere, "-d", folder, "-r", WHEELS],
    ):
        if subprocess.run([*pip, *command], check=False).returncode:
            sys.exit("What the Python in the page needs could not be had; why stands above. It needs the network.")
    return sorted(folder.glob("*.whl"))
