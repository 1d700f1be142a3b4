"""The same sources give the same bytes: the program has nothing of the folder that it was built in, and the package nothing of when, where
and by whom it was made. Needs what `./dev package` needs and has made."""
import hashlib
import os
import pathlib
import shutil
import subprocess

import pytest

from test_package import PACKAGES, ROOT, run

PROGRAM = ROOT / "build/release/cairn"
LAYERS = ("base", "config")  # that are compiled once more; the others have the same flags


def digest(path):
    return hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()


@pytest.fixture
def elsewhere(tmp_path):
    """A copy of the sources in a folder whose name is longer, with other times and modes."""
    copy = tmp_path / "another/place/for/the/sources"
    copy.mkdir(parents=True)
    for name in run("git", "-C", ROOT, "ls-files").stdout.splitlines():
        if (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, copy / name)
            os.utime(copy / name, (1_500_000_000, 1_500_000_000))
    (copy / "build").mkdir()
    (copy / "build/raft").symlink_to(ROOT / "build/raft")
    return copy


def test_the_program_does_not_know_its_folder(tmp_path):
    if not PROGRAM.exists():
        pytest.skip("there is no program: ./dev build")
    run("strip", "-o", tmp_path / "cairn", PROGRAM)
    assert str(ROOT).encode() not in (tmp_path / "cairn").read_bytes()
    assert str(ROOT).encode() not in PROGRAM.read_bytes(), "the build id is made of the debug information, too"


def test_layers_compiled_in_another_folder_are_the_same(elsewhere):
    if not (ROOT / "build/release/build.ninja").exists():
        pytest.skip("there is no build: ./dev build")
    environment = {**os.environ, "CCACHE_DISABLE": "1"}
    run("cmake", "--preset", "release", cwd=elsewhere, env=environment)
    run("cmake", "--build", elsewhere / "build/release", "--parallel", "2", "--target", *(f"cairn_{n}" for n in LAYERS), env=environment,
        timeout=1800)
    for name in LAYERS:
        library = f"build/release/libcairn_{name}.a"
        assert digest(elsewhere / library) == digest(ROOT / library), name


def test_the_package_is_made_to_the_same_bytes_again(elsewhere):
    if not PACKAGES:
        pytest.skip("there is no package: ./dev package")
    (elsewhere / "build/release").mkdir()
    shutil.copy(PROGRAM, elsewhere / "build/release/cairn")
    subprocess.run([elsewhere / "deploy/package.sh"], check=True, capture_output=True, umask=0o002, timeout=600,
                   env={**os.environ, "TZ": "Asia/Tokyo", "LC_ALL": "C", "USER": "somebody"})
    made, = (elsewhere / "build/package").glob("cairn_*.deb")
    assert digest(made) == digest(PACKAGES[-1])
