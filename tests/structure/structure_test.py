#!/usr/bin/env python3
"""The shape of the source tree: rooms and who includes whom, where third-party APIs and the outside may be named, sizes,
paths, and the tests that docs/security.md names.

structure_test.py [ROOT] first plants one violation of each rule in a scratch tree and expects to find it, then checks ROOT.
"""

import collections
import fnmatch
import pathlib
import re
import sys
import tempfile

# Each room and what it may include beside itself, lowest first: a room may only name earlier ones. `base/` stands for base
# and every room in it. A room is a folder with sources; the first part of its name is its layer.
ROOMS = {
    "base": [], "base/memory": ["base"], "base/execution": ["base"],
    "base/third_party": [],
    "base/files": ["base"], "base/trace": ["base"], "base/secrets": ["base", "base/third_party"],
    "base/sockets": ["base", "base/third_party"], "config": ["base/"],
    "storage/kv": ["base/"],
    "storage/chunks": ["base/", "storage/kv"],
    "storage/policy": ["base/"],
    "storage/metadata/rows": ["base/", "storage/kv", "storage/policy"],
    "storage/metadata/commands": ["base/", "storage/policy", "storage/metadata/rows"],
    "storage/metadata/apply": [
        "base/", "storage/kv", "storage/policy", "storage/metadata/rows", "storage/metadata/commands",
    ],
    "storage/metadata/read": [
        "base/", "storage/kv", "storage/policy", "storage/metadata/rows", "storage/metadata/commands",
        "storage/metadata/apply",
    ],
    "storage/metadata": ["base/", "storage/"],
    "cluster/raft": ["base/"],
    "cluster/raft/log": ["base/", "storage/kv", "cluster/raft"],
    "cluster/layout": ["base/", "storage/metadata/"],
    "cluster": ["base/", "storage/metadata/", "cluster/raft", "cluster/layout"],
    "actors/link/wire": ["base/"],
    "actors/link": ["base/", "storage/metadata/commands", "cluster", "actors/link/wire"],
    "actors/protocol/values": ["base/", "storage/metadata/"],
    "actors/protocol": ["base/", "config", "storage/", "cluster/", "actors/link", "actors/protocol/values"],
    "actors/chunks": ["base/", "storage/chunks", "cluster/layout", "actors/link", "actors/protocol"],
    "actors/download": ["base/", "actors/protocol", "actors/chunks"],
    "actors/upload": ["base/", "cluster/layout", "actors/protocol", "actors/chunks"],
    "actors/metadata/log": ["base/", "storage/", "cluster/", "actors/link", "actors/protocol"],
    "actors/metadata": ["base/", "config", "storage/", "cluster/", "actors/protocol", "actors/metadata/log"],
    "actors/upkeep": ["base/", "storage/", "cluster/layout", "actors/protocol", "actors/chunks", "actors/metadata/log"],
    "actors/members": [
        "base/", "config", "storage/", "cluster/", "actors/link", "actors/protocol", "actors/metadata/log", "actors/upkeep",
    ],
    "actors/runtime": ["base/", "config", "storage/", "cluster/", "actors/"],
    "sim/world": ["base/", "storage/kv", "actors/protocol", "actors/runtime"],
    "sim/raft": ["base/", "cluster/raft", "cluster/raft/log", "sim/world"],
    "sim/node": ["base/", "storage/", "actors/", "sim/world"],
    "sim/cluster": ["base/", "storage/", "cluster/", "actors/", "sim/world", "sim/node"],
    "sim": ["base/", "sim/"],
    "net/limits": ["base/", "config"],
    "net/wire/grammar": ["base/", "config"],
    "net/wire": ["base/", "config", "net/limits", "net/wire/grammar"],
    "net/s3/xml": ["base/", "storage/policy", "storage/metadata/", "net/wire/grammar"],
    "net/s3/auth": ["base/", "net/wire/grammar", "net/s3/xml"],
    "net/s3/body": ["base/", "actors/protocol/values", "net/wire/grammar", "net/s3/xml", "net/s3/auth"],
    "net/s3/form": ["base/", "storage/metadata/rows", "net/wire/grammar", "net/s3/xml", "net/s3/auth"],
    "net/s3/operations": ["base/", "storage/metadata/", "actors/protocol/values", "net/wire/grammar", "net/s3/xml", "net/s3/body"],
    "net/s3": [
        "base/", "storage/policy", "storage/metadata/", "actors/protocol/values", "net/wire/grammar", "net/s3/xml", "net/s3/auth",
        "net/s3/body", "net/s3/form", "net/s3/operations",
    ],
    "net/iam": ["base/", "storage/policy", "storage/metadata/", "net/wire/grammar", "net/s3/xml"],
    "net/logs": ["base/", "net/wire/grammar"], "net/trace": ["base/"],
    "net/web_identity": ["base/", "config", "storage/policy", "net/wire/grammar", "net/s3/xml"],
    "net/gateway": ["base/", "config", "storage/policy", "actors/protocol", "actors/protocol/values", "net/wire/", "net/s3/", "net/iam", "net/logs", "net/trace", "net/web_identity"],
    "net/gateway/routes": ["base/", "storage/policy", "actors/protocol", "net/wire/grammar", "net/s3/", "net/iam", "net/gateway"],
    "net/admin/objects": ["base/", "storage/metadata/", "net/wire/grammar", "net/s3/"],
    "net/admin": ["base/", "config", "actors/protocol", "net/wire/", "net/s3", "net/logs", "net/admin/objects"],
    "cli/client": ["base/", "net/wire/grammar", "net/s3/xml", "net/s3/auth", "net/s3/body"],
    "cli/transfer": ["base/", "net/wire/grammar", "net/s3/body", "cli/client"],
    "cli/sync": ["base/", "cli/client", "cli/transfer"],
    "cli/objects": ["base/", "net/wire/grammar", "cli/client", "cli/transfer", "cli/sync"],
    "cli/import/documents": ["base/", "net/wire/grammar", "net/s3/xml", "cli/client"],
    "cli/import/identities": ["base/", "net/wire/grammar", "net/s3/xml", "cli/client", "cli/transfer", "cli/import/documents"],
    "cli/import": ["base/", "net/wire/grammar", "net/s3/xml", "net/s3/body", "cli/client", "cli/transfer", "cli/import/"],
    "cli/admin": [
        "base/", "config", "storage/", "cluster/raft/log", "actors/protocol", "actors/members", "net/wire/grammar",
        "net/admin", "cli/client",
    ],
    "cli/monitor": ["base/", "net/wire/grammar", "cli/client", "cli/admin"],
    "cli/machine": ["base/", "config", "actors/runtime", "net/wire", "cli/client", "cli/admin"],
    "cli/bench": ["base/", "actors/runtime", "cli/client"],
    "cli": [
        "base/", "config", "storage/", "actors/protocol", "actors/runtime", "sim", "net/wire", "net/logs", "net/trace", "net/web_identity", "net/gateway", "net/gateway/routes",
        "net/admin", "cli/",
    ],
}
LAYERS = list(dict.fromkeys(room.split("/")[0] for room in ROOMS))
ROOM_FILES_MAX = 25
README_FROM = 11  # files
README_LINES_MAX = 15
FILE_LINES_MAX = 500
FUNCTION_LINES_MAX = 80
TEST_LINES_MAX = 120  # a test may carry its table of cases

