"""`heron doctor`: what is installed, what runs, what is wrong and how to mend it."""

import argparse
import json
from dataclasses import asdict

from heron.commands.checks import find_everything
from heron.commands.finding import Finding


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("doctor", help="print versions, machine, models and host, and what is wrong with them")
    parser.add_argument("--json", action="store_true", help="print it as JSON")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the findings; 1 if one of them is a problem."""
    findings = find_everything()
    problems = [finding for finding in findings if finding.problem]
    if arguments.json:
        print(
            json.dumps({"findings": [asdict(finding) for finding in findings], "num_problems": len(problems)}, indent=2)
        )
    else:
        _print_report(findings)
    return 1 if problems else 0


def _print_report(findings: list[Finding]) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False)
    section = ""
    for finding in findings:
        if finding.section != section:
            section = finding.section
            console.print(Text(section.capitalize(), style="bold"))
        mark = Text("✗ ", style="red") if finding.problem else Text("  ")
        console.print(
            mark.append(f"{finding.name:<18}", style="cyan").append(finding.value, style="default"), soft_wrap=True
        )
        if finding.problem:
            console.print(Text(f"    {finding.problem}\n    → {finding.remedy}", style="red"), soft_wrap=True)
    count = sum(1 for finding in findings if finding.problem)
    verdict = (
        Text("Nothing is wrong.", style="green") if not count else Text(f"{count} to mend, marked ✗.", style="red")
    )
    console.print(verdict)
