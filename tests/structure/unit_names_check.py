#!/usr/bin/env python3
"""Names of unnamed namespaces that two files of a layer define: the files are compiled together, in units that shift as they
grow (cairn_unite in CMakeLists.txt), so such names break the build of somebody who changes another file.

unit_names_check.py [ROOT] first plants one of each kind in a scratch tree and expects to find it, then checks ROOT.

No compiler: functions differ by the types of their parameters as they are written, everything else by its name.
"""

import pathlib
import re
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from structure_test import blanked, files_of, layer_of  # noqa: E402
from unused_check import declared_name, without_brackets  # noqa: E402

TYPE = re.compile(r"^\s*(?:template\s*<.*>\s*)?(?:class|struct|union|enum(?:\s+class)?)\s+(?:alignas\([^)]*\)\s*)?(\w+)\b(?!\s*<)", re.S)
ALIAS = re.compile(r"^\s*using\s+(\w+)\s*=(.*)$", re.S)
VARIABLE = re.compile(r"^\s*(?:template\s*<.*>\s*)?(?:(?:inline|static|constexpr|constinit|const|thread_local)\s+)+[^(){}=]*?\b(\w+)\s*(?:\[[^\]]*\]\s*)?(?:=|\{|$)", re.S)
NAMESPACE = re.compile(r"^\s*(?:inline\s+)?namespace\b\s*([\w:]*)\s*$")


def parameter_types(head):
    """The types of the parameters of the function that `head` declares, without their names and defaults."""
    begin = head.index("(") + 1
    depth, end = 1, begin
    while depth and end < len(head):
        depth += {"(": 1, ")": -1}.get(head[end], 0)
        end += 1
    text, parts, start, depth = head[begin : end - 1], [], 0, 0
    for at, char in enumerate(text + ","):
        depth += {"<": 1, "(": 1, "[": 1, "{": 1, ">": -1, ")": -1, "]": -1, "}": -1}.get(char, 0)
        if char == "," and depth == 0:
            parts.append(text[start:at])
            start = at + 1
    types = []
    for part in parts:
        part = " ".join(part.split("=")[0].split())
        part = re.sub(r"(?<=[\w>&*\]])\s*\b\w+(\[\])?$", "", part) if re.search(r"[\s&*>]\w+$", part) else part
        types.append(part.replace(" ", ""))
    return tuple(types)


def definitions(code):
    """((namespace, name, signature), line) of what the unnamed namespaces of blanked code define; the signature of a
    function is its parameters' types, that of an alias what it stands for, else None."""
    code = re.sub(r"^[ \t]*#[^\n]*(?:\\\n[^\n]*)*", lambda m: re.sub(r"[^\n]", " ", m.group(0)), code, flags=re.M)
    scopes, begin = [], 0  # of each open brace: the namespace's name, "" if unnamed; None: no namespace
    for at, char in enumerate(code):
        if char not in "{};":
            continue
        head = code[begin:at]
        if char == "}":
            if scopes:
                scopes.pop()
        else:
            inside = None not in scopes and "" in scopes
            space = NAMESPACE.match(head)
            if inside and not space:
                found = None
                alias, kind = ALIAS.match(head), TYPE.match(head)
                if alias:
                    found = alias.group(1), "=" + "".join(alias.group(2).split())
                elif kind:
                    found = (kind.group(1), None) if char == "{" else None
                else:
                    function = declared_name(head)
                    variable = VARIABLE.match(without_brackets(head))
                    if function and not without_brackets(head)[: function[1]].endswith("::"):  # else a member's body
                        found = function[0], parameter_types(without_brackets(head)[function[1] :])
                    elif variable and not function:
                        found = variable.group(1), None
                if found:
                    yield ("::".join(s for s in scopes if s), *found), code.count("\n", 0, begin + len(head) - len(head.lstrip())) + 1
            if char == "{":
                scopes.append(space.group(1) if space else None)
        begin = at + 1


def violations(root):
    root = pathlib.Path(root)
    cmake = root / "CMakeLists.txt"
    alone = re.search(r"set_source_files_properties\(([^()]*)PROPERTIES SKIP_UNITY", cmake.read_text() if cmake.exists() else "")
    alone = set(alone.group(1).split()) if alone else set()
    seen = {}
    for name, text in files_of(root):
        if not name.endswith(".cpp") or not layer_of(name) or name in alone or name.endswith("/main.cpp"):
            continue
        for (space, defined, signature), line in definitions(blanked(text)):
            seen.setdefault((layer_of(name), space, defined), []).append((name, line, signature))
    for (_, _, defined), places in sorted(seen.items()):
        for i, (name, line, signature) in enumerate(places):
            for other, other_line, other_signature in places[:i]:
                same_alias = str(signature).startswith("=") and signature == other_signature
                overloads = isinstance(signature, tuple) and isinstance(other_signature, tuple) and signature != other_signature
                if other != name and not same_alias and not overloads:
                    yield f"{name}:{line}: {defined} is defined in {other}:{other_line}, too"
                    break


FILE = "namespace n {\nnamespace {\n%s\n} // namespace\n} // namespace n\n"
CLASHING = [
    ("constexpr int a = 1;", "constexpr std::size_t a{2};"),
    ("int f(const std::string& x) { return 1; }", "int f(const std::string& y = {}) { return 2; }"),
    ("std::optional<int> f(int x) { return 1; }", "double f(int x) { return 2; }"),
    ("struct s {\n  int a = 1;\n};", "enum class s { a, b };"),
    ("using t = int;", "using t = long;"),
    ("int f() { return 1; }", "constexpr int f = 1;"),
]
QUIET = [
    ("int f(int x) { return 1; }", "int f(long x) { return 2; }"),
    ("using t = int;", "using t = int;"),
    ("struct s {\n  int a = 1;\n  int f() { return 1; }\n};", "struct r {\n  int a = 1;\n  int f() { return 1; }\n};"),
    ("int f() {\n  const int a = 1;\n  return a;\n}", "int g() {\n  const int a = 1;\n  return a;\n}"),
]


def found_in(tree):
    with tempfile.TemporaryDirectory() as folder:
        for name, content in tree.items():
            path = pathlib.Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
        return list(violations(folder))


def self_test():
    for pair, clashes in [(p, True) for p in CLASHING] + [(p, False) for p in QUIET]:
        found = found_in({"base/a.cpp": FILE % pair[0], "base/b.cpp": FILE % pair[1]})
        if len(found) != clashes:
            yield f"planted {pair}, found {found}"


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parents[2])
    problems = [f"self-test: {text}" for text in self_test()] + list(violations(root))
    for text in problems:
        print(text)
    print(f"{len(problems)} names twice")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
