#!/usr/bin/env python3
"""./dev bench [names] [--quick]: the benchmarks against nginx in the same run. A whole run writes docs/benchmarks.md."""
import argparse
import datetime
import os
import pathlib
import platform
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import benchmarks
import cluster
import fairness
import reads
import writes

ROOT = pathlib.Path(__file__).resolve().parents[2]

WRITTEN_BY_HAND = "\n## What requests share\n"  # the last section of docs/benchmarks.md: a run keeps it

ALL = {**reads.ALL, **writes.ALL, **benchmarks.ALL, "fairness": fairness.fairness, "fair-gets": fairness.downloads_of_another, "cluster": cluster.cluster}


class Report:
    """Prints as it goes and keeps the text for docs/benchmarks.md."""

    def __init__(self):
        self.lines, self.requirements = [], []

    def say(self, text=""):
        print(text, flush=True)
        self.lines.append(text)

    def section(self, title, note):
        self.say(f"\n## {title}\n\n{note}\n")

    def table(self, heads, rows):
        self.say("| " + " | ".join(heads) + " |")
        self.say("|" + " --- |" * len(heads))
        for row in rows:
            self.say("| " + " | ".join(str(c) for c in row) + " |")

    def require(self, what, value, at_least=None, at_most=None):
        met = value >= at_least if at_least is not None else value <= at_most
        bound = f"≥ {at_least:g}" if at_least is not None else f"≤ {at_most:g}"
        self.requirements.append((what, bound, f"{value:,.2f}" if value < 1000 else f"{value:,.0f}", met))

    def summary(self):
        self.say("\n## What is required, and what came out\n")
        self.table(["", "required", "measured", ""], [(w, b, v, "met" if met else "**missed**") for w, b, v, met in self.requirements])


def kept_section(path):
    """What a report that is about to be replaced has from its section that no benchmark writes."""
    text = path.read_text() if path.exists() else ""
    _, heading, rest = text.partition(WRITTEN_BY_HAND)
    return heading + rest


def first_line(*command):
    try:
        done = subprocess.run(command, capture_output=True, text=True)
        return (done.stdout + done.stderr).strip().splitlines()[0]
    except (OSError, IndexError):
        return "?"


def copy_rate():
    """GiB/s at which one thread copies what no cache holds: the best of five."""
    source, target = bytearray(os.urandom(1 << 20) * 256), bytearray(256 << 20)
    times = []
    for _ in range(5):
        began = time.monotonic()
        target[:] = source
        times.append(time.monotonic() - began)
    return len(source) / min(times) / (1 << 30)


def build_before(commit):
    """The program of a commit, built once in a work tree of its own."""
    if os.access(commit, os.X_OK) and os.path.isfile(commit):
        return commit
    tree = ROOT / "build/before" / commit
    binary = tree / "build/release/cairn"
    if not binary.exists():
        if not tree.exists():
            subprocess.run(["git", "-C", str(ROOT), "worktree", "add", "--force", "--detach", str(tree), commit], check=True)
        shutil.copytree(ROOT / "build/raft", tree / "build/raft", dirs_exist_ok=True)  # where this build has its own
        for command in (["cmake", "--preset", "release"], ["cmake", "--build", "build/release", "--target", "cairn"]):
            subprocess.run(command, cwd=tree, check=True, stdout=sys.stderr)
    return str(binary)


def machine(binary):
    info = pathlib.Path("/proc/cpuinfo").read_text()
    model = re.search(r"model name\s*:\s*(.*)", info)
    memory = int(re.search(r"MemTotal:\s+(\d+)", pathlib.Path("/proc/meminfo").read_text()).group(1))
    caches = re.findall(r"^(L\d\w*) cache:\s+(.*?)\s*$", subprocess.run(["lscpu"], capture_output=True, text=True).stdout, re.M)
    system = re.search(r'PRETTY_NAME="(.*)"', pathlib.Path("/etc/os-release").read_text())
    return [
        ("Date", datetime.date.today().isoformat()),
        ("Machine", f"{model.group(1) if model else platform.machine()}, {os.cpu_count()} cores, {memory / 2**20:.0f} GiB"),
        ("Caches", ", ".join(f"{name} {size}" for name, size in caches)),
        ("Memory copies", f"{copy_rate():.1f} GiB/s, one thread, 256 MiB at a time"),
        ("System", f"{system.group(1) if system else '?'}, Linux {platform.release()}"),
        ("Cairn", first_line(binary, "version")),
        ("nginx", first_line("nginx", "-v").replace("nginx version: ", "")),
        ("wrk", first_line("wrk", "-v").split(" Copyright")[0]),
        ("OpenSSL", first_line("openssl", "version")),
    ]


def parse_arguments():
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help="which: " + ", ".join(ALL) + "; default: all")
    parser.add_argument("--quick", action="store_true", help="small sizes, few runs: to see that it works")
    parser.add_argument("--before", metavar="COMMIT", help="compare with the build of a commit too (or with a program, by its path)")
    parser.add_argument("--runs", type=int, help="measured runs of each (default 7)")
    parser.add_argument("--dir", default=str(ROOT / "build/bench"), help="where the servers keep their data (on the disk to be measured)")
    parser.add_argument("--output", help="write the report there (a whole run: docs/benchmarks.md)")
    parser.add_argument("--check", action="store_true", help="exit 1 when a requirement is missed")
    arguments = parser.parse_args()
    unknown = [n for n in arguments.names if n not in ALL]
    if unknown:
        parser.error(f"no benchmark {', '.join(unknown)}; there are {', '.join(ALL)}")
    return arguments


def main():
    arguments = parse_arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the servers are ended
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    binary = os.environ.get("CAIRN_BINARY") or str(ROOT / "build/release/cairn")
    if not os.access(binary, os.X_OK):
        sys.exit(f"bench: {binary} is not there: build first (./dev build)")
    names = arguments.names or list(ALL)
    whole = not arguments.names and not arguments.quick
    output = arguments.output or (str(ROOT / "docs/benchmarks.md") if whole else None)
    arguments.binary = binary
    arguments.before = arguments.before and build_before(arguments.before)
    arguments.runs = arguments.runs or (3 if arguments.quick else 7)
    pathlib.Path(arguments.dir).mkdir(parents=True, exist_ok=True)
    arguments.folder = pathlib.Path(tempfile.mkdtemp(prefix="run-", dir=arguments.dir))

    report = Report()
    command = "./dev bench" + "".join(f" {a}" for a in sys.argv[1:])
    report.say("# Benchmarks\n")
    report.say("Again: `./dev bench`; one part: `./dev bench NAME` (" + ", ".join(ALL) + "); `--quick` to see that it works.\n")
    report.say(f"Written by `{command}`. Everything runs on one machine over loopback, clients included. Compared servers take turns "
               f"within one run; figures are medians of {arguments.runs}. Machines drift: compare ratios, not runs of different days.\n")
    report.table(["", ""], machine(binary) + ([("Build before", first_line(arguments.before, "version"))] if arguments.before else []))
    try:
        for name in names:
            ALL[name](arguments, report)
    finally:
        shutil.rmtree(arguments.folder, ignore_errors=True)
    report.summary()
    if output:
        path = pathlib.Path(output)
        path.write_text("\n".join(report.lines) + "\n" + kept_section(path))
        print(f"\nwritten to {output}")
    sys.exit(1 if arguments.check and not all(met for *_, met in report.requirements) else 0)


if __name__ == "__main__":
    main()
