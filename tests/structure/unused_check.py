#!/usr/bin/env python3
"""What nothing in production uses: functions that a header declares and no code calls, files that nothing includes, counters
of the node that nothing raises.

unused_check.py [ROOT] first plants one of each in a scratch tree and expects to find it, then checks ROOT.

No compiler: a function is used when its name is called, passed or pointed to anywhere in the code of production but where
functions of that name are declared or defined. So a dead function hides behind a living one of the same name. ALLOWED lists
what is used in a way that this check can't see.
"""

import pathlib
import re
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from structure_test import LAYERS, blanked, files_of, layer_of  # noqa: E402

# Name of a function, or path of a file → why nothing in our code names it.
ALLOWED = {
    "throw_exception_from_error": "Boost.System calls it for result<T>::value() of an error",
    "intrusive_ptr_add_ref": "boost::intrusive_ptr calls it",
    "used_bytes": "what tests ask of the simulated disk",
    "flushes": "what tests ask of the simulated disk",
    "base/sockets/asio_impl.cpp": "Asio's own sources",
    "base/sockets/asio_ssl_impl.cpp": "the sources of Asio's TLS",
    "net/wire/beast_impl.cpp": "Beast's own sources",
}

METRICS = "base/metrics.hpp"
METRICS_PAGE = "net/admin/metrics_page.cpp"

SPECIFIERS = re.compile(
    r"\[\[[^\]]*\]\]|\b(template|explicit|constexpr|consteval|inline|virtual|static|friend|extern|const|noexcept|typename|struct|class)\b"
    r"|^\s*(public|protected|private)\s*:"
)
CALLED = re.compile(r"\s*[(<]")
NAMED = re.compile(r"(&(\s*\w+\s*::)*|[(,=?:]|\breturn)\s*((\w+\s*::\s*)|\w+\.|\w+->)*$")  # handed over as a value
NOT_FUNCTIONS = re.compile(r"^\s*(using|typedef|namespace|enum|static_assert|return|if|for|while|switch|else|do|case|default)\b")


def without_brackets(text):
    """`text` with the insides of <…> gone, as far as they are template arguments."""
    text = re.sub(r"->|<=>|<=|>=|<<|>>=", lambda m: " " * len(m.group(0)), text)
    while True:
        shorter = re.sub(r"<[^<>;{}]*>", lambda m: " " * len(m.group(0)), text)
        if shorter == text:
            return text
        text = shorter


def declared_name(head):
    """(name, offset, overrides) of the function that `head` declares or defines; None: it is none with a name to call."""
    head = re.sub(r"^\s*((public|protected|private)\s*:\s*)+", lambda m: " " * len(m.group(0)), head)
    if NOT_FUNCTIONS.match(head) or re.search(r"\boperator\b", head):
        return None
    plain = without_brackets(head)
    found = re.search(r"((?:\w+\s*::\s*)*~?\w+)\s*\(", plain)
    if not found or "=" in plain[: found.start()]:
        return None
    name = found.group(1).split("::")[-1].strip()
    before = SPECIFIERS.sub("", plain[: found.start()]).strip(" \n\t*&:")
    if not before or name.startswith("~") or name.isupper() or name in ("decltype", "alignas"):
        return None  # a constructor, a destructor, a macro
    start = found.start(1) + found.group(1).rindex(name)
    return name, start, bool(re.search(r"\b(override|= delete)\b", head[found.end() :]))


def functions_of(code):
    """(name, offset, overrides) of each function that is declared or defined in blanked code, in namespaces and classes."""
    code = re.sub(r"^[ \t]*#[^\n]*(?:\\\n[^\n]*)*", lambda m: re.sub(r"[^\n]", " ", m.group(0)), code, flags=re.M)
    scopes, begin = [], 0  # of each open brace: whether declarations stand in it
    for at, char in enumerate(code):
        if char not in "{};":
            continue
        outside = all(scopes)
        head = code[begin:at]
        if char == "}":
            if scopes:
                scopes.pop()
        elif outside:
            function = declared_name(head)
            if function:
                name, offset, overrides = function
                yield name, begin + offset, overrides
            if char == "{":
                opens = re.match(r"\s*(template\b.*)?(inline\s+)?(namespace|class|struct|union|extern)\b", head, re.S)
                scopes.append(bool(opens) and not function)
        elif char == "{":
            scopes.append(False)
        begin = at + 1


