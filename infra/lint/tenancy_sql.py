"""The first layer of tenancy, checked in every statement: `python -m infra.lint.tenancy_sql`.

SQL stands in a function's `queries`, its `…_queries` and `shared/data/statements.py`, nowhere else. Each statement is parsed, and each
tenant table that it touches must be bound to the organisation by name: `<table or alias>.org_id = :org_id`, in the `where`
or in the join that brings the table in. Which tables are tenant tables is read from the migrations.
"""

from __future__ import annotations

import ast
import logging
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

logging.getLogger("sqlglot").setLevel(logging.ERROR)  # it warns of each statement that is no query

ROOT = Path(__file__).parents[2]
DIALECT = "postgres"
PARAMETER = "org_id"

# SQL outside the places for it. Such statements name no table; the reason stands beside each.
ELSEWHERE = {
    "shared/security/authentication.py": "calls the lookup functions, before the organisation is known",
    "shared/security/key_authentication.py": "calls the lookup functions, before the organisation is known",
    "shared/security/key_uses.py": "calls the two functions that write before the organisation is known",
    "shared/security/scim_tokens.py": "calls the lookup function, before the organisation is known",
    "shared/data/unit_of_work.py": "begins and ends transactions",
    "shared/data/database.py": "rolls transactions back",
    "shared/http/app.py": "asks whether the database answers",
}
RUNNER = "shared/data/migrations.py"  # works as the owner, on its own table

_STATEMENT = re.compile(
    r"\s*(select|insert|update|delete|with|merge|values|truncate|copy|call|set|begin|commit|rollback)\b", re.IGNORECASE
)
_ANYWHERE = re.compile(
    r"\bselect\s+.+?\bfrom\s+[a-z_]+(\.[a-z_]|\()|^\s*(?-i:select|SELECT)\s|\binsert\s+into\s|\bupdate\s+[a-z_.]+\s+(as\s+\w+\s+)?set\s|\bdelete\s+from\s"
    r"|\bset\s+(local\s+)?role\b|\bset_config\s*\(|^\s*(begin|commit|rollback)\s*;|\btruncate\s+(table\s+)?[a-z_]+\.",
    re.IGNORECASE | re.DOTALL,
)
_AT_RUN_TIME = "(put together at run time)"
_QUOTED = re.compile(r"'(?:[^']|'')*'|\"[^\"]*\"")


@dataclass(frozen=True, slots=True)
class Statement:
    """One SQL text in a Python file."""

    file: str
    line: int
    sql: str

    def problem(self, text: str) -> str:
        """Return one line that says where and what."""
        return f"{self.file}:{self.line}: {text}"


@dataclass(frozen=True, slots=True)
class Tables:
    """What the migrations make.

    Attributes:
        known: every table, `schema.name`.
        tenant: those that hold rows of organisations, with the column that says whose.
    """

    known: frozenset[str]
    tenant: dict[str, str]


def read_tables(directory: Path) -> Tables:
    """Read the tables that the migrations make."""
    known: set[str] = set()
    tenant: dict[str, str] = {}
    for path in sorted(directory.glob("*.sql")):
        for node in sqlglot.parse(path.read_text("utf-8"), read=DIALECT, error_level=sqlglot.ErrorLevel.RAISE):
            if isinstance(node, exp.Create | exp.Alter) and node.args.get("kind") == "TABLE":
                table = node.find(exp.Table)
                name = _name(table) if table else ""
                known.add(name)
                if any(column.name == PARAMETER for column in node.find_all(exp.ColumnDef)):
                    tenant[name] = PARAMETER
    if "core.orgs" in known:
        tenant["core.orgs"] = "id"
    return Tables(frozenset(known), tenant)