# Header (as a prefix) → where it may be included, and by how many files together. Tests are free, but for headers that
# all come in through base/third_party.
THIRD_PARTY = [
    ("lmdb.h", r"storage/kv/lmdb_impl\.hpp", 1),
    ("raft.h", r"cluster/raft/raft_core_impl\.hpp", 1),
    ("toml++/", r"config/.*", 1),
    ("prometheus/", r"net/.*", 1),
    ("openssl/", r"base/digest\.cpp|base/secrets/sealing\.cpp|base/sockets/(certificates|tls_layer)\.cpp|net/.*|cli/.*", 6),
    ("isa-l", r"base/checksum\.cpp", 1),
    ("spdlog/", r"base/log\.cpp", 1),
    ("zip.h", r"cli/import/identities/zip_archive\.cpp", 1),
    ("boost/json", r"base/json\.[ch]pp", 2),
    ("CLI/", r"cli/.*", None),
    ("boost/beast", r"base/third_party/beast(_message)?\.hpp|net/wire/beast_impl\.cpp|tests/fuzz/http_head_fuzz\.cpp", None),
    ("boost/asio", r"base/third_party/asio(_tls)?\.hpp|base/sockets/asio(_ssl)?_impl\.cpp", None),
    ("caf/", r"base/third_party/caf(_scheduler)?\.hpp|cli/version\.cpp", None),
    ("base/third_party/beast", r"(net|cli)/.*", None),
    ("base/third_party/asio.hpp", r"(base/sockets|actors|net/(wire|gateway|admin)|cli)/.*", None),
    ("base/third_party/asio_tls", r"base/sockets/tls_layer\.cpp|(actors/link|net)/wire/tls\.cpp|cli/client/http_client\.cpp", 4),
    ("base/third_party/caf", r"(actors|net/(gateway|admin)|sim|cli)/.*", None),
]

