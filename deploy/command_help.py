#!/usr/bin/env python3
"""Man pages and shell completions from the help that the `cairn` command prints: command_help.py BINARY DIRECTORY.

Writes cairn.1, one page per command (cairn-cluster.1 describes `cairn cluster` and what is below it), and bash, zsh and fish
completions. The same binary gives the same bytes."""
import pathlib
import re
import subprocess
import sys

SECTIONS = ("Positionals", "Options", "Subcommands")
FILES = re.compile(r"\b(FILE|DIR)\b")


class Command:
    """One command: `words` are ["cluster", "drain"]. Items are (name, description)."""

    def __init__(self, binary, words):
        printed = subprocess.run(["cairn", *words, "--help"], executable=binary, capture_output=True, text=True, check=True).stdout
        self.words, self.usage = words, ""
        self.about, self.examples = [], []  # lines before and behind the sections
        self.positionals, self.options, self.subcommands = [], [], []
        self.read(printed.splitlines())
        self.children = [Command(binary, [*words, name]) for name, _ in self.subcommands]

    def read(self, lines):
        items, seen_usage = None, False
        for line in lines:
            if line.startswith("Usage: "):
                self.usage, seen_usage, items = line.removeprefix("Usage: "), True, None
            elif line.rstrip(":") in SECTIONS and line.endswith(":"):
                items = getattr(self, line[:-1].lower())
            elif items is not None and (found := re.match(r"  (\S.*?)(?:  +(\S.*))?$", line)):
                items.append([found[1], found[2] or ""])
            elif items is not None and line.startswith(" " * 10):
                items[-1][1] = (items[-1][1] + "\n" + line.strip()).strip("\n")
            elif not line.strip() and items is not None:
                pass
            else:
                if line.strip():
                    items = None
                (self.examples if seen_usage else self.about).append(line)

    def summary(self):
        return next((line.strip() for line in self.about if line.strip()), "")

    def walk(self):
        yield self
        for child in self.children:
            yield from child.walk()

    def flags(self):
        """(spellings, takes a value, the value is a file, description) of each option."""
        for name, text in self.options:
            spellings, _, value = name.partition(" ")
            value = re.sub(r"\(Env:\w+\)|\bREQUIRED\b|\.\.\.|=\S+", "", value).strip()
            yield spellings.split(","), bool(value), bool(FILES.search(value)), text.split("\n")[0]


# Man pages


def roff(text):
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("`", "\\(ga").replace("'", "\\(aq")
    text = re.sub(r"[^\x00-\x7f]", lambda c: f"\\[u{ord(c[0]):04X}]", text)
    return "\\&" + text if text.startswith(".") else text


def paragraphs(lines):
    """Plain text; indented lines and examples keep their form."""
    out, literal = [], False
    for line in lines:
        indented = line.startswith("  ")
        if indented != literal:
            out.append(".nf" if indented else ".fi")
            literal = indented
        out.append(roff(line) if line.strip() else ".PP" if not literal else "")
    if literal:
        out.append(".fi")
    while out and out[0] == ".PP":
        out.pop(0)
    while out and out[-1] == ".PP":
        out.pop()
    return out


def described(items):
    out = []
    for name, text in items:
        out += [".TP", f"\\fB{roff(name.replace(',-', ', -'))}\\fR"]
        lines = text.splitlines() or [""]
        out += [roff(lines[0])]
        rest = [line for line in lines[1:] if line.strip()]
        if rest:
            out += [".RS", ".nf", *map(roff, rest), ".fi", ".RE"]
    return out


def man_page(command, version, see_also):
    name = "-".join(["cairn", *command.words])
    summary = command.summary()
    out = [f'.TH {name.upper()} 1 "" "cairn {version}" "Cairn"', ".SH NAME", f"{roff(name)} \\- {roff(summary.rstrip('.'))}",
           ".SH SYNOPSIS", f"\\fB{roff(command.usage)}\\fR", ".SH DESCRIPTION", *paragraphs(command.about)]
    if command.positionals or command.options:
        out += [".SH OPTIONS", *described(command.positionals), *described(command.options)]
    if command.subcommands:
        out += [".SH COMMANDS", *described([(name, text.split("\n")[0]) for name, text in command.subcommands])]
    for child in [c for c in command.walk() if c is not command and command.words]:
        out += [f'.SS "{roff(" ".join(["cairn", *child.words]))}"', f"\\fB{roff(child.usage)}\\fR", ".PP", *paragraphs(child.about),
                *described(child.positionals), *described(child.options)]
    if any(line.strip() for line in command.examples):
        out += [".SH EXAMPLES", *paragraphs([line for line in command.examples if line.strip() != "Examples:"])]
    out += [".SH EXIT STATUS", "0: done; 1: failed; 2: called or configured wrongly.", ".SH SEE ALSO",
            ", ".join(f"\\fB{roff(page)}\\fR(1)" for page in see_also if page != name)]
    return "\n".join(out) + "\n"