def check_tree(root: Path) -> Iterator[str]:
    """Yield every problem of a source tree, one line each."""
    tables = read_tables(root / "infra" / "migrations")
    for folder in ("functions", "shared"):
        for path in sorted((root / folder).rglob("*.py")):
            name = path.relative_to(root).as_posix()
            source = path.read_text("utf-8")
            if _is_place_for_sql(name):
                for statement in statements_of(source, name):
                    yield from check(statement, tables)
            elif name != RUNNER:
                yield from _check_elsewhere(source, name)


def check(statement: Statement, tables: Tables) -> Iterator[str]:
    """Yield the problems of one statement."""
    if statement.sql == _AT_RUN_TIME:
        yield statement.problem("text is put together from constants of the same file only")
        return
    bare = _QUOTED.sub("''", statement.sql)
    if re.search("[A-Z]", bare):
        yield statement.problem("SQL is written in lower case")
    try:
        parsed = [node for node in sqlglot.parse(statement.sql, read=DIALECT) if node is not None]
    except SqlglotError as error:
        yield statement.problem(f"does not parse: {str(error).splitlines()[0]}")
        return
    if len(parsed) != 1 or isinstance(parsed[0], exp.Command):
        yield statement.problem("one statement of SQL, and of a kind that can be checked")
        return
    for star in parsed[0].find_all(exp.Star):
        if not isinstance(star.parent, exp.Count):
            yield statement.problem("columns are listed, never *")
    common = {cte.alias for cte in parsed[0].find_all(exp.CTE)}
    for table in parsed[0].find_all(exp.Table):
        if isinstance(table.this, exp.Func) or (not table.db and table.name in common):
            continue
        if _name(table) not in tables.known:
            yield statement.problem(f"{_name(table)} is no table of the migrations; name it with its schema")
        elif _name(table) in tables.tenant:
            yield from _check_tenant_table(statement, table, tables.tenant[_name(table)])


def statements_of(source: str, file: str) -> Iterator[Statement]:
    """Yield every statement of a Python file, put together from the constants of the same file."""
    tree = ast.parse(source)
    constants: dict[str, str] = {}
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else []
        text = _text(node.value, constants) if isinstance(node, ast.Assign) else None
        if text is not None:
            constants |= {target.id: text for target in targets if isinstance(target, ast.Name)}
    for expression in _strings(tree):
        text = _text(expression, constants)
        if text is None:
            yield Statement(file, expression.lineno, _AT_RUN_TIME)
        elif _STATEMENT.match(text) and " " in text.strip():
            yield Statement(file, expression.lineno, text)


def _check_elsewhere(source: str, file: str) -> Iterator[str]:
    for expression in _strings(ast.parse(source)):
        parts = expression.values if isinstance(expression, ast.JoinedStr) else [expression]
        text = "".join(str(part.value) if isinstance(part, ast.Constant) else "x" for part in parts)
        if not _ANYWHERE.search(text):
            continue
        if file not in ELSEWHERE:
            yield f"{file}:{expression.lineno}: SQL stands in queries only"
        elif _names_table(text):
            yield f"{file}:{expression.lineno}: this file {ELSEWHERE[file]}; it names no table"


def _check_tenant_table(statement: Statement, table: exp.Table, column: str) -> Iterator[str]:
    insert = table.find_ancestor(exp.Insert)
    if insert is not None and table in {insert.this, getattr(insert.this, "this", None)}:
        yield from _check_insert(statement, insert, _name(table), column)
        return
    query = table.find_ancestor(exp.Select, exp.Update, exp.Delete, exp.Merge)
    if query is None or isinstance(query, exp.Merge):
        yield statement.problem(f"{_name(table)} is touched in a way that cannot be checked")
        return
    conditions: list[exp.Expr] = [query.args["where"].this] if query.args.get("where") else []
    join = table.find_ancestor(exp.Join)
    if join is not None and join.parent is query and join.this is table and join.args.get("on"):
        conditions.append(join.args["on"])
    is_alone = len(_sources(query)) == 1
    names = {table.alias_or_name} | ({""} if is_alone else set())
    for condition in conditions:
        if any(_binds(part, names, column) for part in _conjuncts(condition)):
            return
    yield statement.problem(f"{table.alias_or_name}.{column} = :{PARAMETER} is missing for {_name(table)}")