# The driver of a sweep over seeds tells its progress in real time; the scenarios run in virtual time.
REAL_TIME = r"base/seams\.cpp|sim/sweep\.cpp|net/.*|cli/.*"

# What brings the outside in → the files that may say it. Everything else gets a clock, randomness, an executor.
OUTSIDE = [
    ("a clock", r"\b\w*clock\w*::now\s*\(|\b(clock_gettime|gettimeofday)\s*\(", REAL_TIME),
    (
        "sleep",
        r"\b(sleep_for|sleep_until|usleep|nanosleep|block_thread)\s*\(|\bpromise<void>\s*(\{\}|\(\))\s*\.",
        r"base/seams\.[ch]pp|actors/runtime/cluster_member\.cpp|net/.*|cli/.*",
    ),
    ("randomness", r"\brandom_device\b|\b(s?rand|getrandom|arc4random)\s*\(", r"base/seams\.cpp|net/.*|cli/.*"),
    (
        "a thread",
        r"\bstd::j?thread\b(?!::hardware_concurrency)|\bpthread_create\b",
        r"base/execution/thread_executor\.[ch]pp|actors/runtime/(asio_scheduler|io_shards)\.[ch]pp|sim/sweep\.[ch]pp|net/.*|cli/.*",
    ),
]

# What an assert must not do: it states what is true anyway. By the names that change something in this tree and in the
# libraries under it.
CHANGING = re.compile(
    r"\+\+|--|(?<![=!<>])=(?!=)"
    r"|\b(exchange|swap|reset|erase|insert|emplace\w*|push_?\w*|pop_?\w*|take\w*|add|put|credit|release|remove|fetch_\w+)\s*\("
    r"|\b(write\w*|load\w*|scan_\w+|begin_write|commit|step)\s*\("
    r"|\b(EVP_\w+|BIO_\w+|raft_\w+|getrandom|sigaction)\s*\("
)

# Split, so that this file does not violate its own rule.
MACHINE_PATH = re.compile(r"(?<![\w.])/(" + "|".join(["wo" + "rk", "ro" + "ot", "ho" + r"me/\w+"]) + r")/")
SKIPPED = {"build", ".git", "cairn-data", "cairn-cluster", "cluster-data", "__pycache__", ".pytest_cache", ".cache", "corpus"}
TEXT = {".cpp", ".hpp", ".py", ".md", ".txt", ".toml", ".json", ".sh", ".lua", ".cmake", ""}


def files_of(root):
    def walk(folder):
        for path in sorted(folder.iterdir()):
            if path.name in SKIPPED or path.is_symlink():
                continue
            if path.is_dir():
                yield from walk(path)
            elif path.suffix in TEXT:
                yield path

    for path in walk(root):
        try:
            yield path.relative_to(root).as_posix(), path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # not a text


def blanked(source):
    """The source without the insides of comments and literals, line for line."""

    def blank(match):
        text = match.group(0)
        keep = text[0] + text[-1] if text[0] in "\"'" else ""
        return keep + "\n" * text.count("\n")

    # Digit separators first: their quote is not a character literal's.
    source = re.sub(r"(?<=[0-9a-fA-F])'(?=[0-9a-fA-F])", "", source)
    pattern = r'R"(?P<d>[^()\s\\]{0,16})\(.*?\)(?P=d)"|//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\''
    return re.sub(pattern, blank, source, flags=re.S)


def layer_of(name):
    top = name.split("/")[0]
    return top if top in LAYERS and "/" in name else None


def folder_of(name):
    return name.rpartition("/")[0]


def may_include(room, target):
    return target == room or any(
        target == allowed or allowed.endswith("/") and (target + "/").startswith(allowed) for allowed in ROOMS[room]
    )


