"""Bring ``.venv`` up to date: the project, editable, with the optional dependencies asked for.

Standard library only: it runs before anything is installed. What is done is remembered in stamps
inside ``.venv``, so that a second run costs a fraction of a second:

- ``installed.stamp``: what pyproject.toml said, and which extras are there
- ``built.stamp``: the C and Cython sources that the extension modules were compiled from
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import venv
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
INSTALLED = VENV / "installed.stamp"
BUILT = VENV / "built.stamp"
COMPILED_SUFFIXES = frozenset({".c", ".h", ".pyx", ".pxd", ".pxi"})
# An extra whose packages are conveniences: what cannot be installed is left out with a line.
TOLERANT_EXTRAS = frozenset({"bench"})


def say(message: str) -> None:
    """Print a step that takes time."""
    print(f"==> {message}", file=sys.stderr, flush=True)


def fail(message: str) -> NoReturn:
    """Print what is wrong and what to do about it, and end."""
    sys.exit(f"\nscripts: {message}")


def run(command: Sequence[str | Path], what: str) -> None:
    """Run a command quietly; show its output when it fails."""
    done = subprocess.run(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if done.returncode:
        print(done.stdout, file=sys.stderr)
        fail(f"{what} failed (exit code {done.returncode}); the output is above")


def check_machine() -> None:
    """Name what is missing before anything is started."""
    if sys.platform != "linux":
        fail("shmcache runs on Linux only (POSIX shared memory and robust mutexes)")
    compiler = (os.environ.get("CC") or "cc").split()[0]
    if shutil.which(compiler) is None:
        fail(
            f"no C compiler ({compiler!r} is not on the PATH); the engine is C11\n"
            "  Debian, Ubuntu:  apt-get install gcc libc6-dev\n"
            "  Fedora:          dnf install gcc"
        )
    if not (Path(sysconfig.get_paths()["include"]) / "Python.h").exists():
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        fail(
            f"Python {version} is here without its C headers (Python.h)\n"
            f"  Debian, Ubuntu:  apt-get install python3-dev   (or python{version}-dev)\n"
            "  Fedora:          dnf install python3-devel"
        )


def venv_python_version() -> str | None:
    """Version of the interpreter in ``.venv``, None when it does not start."""
    try:
        command = [PYTHON, "-c", "import sys, pip; print(sys.version)"]
        return subprocess.check_output(command, stderr=subprocess.DEVNULL, text=True).strip()
    except (OSError, subprocess.CalledProcessError):
        return None


def create_venv() -> None:
    """Make ``.venv``, or make it again when its interpreter is gone."""
    say(f"Creating .venv with Python {sys.version.split()[0]}")
    try:
        venv.EnvBuilder(with_pip=True, clear=True, symlinks=True).create(VENV)
    except subprocess.CalledProcessError as error:
        shutil.rmtree(VENV, ignore_errors=True)
        fail(
            f"this Python cannot make virtual environments ({error})\n"
            "  Debian, Ubuntu:  apt-get install python3-venv"
        )


def read_stamp(path: Path) -> list[str]:
    """Lines of a stamp, none when it is not there."""
    return path.read_text().splitlines() if path.exists() else []


def digest_of(parts: Sequence[bytes]) -> str:
    """One hash over several byte strings."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()


def sources_digest(project: dict[str, Any]) -> str:
    """Hash of everything that the extension modules are compiled from."""
    sources = sorted(
        path
        for path in (ROOT / "shmcache").rglob("*")
        # Cython's output lies beside its source and is no source
        if path.suffix in COMPILED_SUFFIXES
        and not (path.suffix == ".c" and path.with_suffix(".pyx").exists())
    )
    settings = repr(project["tool"]["setuptools"]["ext-modules"]).encode()
    return digest_of([settings] + [bytes(path) + path.read_bytes() for path in sources])


def extension_files(project: dict[str, Any]) -> list[Path]:
    """Where each extension module's shared object lies for this interpreter."""
    suffix = subprocess.check_output(
        [PYTHON, "-c", "import sysconfig; print(sysconfig.get_config_var('EXT_SUFFIX'))"], text=True
    ).strip()
    names = [module["name"] for module in project["tool"]["setuptools"]["ext-modules"]]
    return [ROOT / (name.replace(".", "/") + suffix) for name in names]


def pip(*arguments: str) -> list[str | Path]:
    """Command line of the environment's pip."""
    return [PYTHON, "-m", "pip", "install", "--disable-pip-version-check", *arguments]


def install(project: dict[str, Any], extras: set[str]) -> None:
    """Install the project, editable; its extension modules are compiled on the way."""
    say(f"Installing shmcache and its dependencies [{', '.join(sorted(extras))}]")
    run(pip("--quiet", *project["build-system"]["requires"]), "installing the build tools")
    for stale in extension_files(project):
        stale.unlink(missing_ok=True)
    needed = sorted(extras - TOLERANT_EXTRAS)
    target = f".[{','.join(needed)}]" if needed else "."
    # A path in a .pth file; the default, an import hook, doubles the start of every Python here.
    editable = ("--config-settings", "editable_mode=compat", "-e", target)
    run(pip("--quiet", "--no-build-isolation", *editable), "installing shmcache")
    optional = project["project"]["optional-dependencies"]
    for requirement in [line for extra in extras & TOLERANT_EXTRAS for line in optional[extra]]:
        say(f"Installing {requirement}")
        done = subprocess.run(
            pip("--quiet", requirement), cwd=ROOT, capture_output=True, text=True, check=False
        )
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["no message"])[-1]
            say(f"{requirement} could not be installed and is left out: {last}")


def build() -> None:
    """Compile the extension modules again, all of them: headers are not tracked one by one."""
    say("Compiling the engine and its bindings")
    setup = "from setuptools import setup; setup()"
    jobs = str(os.cpu_count() or 1)
    command = [PYTHON, "-c", setup, "build_ext", "--inplace", "--force", "--parallel", jobs]
    run(command, "compiling")


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Two scripts started together do not install into one another's environment."""
    handle = os.open(ROOT, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def bring_up_to_date(wanted: set[str]) -> None:
    """Do whatever the stamps say is still to be done."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    unknown = wanted - set(project["project"]["optional-dependencies"])
    if unknown:
        fail(f"pyproject.toml has no extra named {', '.join(sorted(unknown))}")
    version = venv_python_version()
    if version is None:
        check_machine()
        create_venv()
        version = venv_python_version() or fail("the new .venv has no working Python")

    described = digest_of([(ROOT / "pyproject.toml").read_bytes(), version.encode(), bytes(ROOT)])
    sources = sources_digest(project)
    recorded, *have = read_stamp(INSTALLED) or [""]
    if recorded != described or not wanted <= set(have):
        check_machine()
        extras = wanted | (set(have) & set(project["project"]["optional-dependencies"]))
        install(project, extras)
        INSTALLED.write_text("\n".join([described, *sorted(extras)]) + "\n")
        BUILT.write_text(sources + "\n")
    if read_stamp(BUILT) != [sources] or not all(map(Path.exists, extension_files(project))):
        check_machine()
        build()
        BUILT.write_text(sources + "\n")


def main() -> None:
    """Entry point: the arguments are names of extras."""
    with one_at_a_time():
        bring_up_to_date(set(sys.argv[1:]))


if __name__ == "__main__":
    main()