# Completions. All three walk the words of the line to find the command, then offer its sub-commands or options.


def quoted(text):
    return "'" + text.replace("'", "'\\''") + "'"


def paths(root, joiner):
    """Each command's words, as the walk meets them."""
    return joiner.join(quoted(" ".join(c.words)) for c in root.walk() if c.words)


def valued(root):
    """The options that take a file, and those that take another value."""
    flags = [f for c in root.walk() for f in c.flags()]
    return [sorted({s for spellings, value, file, _ in flags if value and file == wanted for s in spellings}) for wanted in (True, False)]


def bash(root):
    out = ["# bash completion for cairn", "_cairn() {", "  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}",
           "  local command='' word words=''", '  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do', '    case "${command:+$command }$word" in',
           f"      {paths(root, ' | ')}) command=\"${{command:+$command }}$word\" ;;", "    esac", "  done"]
    takes_file, takes_text = valued(root)
    out += ['  case "$previous" in', f"    {' | '.join(takes_file)})", '      mapfile -t COMPREPLY < <(compgen -f -- "$current")', "      return ;;",
            f"    {' | '.join(takes_text)}) return ;;", "  esac", '  case "$command" in']
    for c in root.walk():
        offered = [name for name, _ in c.subcommands] + [s for spellings, *_ in c.flags() for s in spellings]
        out += [f"    {quoted(' '.join(c.words))}) words={quoted(' '.join(offered))} ;;"]
    out += ["  esac", '  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")', "}", "complete -o default -F _cairn cairn"]
    return "\n".join(out) + "\n"


def zsh(root):
    def entry(name, text):
        return quoted(name.replace(":", "\\:") + ":" + text)
    out = ["#compdef cairn", "local command='' word", "local -a commands options", "for word in ${words[2,CURRENT-1]}; do",
           '  case "${command:+$command }$word" in', f"    ({paths(root, '|')}) command=\"${{command:+$command }}$word\" ;;", "  esac", "done"]
    takes_file, takes_text = valued(root)
    out += ["case ${words[CURRENT-1]} in", f"  ({'|'.join(takes_file)}) _files; return ;;", f"  ({'|'.join(takes_text)}) _message value; return ;;", "esac",
            'case "$command" in']
    for c in root.walk():
        commands = " ".join(entry(name, text.split("\n")[0]) for name, text in c.subcommands)
        options = " ".join(entry(s, text) for spellings, _, _, text in c.flags() for s in spellings)
        out += [f"  ({quoted(' '.join(c.words))}) commands=({commands}) options=({options}) ;;"]
    out += ["esac", "if [[ ${words[CURRENT]} == -* ]]; then", "  _describe option options", "elif (( $#commands )); then",
            "  _describe command commands", "else", "  _files", "fi"]
    return "\n".join(out) + "\n"


def fish(root):
    out = ["# fish completion for cairn", "function __cairn_command", "  set -l command", "  for word in (commandline -opc)[2..-1]",
           '    switch (string trim "$command $word")', f"      case {paths(root, ' ')}",
           '        set command (string trim "$command $word")', "    end", "  end", '  echo "$command"', "end"]
    for c in root.walk():
        here = f"-n {quoted('test (__cairn_command) = ' + chr(34) + ' '.join(c.words) + chr(34))}"
        for name, text in c.subcommands:
            out += [f"complete -c cairn {here} -f -a {name} -d {quoted(text.split(chr(10))[0])}"]
        for spellings, value, file, text in c.flags():
            names = " ".join(("-l " if s.startswith("--") else "-s ") + s.lstrip("-") for s in spellings)
            out += [f"complete -c cairn {here} {names}{' -r' if value else ''}{' -F' if file else ''} -d {quoted(text)}"]
    return "\n".join(out) + "\n"


def main():
    binary, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    version = subprocess.run([binary, "version"], capture_output=True, text=True, check=True).stdout.split()[1]
    root = Command(binary, [])
    pages = ["cairn", *("cairn-" + c.words[0] for c in root.children)]
    for command in [root, *root.children]:
        name = "-".join(["cairn", *command.words])
        (folder / f"{name}.1").write_text(man_page(command, version, pages))
    (folder / "cairn").write_text(bash(root))
    (folder / "_cairn").write_text(zsh(root))
    (folder / "cairn.fish").write_text(fish(root))


if __name__ == "__main__":
    main()