def is_function(head):
    if re.search(r"^\s*(template\s*<.*>\s*)?(inline\s+)?(namespace|class|struct|union|enum)\b", head, re.S) and not (
        re.search(r"\)\s*(const|noexcept|override|final|->[^;]*)*\s*$", head)
    ):
        return False
    before_parenthesis = head.split("(", 1)[0]
    return "(" in head and ("operator" in head or "=" not in before_parenthesis)


def long_functions(source, most):
    """(line, lines) of each function body of more than `most` lines. A lambda counts in the function around it."""
    code = blanked(source)
    code = re.sub(r"^[ \t]*#[^\n]*(?:\\\n[^\n]*)*", lambda m: "\n" * m.group(0).count("\n"), code, flags=re.M)
    line, scopes, head, head_line = 1, [], "", None
    for char in code:
        if char == "\n":
            line += 1
        if char == "{":
            inside = bool(scopes) and scopes[-1][0] != "outer"
            kind = "inner" if inside else ("function" if is_function(head) else "outer")
            if not inside and kind == "outer" and "=" in head:
                kind = "inner"  # an initializer
            scopes.append((kind, head_line or line))
        elif char == "}" and scopes:
            kind, start = scopes.pop()
            if kind == "function" and line - start + 1 > most:
                yield start, line - start + 1
        if char in "{};":
            head, head_line = "", None
        else:
            if head_line is None and not char.isspace():
                head_line = line
            head += char


def check_includes(name, source, includers):
    layer = layer_of(name)
    for number, line in enumerate(source.splitlines(), 1):
        found = re.match(r'\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)', line)
        if not found:
            continue
        ours, theirs = found.groups()
        if ours and layer:
            room, target = folder_of(name), folder_of(ours)
            if ours.startswith("tests/"):
                yield f"{name}:{number}: production must not include {ours}: a test's"
            elif target not in ROOMS:
                yield f"{name}:{number}: include of \"{ours}\": not a path from the root of the repository"
            elif room in ROOMS and not may_include(room, target):
                yield f"{name}:{number}: {room} must not include {ours}: ROOMS says what it may"
        for prefix, allowed, _ in THIRD_PARTY:
            shared = allowed.startswith("base/third_party/")
            if not (ours or theirs).startswith(prefix) or not layer and not (shared and name.startswith("tests/")):
                continue
            includers.setdefault(prefix, set()).add(name)
            if re.fullmatch(allowed, name):
                continue
            if shared:
                yield f"{name}:{number}: <{theirs}> comes in through base/third_party, whose README has the rule"
            else:
                yield f"{name}:{number}: {ours or theirs} may only be included by {allowed}"


def check_outside(name, source):
    if not layer_of(name) or name.endswith("_test.cpp"):
        return
    for number, line in enumerate(blanked(source).splitlines(), 1):
        for what, pattern, allowed in OUTSIDE:
            if re.search(pattern, line) and not re.fullmatch(allowed, name):
                yield f"{name}:{number}: {what} comes in through the seams only ({allowed})"


def check_asserts(name, source):
    if not layer_of(name) and not name.startswith("tests/fuzz/"):
        return
    code = blanked(source)
    for found in re.finditer(r"(?<!#define )\bCAIRN_ASSERT\(", code):
        depth, end = 1, found.end()
        while depth and end < len(code):
            depth += {"(": 1, ")": -1}.get(code[end], 0)
            end += 1
        if CHANGING.search(code[found.end() : end - 1]):
            yield f"{name}:{code.count(chr(10), 0, found.start()) + 1}: an assert that changes something"


def check_rooms(sources):
    for folder in sorted(set(map(folder_of, sources))):
        if layer_of(folder + "/") and folder not in ROOMS:
            yield f"{folder}: no such room: ROOMS does not know it"
        mirrored = folder.removeprefix("tests/")
        if folder.startswith("tests/") and layer_of(mirrored + "/") and mirrored not in ROOMS:
            yield f"{folder}: mirrors no room"


def check_sizes(what, names, readmes):
    """`names`: of source files or of Python files; `readmes`: lines of each README.md. Unit tests need none: they mirror rooms."""
    folders = collections.Counter(map(folder_of, names))
    for folder, count in sorted(folders.items()):
        lines = readmes.get(folder)
        if count > ROOM_FILES_MAX:
            yield f"{folder}: {count} {what}, at most {ROOM_FILES_MAX}: it is two rooms"
        if folder not in ROOMS and not folder.startswith("tests/e2e"):
            continue
        if count >= README_FROM and lines is None:
            yield f"{folder}: {count} {what} and no README.md"
        if lines is not None and lines > README_LINES_MAX:
            yield f"{folder}/README.md: {lines} lines, at most {README_LINES_MAX}"


