"""`flowledger feel`, `decide`, `dmn test`, `dmn check`, and `deploy` of a DMN file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from infra.serving import RunningServer
from tests.api.client import Client, unique
from tests.decisions.commandline import Run
from tests.decisions.models import approval


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A DMN file with the decisions a-risk and a-level."""
    file = tmp_path / "level.dmn"
    file.write_bytes(approval("a"))
    return file


class TestFeel:
    def test_a_value_is_printed_as_feel_writes_it(self, run: Run) -> None:
        assert (
            run("feel", '=[amount / 4, today() > @"2020-01-01"]', "--context", '{"amount": 5}')[1] == "[1.25, true]\n"
        )

    def test_the_context_may_be_in_a_file(self, run: Run, tmp_path: Path) -> None:
        (tmp_path / "context.json").write_text('{"order": {"total": 12.50}}')
        assert run("feel", "order.total * 2", "--context", f"@{tmp_path / 'context.json'}")[1] == "25\n"

    @pytest.mark.parametrize(("value", "answer"), [("15", "true"), ("25", "false"), ('"x"', "null")])
    def test_a_cell_of_a_table_is_tested_against_a_value(self, run: Run, value: str, answer: str) -> None:
        assert run("feel", "[10..20]", "--unary", value)[:2] == (0, answer + "\n")

    def test_what_became_null_is_told_apart_from_the_value(self, run: Run) -> None:
        code, out, err = run("feel", "1 + missing")
        assert (code, out) == (0, "null\n")
        assert "line 1, column 5: no variable 'missing' is known here" in err.splitlines()

    def test_a_syntax_error_says_where_and_what_was_expected(self, run: Run) -> None:
        code, out, err = run("feel", "if a then b")
        assert (code, out) == (1, "")
        assert "line 1, column 12" in err
        assert "else" in err


class TestDecide:
    def test_each_decision_is_shown_with_its_rules_and_output(self, run: Run, table: Path) -> None:
        code, out, _ = run("decide", str(table), "--decision", "a-level", "--inputs", '{"amount": 1200}')
        assert code == 0
        rows = [line.split() for line in out.splitlines()]
        assert ["Risk", "low"] in rows
        assert ["Level", "3", "director"] in rows

    def test_the_trace_shows_what_each_rule_saw_and_gave(self, run: Run, table: Path) -> None:
        _, out, _ = run("decide", str(table), "-d", "a-level", "-i", '{"amount": 1200}', "--trace")
        rows = [line.split() for line in out.splitlines()]
        assert ["Level", "sees", "Amount", "1200"] in rows
        assert ["Level", "gives", "3", "(director)", "level", "director"] in rows

    def test_a_failed_decision_ends_with_1_and_says_why(self, run: Run, tmp_path: Path) -> None:
        (tmp_path / "level.dmn").write_bytes(approval("a", hit_policy="UNIQUE"))
        code, _, err = run("decide", str(tmp_path / "level.dmn"), "-d", "a-level", "-i", '{"amount": 20000}')
        assert code == 1
        assert "decision 'Level' failed: rules 1, 3 match at once" in err

    def test_a_file_with_several_decisions_asks_which(self, run: Run, table: Path) -> None:
        code, _, err = run("decide", str(table))
        assert code == 1
        assert "the model has 2 decisions (a-risk, a-level): say which with --decision" in err


class TestExamples:
    @pytest.mark.parametrize("asked", ["level.dmn", "level.tests.csv"])
    def test_the_examples_beside_a_file_are_run(self, run: Run, table: Path, asked: str) -> None:
        table.with_name("level.tests.csv").write_text("amount,expected\n50,clerk\n1200,director\n")
        code, out, _ = run("dmn", "test", str(table.with_name(asked)), "--decision", "a-level")
        assert code == 0
        assert "2 passed, 0 failed" in out

    def test_an_example_that_fails_says_what_came_instead_and_ends_with_1(self, run: Run, table: Path) -> None:
        rows = [{"name": "one", "inputs": {"amount": 50}, "expected": "director"}]
        table.with_name("level.tests.json").write_text(json.dumps({"decision": "a-level", "tests": rows}))
        code, out, _ = run("dmn", "test", str(table))
        assert code == 1
        assert 'expected "director", got "clerk"' in out
        assert "0 passed, 1 failed" in out

    def test_a_file_without_examples_says_where_they_would_be(self, run: Run, table: Path) -> None:
        code, _, err = run("dmn", "test", str(table))
        assert code == 1
        assert "level.tests.csv" in err

    def test_examples_that_name_no_model(self, run: Run, tmp_path: Path) -> None:
        (tmp_path / "rows.csv").write_text("amount,expected\n50,clerk\n")
        code, _, err = run("dmn", "test", str(tmp_path / "rows.csv"))
        assert code == 1
        assert "give the DMN file with --model" in err


class TestCheck:
    def test_conflicts_end_with_1(self, run: Run, tmp_path: Path) -> None:
        (tmp_path / "level.dmn").write_bytes(approval("a", hit_policy="UNIQUE"))
        code, out, _ = run("dmn", "check", str(tmp_path / "level.dmn"), "--json")
        assert code == 1
        assert [(f["kind"], f["rules"]) for f in json.loads(out) if f["severity"] == "error"] == [
            ("conflict", [1, 2]),
            ("conflict", [1, 3]),
        ]

    def test_a_table_in_order_ends_with_0(self, run: Run, table: Path) -> None:
        assert run("dmn", "check", str(table))[0] == 0


def test_a_dmn_file_is_deployed_by_the_command_line(
    run: Run, server: RunningServer, api: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLOWLEDGER_ADDRESS", server.address)
    graph = unique("graph")
    (tmp_path / f"{graph}.dmn").write_bytes(approval(graph, hit_policy="UNIQUE"))
    code, out, err = run("deploy", str(tmp_path / f"{graph}.dmn"))
    assert code == 0, err
    assert f"{graph}-level" in out
    assert "rules 1 and 2 both match" in " ".join((out + err).split())
    assert len(api.search("decision-definitions", decisionRequirementsId=f"{graph}-graph")) == 2
