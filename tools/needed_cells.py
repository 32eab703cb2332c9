"""Which cells of a notebook its explorers need: the cells that make the names they read, and so on back to the imports.

Of a long notebook the browser runs these alone in `make test`, where nbval runs all of it; `make test-browser FULL=1` runs all.
"""

import ast
import symtable

import nbformat
from IPython.core.inputtransformer2 import TransformerManager

# They look at what they are given and change nothing.
ONLY_SHOW = {"show", "print", "display"}


def parse(source: str) -> ast.Module:
    """The syntax tree of a cell, as the kernel reads it: lines such as %pip are made Python."""
    return ast.parse(TransformerManager().transform_cell(source))


def called(call: ast.Call) -> str:
    """The last part of the name that is called: "b" for a.b(...)."""
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def makes_explorers(source: str) -> int:
    """How many explorers a cell makes: calls of `explore_...(...)`, or of the class itself."""
    calls = [called(node) for node in ast.walk(parse(source)) if isinstance(node, ast.Call)]
    return sum(name.startswith("explore_") or name == "Explorer" for name in calls)


def count_explorers(notebook: nbformat.NotebookNode) -> int:
    """How many explorers the source of a notebook makes."""
    return sum(makes_explorers(cell.source) for cell in notebook.cells if cell.cell_type == "code")


def table(statement: ast.AST) -> symtable.SymbolTable:
    """Python's own account of the names of one statement."""
    return symtable.symtable(ast.unparse(statement), "cell", "exec")


def bound_by(statement: ast.AST) -> set[str]:
    """The global names that a statement binds: by assignment, import, definition, or as the variable of a loop."""
    return {symbol.get_name() for symbol in table(statement).get_symbols() if symbol.is_assigned() or symbol.is_imported()}


def read_by(statement: ast.AST) -> set[str]:
    """The global names that a statement reads, in the functions it defines and in its comprehensions too."""
    scopes, found = [table(statement)], set()
    while scopes:
        scope = scopes.pop()
        scopes += scope.get_children()
        for symbol in scope.get_symbols():
            if symbol.is_referenced() and (scope.get_type() == "module" or symbol.is_global()):
                found.add(symbol.get_name())
    return found


def simple_statements(statements: list[ast.stmt]) -> list[ast.stmt]:
    """The statements in the order in which they first run, loops and branches unfolded: head first, then what stands in them."""
    unfolded = []
    for statement in statements:
        if isinstance(statement, ast.For | ast.While | ast.If | ast.With | ast.Try):
            inside = [*statement.body, *getattr(statement, "orelse", []), *getattr(statement, "finalbody", [])]
            for handler in getattr(statement, "handlers", []):
                inside += handler.body
            if isinstance(statement, ast.For):
                unfolded.append(ast.Assign([statement.target], statement.iter, lineno=0))
            elif isinstance(statement, ast.With):
                for item in statement.items:
                    target = [item.optional_vars] if item.optional_vars else []
                    unfolded.append(ast.Assign(target, item.context_expr, lineno=0) if target else ast.Expr(item.context_expr))
            elif not isinstance(statement, ast.Try):
                unfolded.append(ast.Expr(statement.test))
            unfolded += simple_statements(inside)
        else:
            unfolded.append(statement)
    return unfolded


def reads(source: str) -> set[str]:
    """The names that a cell takes from the cells before it."""
    found, own = set(), set()
    for statement in simple_statements(parse(source).body):
        found |= read_by(statement) - own
        own |= bound_by(statement)
    return found


def changes(source: str) -> set[str]:
    """The names that a cell binds, writes into, or gives to a call whose result nobody takes, as a training's may be."""
    changed = set()
    for statement in simple_statements(parse(source).body):
        changed |= bound_by(statement)
        if isinstance(statement, ast.Assign | ast.AugAssign):
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            changed |= {bottom(target) for target in targets}
        elif isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
            call = statement.value
            if called(call) not in ONLY_SHOW:
                given = [*call.args, *(keyword.value for keyword in call.keywords)]
                changed |= {name for value in given for name in read_by(ast.Expr(value))}
                changed |= {bottom(call.func)} if isinstance(call.func, ast.Attribute) else set()
    return changed - {None}


def bottom(node: ast.AST) -> str | None:
    """The variable under indices and attributes: "a" for a[0].b."""
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None


def defines(source: str) -> set[str]:
    """The modules, functions and classes that a cell imports or defines: no call changes these."""
    fixed = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef)
    statements = [statement for statement in parse(source).body if isinstance(statement, fixed)]
    return {name for statement in statements for name in bound_by(statement)}


def replaces(source: str) -> set[str]:
    """The names that a cell binds whatever happens: what they were before it does not matter below."""
    simple = (ast.Assign, ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef)
    return {name for statement in parse(source).body if isinstance(statement, simple) for name in bound_by(statement)}


def needed_cells(notebook: nbformat.NotebookNode) -> list[int]:
    """The places of the code cells to be run so that every explorer can be used: the set-up cell, and what leads to them."""
    places = [place for place, cell in enumerate(notebook.cells) if cell.cell_type == "code"]
    fixed = {name for place in places for name in defines(notebook.cells[place].source)}
    wanted: set[str] = set()
    chosen = []
    for place in reversed(places):
        source = notebook.cells[place].source
        made = replaces(source) | (changes(source) - fixed)
        if place == places[0] or makes_explorers(source) or made & wanted:
            chosen.append(place)
            wanted = (wanted - replaces(source)) | reads(source)
    return sorted(chosen)