def unused_functions(code):
    """`code`: blanked production code by file."""
    places, declared = {}, {}
    for name, text in code.items():
        for function, offset, overrides in functions_of(text):
            places.setdefault(function, set()).add((name, offset))
            if name.endswith(".hpp") and not overrides:
                declared.setdefault(function, (name, text.count("\n", 0, offset) + 1))
    used = set()
    for name, text in code.items():
        for found in re.finditer(r"\b[A-Za-z_]\w*", text):
            word, at = found.group(0), found.start()
            if word not in declared or word in used or (name, at) in places[word]:
                continue
            if CALLED.match(text, found.end()) or NAMED.search(text[max(0, at - 80) : at]):
                used.add(word)
    for function, (name, line) in sorted(declared.items(), key=lambda d: d[1]):
        if function not in used and function not in ALLOWED:
            yield f"{name}:{line}: nothing in production calls {function}"


def unused_files(sources, code):
    includers = {}
    for name, source in sources.items():
        for included in re.findall(r'^\s*#\s*include\s*"([^"]+)"', source, flags=re.M):
            includers.setdefault(included, set()).add(name)
    declared = {f for name in code if name.endswith(".hpp") for f, _, _ in functions_of(code[name])}
    for name in sorted(sources):
        stem = name.rpartition(".")[0]
        if name in ALLOWED:
            continue
        if name.endswith(".hpp"):
            others = includers.get(name, set()) - {stem + ".cpp"}
            if name in code:
                others = {o for o in others if o in code}
            if not others:
                yield f"{name}: nothing else {'in production ' if name in code else ''}includes it"
        elif name in code and not stem.endswith("/main") and stem + ".hpp" not in sources:
            if not any(f in declared for f, _, _ in functions_of(code[name])):
                yield f"{name}: defines nothing that a header declares"


def silent_counters(code):
    found = re.search(r"\bstruct node_metrics \{(.*?)\n\};", code.get(METRICS, ""), re.S)
    for name in re.findall(r"\b(\w+)\s*(?:\{0?\})?\s*[,;]", without_brackets(found.group(1)) if found else ""):
        users = {file for file, text in code.items() if re.search(rf"\b{name}\b", text)} - {METRICS}
        if METRICS_PAGE in users and users == {METRICS_PAGE}:
            yield f"{METRICS_PAGE}: shows {name}, which nothing raises"
        elif METRICS_PAGE not in users:
            yield f"{METRICS}: {name} is not shown by {METRICS_PAGE}"


def violations(root):
    sources = {n: text for n, text in files_of(pathlib.Path(root)) if n.endswith((".cpp", ".hpp"))}
    code = {n: blanked(text) for n, text in sources.items() if layer_of(n)}
    yield from unused_functions(code)
    yield from unused_files(sources, code)
    yield from silent_counters(code)


USER = '#include "base/a.hpp"\nvoid use() { %s; }\nint main() { use(); }\n'
PLANTED = [
    # (what is said, the header base/a.hpp, what base/main.cpp does with it)
    ("base/a.hpp:2: nothing in production calls dead", "// a\nint dead(int a = (1));\nint living();\n", "living()"),
    ("nothing in production calls dead", "// a\nstruct s {\n  s(int a);\n  std::vector<int> dead() const { return {}; }\n};\n", "s{1}"),
    ("nothing in production calls dead", "// a\ntemplate <class T>\nstd::map<int, T> dead(T a) {\n  return {a.living()};\n}\n", "1"),
    ("nothing in production calls dead", "// a\nclass s {\npublic:\n  virtual int dead() = 0; // dead()\n};\nclass t : s {\n  int dead() override;\n};\n", "t{}"),
]
# Near misses, which must stay quiet.
QUIET = [
    ("// a\nint living();\n", "living()"),
    ("// a\nstruct s {\n  std::function<void(int)> handler;\n  int x = f(1);\n  s() : x(2) {}\n  ~s() {}\n};\n", "s{}"),
    ("// a\nclass t {\n  result<int> from_a_library() override;\n  friend bool operator==(const t&, const t&) = default;\n};\n", "t{}"),
    ("// a\nusing f = int(int);\nMACRO(a, b)\nint living(int a) {\n  if (a) return one(a);\n  return 2;\n}\n", "living(1)"),
]


