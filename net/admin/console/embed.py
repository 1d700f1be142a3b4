"""embed.py OUTPUT FILE…: writes the C++ source of console_files(), which has these files under /console/.

The page, index.html, is also /console/ itself.
"""
import pathlib
import sys

TYPES = {".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8",
         ".svg": "image/svg+xml"}


def literal(content):
    escaped = "".join(chr(b) if 32 <= b < 127 and chr(b) not in '"\\?' else f"\\{b:03o}" for b in content)
    pieces, begin = [], 0
    while begin < len(escaped):
        end = min(begin + 110, len(escaped))
        while end < len(escaped) and "\\" in escaped[end - 3 : end]:
            end -= 1  # not within an escape
        pieces.append(f'    "{escaped[begin:end]}"')
        begin = end
    return "\n".join(pieces)


def main(output, *files):
    entries = []
    for path in map(pathlib.Path, files):
        name = "" if path.name == "index.html" else path.name
        content = path.read_bytes()
        entries.append(f'  {{"/console/{name}", "{TYPES[path.suffix]}", {{\n{literal(content)}, {len(content)}}}}},\n')
    pathlib.Path(output).write_text(
        '#include "net/admin/console_files.hpp"\n\nnamespace cairn::net {\n\nstd::span<const console_file> console_files() {\n'
        "  static constexpr console_file files[] = {\n" + "".join(entries) + "  };\n  return files;\n}\n\n} // namespace cairn::net\n",
        encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
