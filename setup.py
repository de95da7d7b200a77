"""Builds the wheel: app, model and training become parts of one package, fraudscore.

``app``, ``model`` and ``training`` are names that other distributions install too. pyproject.toml
says which folder becomes which package; what is left to do here is that a module finds the others
under their new names. Code refers to modules by imports alone, so rewriting these is enough:
``from model.npz import read`` becomes ``from fraudscore.model.npz import read``.
"""

import ast
import io
import tokenize
from itertools import pairwise
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

OURS = {"app", "model", "training"}
CONFIGURATION = "gunicorn.conf.py"


def move_imports(source: str) -> str:
    """Return a module whose imports of our packages find them inside fraudscore.

    Raises
    ------
    ValueError
        For an import of a kind that cannot be moved by an insertion.
    """
    lines = list(io.StringIO(source))
    following = _tokens_after(source)
    for position, before, after in sorted(_insertions(ast.parse(source)), reverse=True):
        first = following[position]  # of the name, after from or import
        row, start = first.start[0] - 1, first.start[1]
        end = first.end[1]
        line = lines[row]
        lines[row] = line[:start] + before + line[start:end] + after + line[end:]
    return "".join(lines)


def _insertions(tree: ast.AST) -> list[tuple[tuple[int, int], str, str]]:
    """Return where imports of ours stand, and what belongs before and after the first name."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            if node.module.partition(".")[0] in OURS:
                found.append(((node.lineno, node.col_offset), "fraudscore.", ""))
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
            if not OURS & {name.partition(".")[0] for name in names}:
                continue
            if len(names) > 1 or "." in names[0]:
                raise ValueError(f"line {node.lineno}: write 'from … import …' for our packages")
            after = "" if node.names[0].asname else f" as {names[0]}"
            found.append(((node.lineno, node.col_offset), "fraudscore.", after))
    return found


def _tokens_after(source: str) -> dict[tuple[int, int], tokenize.TokenInfo]:
    """Return the token that follows each, by the latter's position."""
    tokens = list(tokenize.generate_tokens(io.StringIO(source).readline))
    return {token.start: following for token, following in pairwise(tokens)}


class BuildPackage(build_py):
    """Copies the modules as ever, then moves their imports."""

    def build_module(self, module, module_file, package):
        """Copy one module into the build."""
        copied, done = super().build_module(module, module_file, package)
        _move(Path(copied))
        return copied, done

    def run(self):
        """Build all packages, and put the configuration of the server beside them."""
        if self.editable_mode:
            raise SystemExit("fraudscore has no editable form: work in the checkout with make")
        super().run()
        target = Path(self.build_lib, "fraudscore", CONFIGURATION)
        target.unlink(missing_ok=True)
        self.copy_file(CONFIGURATION, str(target))
        _move(target)

    def get_outputs(self, include_bytecode=1):
        """Name all files of the build, for whoever lists them."""
        configuration = str(Path(self.build_lib, "fraudscore", CONFIGURATION))
        return [*super().get_outputs(include_bytecode), configuration]


def _move(path: Path) -> None:
    """Move the imports of a file of the build."""
    path.write_text(move_imports(path.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    setup(cmdclass={"build_py": BuildPackage})