def tests_in(name, source):
    """The names by which docs/security.md may call the tests of a file."""
    stem = name.rpartition("/")[2].rpartition(".")[0]
    if name.endswith("_test.cpp"):
        return {stem} | {f"{suite}.{test}" for suite, test in re.findall(r"\bTEST(?:_F|_P)?\(\s*(\w+),\s*(\w+)\)", source)}
    if name.startswith("tests/fuzz/") and stem.endswith("_fuzz"):
        return {"fuzz_" + stem.removesuffix("_fuzz")}
    if name.startswith("tests/e2e/") and stem.startswith("test_") and name.endswith(".py"):
        tests = {f"{stem}.py"} | {f"{stem}.py::{test}" for test in re.findall(r"^def (test_\w+)", source, re.M)}
        return tests | {f"{folder_of(name)}/{test}" for test in tests}
    return set()


def check_security(source, tests):
    """Each test in the second column of a table exists. `tests`: the names of all of them; a suite may end in a `*`."""
    known = tests | {name.split(".")[0] for name in tests}
    for number, line in enumerate(source.splitlines(), 1):
        file = ""
        for named in re.findall(r"`([^`]+)`", line.rstrip(" |").rpartition(" | ")[2] if line.startswith("| ") else ""):
            file = named.split("::")[0] or file
            name = file + named if named.startswith("::") else named
            if re.fullmatch(r"(tests/e2e/[\w/]*)?(test_|fuzz_|\w+_test$|\w+\.)[\w.:*]+|\w+_test|\w+\*", name) and not fnmatch.filter(known, name):
                yield f"docs/security.md:{number}: {named}: there is no such test"


def violations(root):
    includers, sources, scripts, readmes, tests, security = {}, [], [], {}, set(), ""
    for name, source in files_of(pathlib.Path(root)):
        for number, line in enumerate(source.splitlines(), 1):
            if MACHINE_PATH.search(line):
                yield f"{name}:{number}: a path of somebody's machine"
        tests |= tests_in(name, source)
        if name == "docs/security.md":
            security = source
        if name.endswith("/README.md"):
            readmes[folder_of(name)] = source.count("\n")
        if not name.endswith((".cpp", ".hpp", ".py")):
            continue
        lines = source.count("\n")
        if lines > FILE_LINES_MAX:
            yield f"{name}: {lines} lines, at most {FILE_LINES_MAX}: it holds two ideas"
        if name.endswith(".py"):
            scripts.append(name)
            continue
        sources.append(name)
        if name.endswith(".hpp") and not source.startswith("//"):
            yield f"{name}:1: a header opens with what it is for"
        yield from check_includes(name, source, includers)
        yield from check_outside(name, source)
        yield from check_asserts(name, source)
        most = TEST_LINES_MAX if name.endswith("_test.cpp") else FUNCTION_LINES_MAX
        for number, length in long_functions(source, most):
            yield f"{name}:{number}: a function of {length} lines, at most {most}"
    yield from check_rooms(sources)
    yield from check_sizes("source files", sources, readmes)
    yield from check_sizes("Python files", scripts, readmes)
    yield from check_security(security, tests)
    for prefix, _, most in THIRD_PARTY:
        users = sorted(includers.get(prefix, ()))
        if most is not None and len(users) > most:
            yield f"<{prefix}…> is included by {', '.join(users)}: at most {most}"


