"""``scopekey rules lint``: look the rules over, for people and for CI.

Ends with 0 (nothing at or above ``--fail-on``), 1 (something), or 2 (could not be done).
"""

from collections.abc import Iterable, Mapping
from itertools import groupby
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from scopekey.cli.acting import CannotActError
from scopekey.cli.documents import load_document
from scopekey.cli.output import AsJson, one_line, warn
from scopekey.cli.rules_table import CatalogFile, applied_rules, catalog_of, load_catalog
from scopekey.core.catalog import Catalog
from scopekey.core.rules import Rules
from scopekey.insight.baseline import BaselineError, read_baseline, write_baseline
from scopekey.insight.finding import Finding, Severity
from scopekey.insight.lint import lint as look_over
from scopekey.wire.openapi_document import OpenApiError
from scopekey.wire.rules_file import read_rules
from scopekey.wire.toml_lines import TomlLines


def lint(
    rules: Annotated[
        Path | None, typer.Argument(metavar="RULES", help="The rules' file; else the applied ones.")
    ] = None,
    openapi: Annotated[Path | None, typer.Option("--openapi", help="A description to compare the rules with.")] = None,
    base_path: Annotated[str, typer.Option(help="What stands before every path of the description.")] = "",
    catalog: CatalogFile = None,
    fail_on: Annotated[Severity, typer.Option(help="The least that ends with 1.")] = Severity.ERROR,
    show: Annotated[Severity, typer.Option(help="The least that is listed.")] = Severity.NOTE,
    baseline: Annotated[Path | None, typer.Option(help="A file of findings that are accepted.")] = None,
    written: Annotated[
        Path | None, typer.Option("--write-baseline", help="Accept all of today's findings in this file.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Look the rules over: what is wrong, what may surprise, and what somebody should have seen."""
    source = _Source.read(rules, catalog)
    accepted = _accepted(baseline)
    found = _found(source, openapi, base_path)
    if written is not None:
        written.write_text(write_baseline(found), "utf-8")
        warn(f"{written} accepts {len(found)} findings")
        accepted |= {finding.fingerprint for finding in found}
    told = [finding for finding in found if finding.fingerprint not in accepted]
    failed = any(finding.severity.reaches(fail_on) for finding in told)
    gone = len(accepted - {finding.fingerprint for finding in found})
    if as_json:
        _print_json(source, told, accepted=len(found) - len(told), gone=gone, passed=not failed)
    else:
        _print(source, [finding for finding in told if finding.severity.reaches(show)])
        typer.echo(_verdict(source, told, accepted=len(found) - len(told), gone=gone, failed=failed))
    raise typer.Exit(1 if failed else 0)


class _Source(msgspec.Struct):
    """The table, the catalog, and where each rule stands."""

    rules: Rules
    catalog: Catalog
    file: str = ""
    lines: TomlLines | None = None

    @classmethod
    def read(cls, file: Path | None, catalog: Path | None) -> "_Source":
        """Read the files, or what is applied in the home folder. Permissions are not looked up yet."""
        given = None if catalog is None else load_catalog(catalog)
        at_home = applied_rules() if file is None or given is None else None
        known = given or (at_home[0].catalog if at_home else None)
        if file is None:
            if at_home is None:
                raise CannotActError("there are no applied rules here: name a rules file")
            return cls(at_home[1], known or at_home[0].catalog, "applied rules")
        text = file.read_text("utf-8")
        rules = read_rules(text, str(file))
        if known is None:
            warn("No --catalog and no home folder: permissions are not looked up.")
            known = catalog_of(rules)
        return cls(rules, known, str(file), TomlLines(text.removeprefix("\ufeff").replace("\r\n", "\n")))

    def line(self, finding: Finding) -> int | None:
        """The line of a finding, where it is about a rule of a file."""
        if self.lines is None or finding.rule is None:
            return None
        return self.lines.line("rule", finding.rule, finding.field)


def _accepted(baseline: Path | None) -> frozenset[str]:
    if baseline is None:
        return frozenset()
    try:
        return read_baseline(baseline.read_text("utf-8"))
    except BaselineError as error:
        raise CannotActError(f"{baseline}: {error}") from error


def _found(source: _Source, openapi: Path | None, base_path: str) -> list[Finding]:
    document = None if openapi is None else load_document(openapi)
    try:
        return look_over(source.rules, source.catalog, document, base_path=base_path)
    except OpenApiError as error:
        raise CannotActError("\n".join(f"{openapi}: {fault}" for fault in error.faults)) from error


def _print_json(source: _Source, found: Iterable[Finding], *, accepted: int, gone: int, passed: bool) -> None:
    findings = [_members(source, finding) for finding in found]
    answer = {"findings": findings, "accepted": accepted, "no_longer_found": gone, "passed": passed}
    typer.echo(msgspec.json.format(msgspec.json.encode(answer), indent=2).decode())


def _members(source: _Source, finding: Finding) -> Mapping[str, object]:
    return {
        "code": finding.code,
        "severity": str(finding.severity),
        "operations": finding.operations,
        "message": finding.message,
        "remedy": finding.remedy,
        "example": finding.example,
        "file": source.file if source.line(finding) else None,
        "line": source.line(finding),
        "fingerprint": finding.fingerprint,
    }


def _print(source: _Source, found: list[Finding]) -> None:
    """The findings by severity and code, each with its line; what to do is said once where it is the same."""
    ordered = sorted(found, key=lambda finding: (finding.severity.rank, finding.code))
    for (severity, code), group in groupby(ordered, key=lambda finding: (finding.severity, finding.code)):
        findings = list(group)
        typer.echo(f"{severity} {code} ({len(findings)})")
        for finding in findings:
            typer.echo(one_line(f"  {_place(source, finding)}{_said(finding)}"))
        for remedy in dict.fromkeys(finding.remedy for finding in findings):
            typer.echo(one_line(f"  -> {remedy}"))
        typer.echo()


def _place(source: _Source, finding: Finding) -> str:
    line = source.line(finding)
    return f"{source.file}:{line}: " if line else ""


def _said(finding: Finding) -> str:
    about = " and ".join(finding.operations)
    example = f" (as in {finding.example})" if finding.example else ""
    return f"{about}: {finding.message}{example}" if about else f"{finding.message}{example}"


def _verdict(source: _Source, found: list[Finding], *, accepted: int, gone: int, failed: bool) -> str:
    counts = {severity: sum(finding.severity is severity for finding in found) for severity in Severity}
    words = ", ".join(f"{count} {severity}{'' if count == 1 else 's'}" for severity, count in counts.items())
    more = f"; {accepted} accepted by the baseline" if accepted else ""
    more += f"; {gone} accepted ones are no longer found" if gone else ""
    return f"{'FAILED' if failed else 'OK'}: {len(source.rules.rules)} rules: {words}{more}"