def _check_insert(statement: Statement, insert: exp.Insert, name: str, column: str) -> Iterator[str]:
    columns = [item.name for item in insert.this.expressions] if isinstance(insert.this, exp.Schema) else []
    if not columns:
        yield statement.problem(f"an insert into {name} lists its columns")
    if column in columns:
        yield statement.problem(f"{column} of {name} is filled in by the unit of work, never by a statement")
    conflict = insert.args.get("conflict")
    if conflict is not None:
        keys = {found.name for key in conflict.args.get("conflict_keys") or [] for found in key.find_all(exp.Column)}
        if column not in keys:
            yield statement.problem(f"`on conflict` on {name} is keyed by {column}")


def _binds(condition: exp.Expr, names: set[str], column: str) -> bool:
    if not isinstance(condition, exp.EQ):
        return False
    for left, right in ((condition.this, condition.expression), (condition.expression, condition.this)):
        if isinstance(left, exp.Column) and isinstance(right, exp.Placeholder):
            return left.name == column and left.table in names and right.name == PARAMETER
    return False


def _conjuncts(condition: exp.Expr) -> Iterator[exp.Expr]:
    if isinstance(condition, exp.And):
        yield from _conjuncts(condition.this)
        yield from _conjuncts(condition.expression)
    elif isinstance(condition, exp.Paren):
        yield from _conjuncts(condition.this)
    else:
        yield condition


def _sources(query: exp.Expr) -> list[exp.Expr]:
    """Return what a query reads from, itself included when it is an update or a delete."""
    found: list[exp.Expr] = [query.this] if isinstance(query, exp.Update | exp.Delete) else []
    if query.args.get("from_"):
        found.append(query.args["from_"].this)
    using = query.args.get("using")
    found += using if isinstance(using, list) else []
    for part in list(found):
        found += [join.this for join in part.args.get("joins") or []]
    return found + [join.this for join in query.args.get("joins") or []]


def _names_table(text: str) -> bool:
    try:
        parsed = [node for node in sqlglot.parse(text, read=DIALECT) if node is not None]
    except SqlglotError:
        return True
    return any(not isinstance(table.this, exp.Func) for node in parsed for table in node.find_all(exp.Table))


def _name(table: exp.Table) -> str:
    return f"{table.db}.{table.name}" if table.db else table.name


def _is_place_for_sql(name: str) -> bool:
    places = r"functions/[a-z]+/(([a-z]+_)?queries\.py|queries/[a-z_/]+\.py)|shared/data/statements\.py"
    return re.fullmatch(places, name) is not None


def _strings(tree: ast.Module) -> Iterator[ast.Constant | ast.JoinedStr]:
    """Yield string expressions: no docstrings, no parts of longer ones."""
    skipped: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            skipped.add(id(node.value))
        if isinstance(node, ast.JoinedStr):
            skipped |= {id(part) for part in ast.walk(node) if part is not node}
        if id(node) in skipped:
            continue
        if isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str)):
            yield node


def _text(node: ast.expr, constants: dict[str, str]) -> str | None:
    """Return the text of a constant expression; None for anything that depends on the run."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.Name):
        return constants.get(node.id)
    if isinstance(node, ast.FormattedValue) and node.format_spec is None and node.conversion == -1:
        return _text(node.value, constants)
    if isinstance(node, ast.JoinedStr):
        parts = [_text(part, constants) for part in node.values]
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        parts = [_text(node.left, constants), _text(node.right, constants)]
    else:
        return None
    return None if None in parts else "".join(part for part in parts if part is not None)


def main(_arguments: Sequence[str]) -> int:
    """Check this tree."""
    found = list(check_tree(ROOT))
    for line in found:
        print(line)
    print(f"tenancy in SQL: {len(found)} problems" if found else "tenancy in SQL: every statement is bound")
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