BODY = "  x();\n" * FUNCTION_LINES_MAX
PLANTED = [
    # (what is said, file, content)
    ("must not include", "actors/chunks/a.cpp", '#include "actors/upkeep/b.hpp"\n'),
    ("must not include", "net/gateway/a.cpp", '#include "net/gateway/routes/b.hpp"\n'),
    ("production must not include", "cli/a.cpp", '#include "tests/base/b.hpp"\n'),
    ("no such room", "storage/a.cpp", "int x;\n"),
    ("mirrors no room", "tests/net/a_test.cpp", "int x;\n"),
    ("must not include", "storage/kv/a.cpp", '#include "actors/chunks/b.hpp"\n'),
    ("must not include", "net/wire/a.cpp", '#include "cli/client/b.hpp"\n'),
    ("must not include", "net/wire/a.cpp", '#include "actors/link/wire/b.hpp"\n'),
    ("must not include", "net/s3/a.cpp", '#include "actors/protocol/b.hpp"\n'),
    ("may only be included by", "net/s3/body/a.cpp", '#include "base/third_party/asio.hpp"\n'),
    ("may only be included by", "net/wire/a.cpp", '#include "base/third_party/caf.hpp"\n'),
    ("comes in through base/third_party", "net/wire/a.cpp", "#include <boost/asio/buffer.hpp>\n"),
    ("comes in through base/third_party", "tests/net/wire/a_test.cpp", "#include <boost/beast/http.hpp>\n"),
    ("not a path from the root", "net/wire/a.cpp", '#include "b.hpp"\n'),
    ("may only be included by", "storage/kv/a.cpp", "#include <lmdb.h>\n"),
    ("may only be included by", "actors/chunks/a.hpp", '// a\n#include "base/third_party/beast.hpp"\n'),
    ("a clock", "actors/chunks/a.cpp", "auto t = std::chrono::steady_clock::now();\n"),
    ("sleep", "storage/kv/a.cpp", "std::this_thread::sleep_for(1s);\n"),
    ("sleep", "actors/upkeep/a.cpp", "std::promise<void>{}.get_future().wait_for(1s);\n"),
    ("sleep", "actors/upkeep/a.cpp", "storage::block_thread(1s);\n"),
    ("randomness", "cluster/a.cpp", "std::random_device d;\n"),
    ("an assert that changes", "cluster/a.cpp", "void f() { CAIRN_ASSERT(window_->credit(count,\n(a))); }\n"),
    ("an assert that changes", "cluster/a.hpp", "// a\nvoid f() { CAIRN_ASSERT(--left >= 0); }\n"),
    ("an assert that changes", "sim/world/a.hpp", "// a\nvoid f() { CAIRN_ASSERT(to->commit().has_value()); }\n"),
    ("an assert that changes", "base/sockets/a.cpp", "void f() { CAIRN_ASSERT(m && BIO_meth_set_read(m, r)); }\n"),
    ("an assert that changes", "tests/fuzz/a.cpp", "void f() { CAIRN_ASSERT(load_dump(engine, disk, path)); }\n"),
    ("a thread", "storage/kv/a.hpp", "// a\nstd::thread t;\n"),
    ("a function of", "net/wire/a.cpp", "namespace n {\nint f(int a) {\n" + BODY + "}\n}\n"),
    ("a function of", "net/wire/a.cpp", "struct s {\n  s() : a{1}, b(2) {\n" + BODY + "  }\n};\n"),
    ("a function of", "tests/net/wire/a_test.cpp", "TEST(a, b) {\n  auto f = [] { x(); };\n" + BODY * 2 + "}\n"),
    ("a function of", "net/wire/a.cpp", "template <class T>\nauto f(T x) -> int\n{\n" + BODY + "}\n"),
    ("a function of", "net/wire/a.cpp", "const char c = '{';\nstruct t f() {\n" + BODY + "}\n"),
    ("lines, at most", "cli/a.cpp", "int x;\n" * (FILE_LINES_MAX + 1)),
    ("lines, at most", "tests/e2e/a.py", "x = 1\n" * (FILE_LINES_MAX + 1)),
    ("opens with what it is for", "cli/a.hpp", "#pragma once\n"),
    ("a path of somebody's machine", "dev", "cd /ro" + "ot/cairn\n"),
    ("a path of somebody's machine", "docs/a.md", "see `/wo" + "rk/main`\n"),
]
# Near misses, which must stay quiet.
ALLOWED = {
    "storage/kv/a.cpp": '#include "base/b.hpp"\n#include "storage/kv/c.hpp"\n// steady_clock::now() is for seams.cpp\n'
    'const char* s = "std::thread";\nauto n = pool.now();\nconstexpr int k = 1\'000\'000;\n',
    "storage/kv/lmdb_impl.hpp": "// The inside of the engine, for its two files.\n#pragma once\n#include <lmdb.h>\n",
    "base/seams.cpp": "auto t = std::chrono::steady_clock::now();\nvoid f() { CAIRN_ASSERT(a <= b && !c.contains(d) && e == 1); }\n",
    "cli/a.cpp": '#include "sim/b.hpp"\n' + "int x;\n" * 200,
    "net/wire/table.cpp": "constexpr int t[] = {\n" + "  f(1), {2},\n" * 100 + "};\nclass c {\n" + "  int f();\n" * 100 + "};\n",
    "tests/net/wire/a_test.cpp": '#include "net/wire/a.hpp"\n#include <lmdb.h>\n',
    "docs/a.md": "`/var/lib/cairn`, https://example.org/ro" + "ot/x, src/ro" + "ot/y\n",
}