def found_in(tree):
    with tempfile.TemporaryDirectory() as root:
        for name, content in tree.items():
            path = pathlib.Path(root, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
        return list(violations(root))


def self_test():
    trees = [(expected, {"base/a.hpp": header, "base/main.cpp": USER % call}) for expected, header, call in PLANTED]
    trees += [(None, {"base/a.hpp": header, "base/main.cpp": USER % call}) for header, call in QUIET]
    used = {"base/a.hpp": "// a\nint living();\n", "base/main.cpp": USER % "living()"}
    test = {"tests/base/a_test.cpp": '#include "base/b.hpp"\n#include "tests/base/c.hpp"\nvoid t() { dead(); }\n'}
    counters = "// a\nstruct node_metrics {\n  std::array<counter, 3> kinds{};\n  counter seen{0}, unseen{0}; // a\n};\n"
    page = "void page() { show(m.kinds, m.seen, m.unseen); }\n"
    shown = {"base/metrics.hpp": counters, "net/admin/metrics_page.hpp": "// a\nvoid page();\n", "net/admin/metrics_page.cpp": page}
    main = {"cli/main.cpp": '#include "base/metrics.hpp"\n#include "net/admin/metrics_page.hpp"\nint main() { page(); }\n'}
    trees += [
        (None, used),
        ("base/b.hpp: nothing else in production includes it", used | {"base/b.hpp": "// b\nstruct b {};\n"}),
        ("base/b.hpp: nothing else in production includes it", used | {"base/b.hpp": "// b\nstruct b {};\n", "base/b.cpp": '#include "base/b.hpp"\n'}),
        ("calls dead", used | test | {"base/b.hpp": "// b\nint dead();\n", "base/main.cpp": '#include "base/b.hpp"\n' + used["base/main.cpp"], "tests/base/c.hpp": "// c\n"}),
        ("base/c.cpp: defines nothing", used | {"base/c.cpp": "namespace {\nint f() { return 1; }\n}\n"}),
        (None, used | {"base/c.cpp": '#include "base/a.hpp"\nint living() { return 1; }\n'}),
        ("tests/base/c.hpp: nothing else includes it", used | {"tests/base/c.hpp": "// c\n"}),
        ("shows unseen, which nothing raises", shown | main | {"cli/main.cpp": main["cli/main.cpp"] + "void f() { ++seen, ++kinds[1]; }\n"}),
        (None, shown | main | {"cli/main.cpp": main["cli/main.cpp"] + "void f() { ++seen, ++kinds[1], ++unseen; }\n"}),
    ]
    wrong = []
    for expected, tree in trees:
        found = found_in(tree)
        if len(found) != (expected is not None) or not all(expected in text for text in found):
            wrong.append(f"planted {sorted(tree)}, expected “{expected}”, found {found}")
    return wrong


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parents[2])
    problems = [f"self-test: {text}" for text in self_test()] + list(violations(root))
    problems += [f"{layer}: no such folder under {root}" for layer in LAYERS if not pathlib.Path(root, layer).is_dir()]
    sources = "\n".join(text for name, text in files_of(root) if name.endswith((".cpp", ".hpp")))
    names = {name for name, _ in files_of(root)}
    problems += [f"ALLOWED: there is no {name} any more" for name in ALLOWED if name not in names and name not in sources]
    for text in problems:
        print(text)
    print(f"{len(problems)} unused")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