def found_in(tree):
    with tempfile.TemporaryDirectory() as root:
        for name, content in tree.items():
            path = pathlib.Path(root, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
        return list(violations(root))


def self_test():
    wrong = [f"said of an allowed tree: {text}" for text in found_in(ALLOWED)]
    for expected, name, content in PLANTED:
        found = found_in({name: content})
        if len(found) != 1 or expected not in found[0]:
            wrong.append(f"planted in {name}, expected one “{expected}”, found {found}")
    two = found_in({"config/a.cpp": "#include <toml++/toml.h>\n", "config/b.cpp": "#include <toml++/toml.h>\n"})
    if len(two) != 1 or "is included by config/a.cpp, config/b.cpp" not in two[0]:
        wrong.append(f"two users of one library, found {two}")
    many = {f"base/f{n}.cpp": "int x;\n" for n in range(README_FROM)}
    scripts = {f"tests/e2e/s3/f{n}.py": "x = 1\n" for n in range(README_FROM)}
    crowd = {f"base/f{n}.cpp": "int x;\n" for n in range(ROOM_FILES_MAX + 1)}
    for expected, tree in [
        (None, {f"base/f{n}.cpp": "int x;\n" for n in range(README_FROM - 1)}),
        (None, many | {"base/README.md": "# base\n" * README_LINES_MAX}),
        ("no README.md", many),
        ("base/README.md: 16 lines", many | {"base/README.md": "# base\n" * (README_LINES_MAX + 1)}),
        ("it is two rooms", crowd | {"base/README.md": "# base\n"}),
        (None, {f"tests/e2e/s3/f{n}.py": "x = 1\n" for n in range(README_FROM - 1)}),
        ("no README.md", scripts),
        ("s3/README.md: 16 lines", scripts | {"tests/e2e/s3/README.md": "# s3\n" * (README_LINES_MAX + 1)}),
        ("it is two rooms", {f"tests/e2e/s3/f{n}.py": "x = 1\n" for n in range(ROOM_FILES_MAX + 1)} | {"tests/e2e/s3/README.md": "# s3\n"}),
    ]:
        found = found_in(tree)
        if len(found) != (expected is not None) or not all(expected in text for text in found):
            wrong.append(f"planted a room of {len(tree)} files, expected “{expected}”, found {found}")
    named = {
        "tests/net/wire/a_test.cpp": "TEST_F(a_suite, refuses_b) {}\n",
        "tests/e2e/room/test_a.py": "def test_b():\n    pass\n",
        "tests/fuzz/a_fuzz.cpp": "int x;\n",
    }
    for expected, tests in [
        (0, "`a_test`, `a_suite.*`, `a_suite.refuses_*`, `a_s*`, `fuzz_a`, `tests/e2e/room/test_a.py`: b, `test_a.py::test_b`, `./dev bench`"),
        (0, "`test_a.py`, `::test_b`"),
        (1, "`tests/e2e/test_a.py`"), (1, "`tests/e2e/other/test_a.py::test_b`"),
        (1, "`b_test`"), (1, "`a_suite.c`"), (1, "`fuzz_b`"), (1, "`test_b.py`"), (1, "`test_a.py::test_b`, `::test_c`"),
    ]:
        found = found_in(named | {"docs/security.md": f"| guarantee | test |\n|---|---|\n| `what_test` | {tests} |\n"})
        if len(found) != expected or not all("there is no such test" in text for text in found):
            wrong.append(f"tests in docs/security.md: {tests}: found {found}")
    names = list(ROOMS)
    for room in names:
        for later in names[names.index(room) + 1 :]:
            if may_include(room, later):
                wrong.append(f"ROOMS: {room} may include {later}, which stands behind it")
    return wrong


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parents[2])
    problems = [f"self-test: {text}" for text in self_test()] + list(violations(root))
    problems += [f"{layer}: no such folder under {root}" for layer in LAYERS if not pathlib.Path(root, layer).is_dir()]
    for text in problems:
        print(text)
    print(f"{len(problems)} violations")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
