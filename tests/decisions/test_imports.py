"""DMN files that import others: deployed together, each version keeps what it imports."""

from __future__ import annotations

from pathlib import Path

from tests.api.client import Client, problem, unique
from tests.decisions.commandline import Run

DMN = "https://www.omg.org/spec/DMN/20191111/MODEL/"


def rates(prefix: str, rate: str = "0.2") -> bytes:
    """A model with one decision, `rate`."""
    return f"""<definitions xmlns="{DMN}" id="{prefix}-rates" name="rates" namespace="urn:{prefix}:rates">
<decision id="{prefix}-rate" name="rate"><variable name="rate" typeRef="number"/>
<literalExpression><text>{rate}</text></literalExpression></decision></definitions>""".encode()


def price(prefix: str) -> bytes:
    """A model that imports it under the name `r`."""
    return f"""<definitions xmlns="{DMN}" id="{prefix}-price" name="price" namespace="urn:{prefix}:price">
<import name="r" namespace="urn:{prefix}:rates" importType="{DMN}"/>
<inputData id="net" name="net"><variable name="net" typeRef="number"/></inputData>
<decision id="{prefix}-gross" name="gross"><variable name="gross" typeRef="number"/>
<informationRequirement><requiredInput href="#net"/></informationRequirement>
<informationRequirement><requiredDecision href="urn:{prefix}:rates#{prefix}-rate"/></informationRequirement>
<literalExpression><text>net * (1 + r.rate)</text></literalExpression></decision></definitions>""".encode()


def gross(api: Client, prefix: str) -> str:
    body = {"decisionDefinitionId": f"{prefix}-gross", "variables": {"net": 100}}
    return str(api.ok("POST", "/decision-definitions/evaluation", body)["output"])


def test_files_that_import_each_other_are_deployed_together(api: Client) -> None:
    prefix = unique("imports")
    api.deploy((f"{prefix}-price.dmn", price(prefix)), (f"{prefix}-rates.dmn", rates(prefix)))
    assert gross(api, prefix) == "120.0"


def test_a_changed_import_makes_a_new_version_of_what_imports_it(api: Client) -> None:
    prefix = unique("imports")
    names = f"{prefix}-price.dmn", f"{prefix}-rates.dmn"
    api.deploy((names[0], price(prefix)), (names[1], rates(prefix)))
    api.deploy((names[0], price(prefix)), (names[1], rates(prefix, "0.5")))
    assert gross(api, prefix) == "150.0"


def test_a_missing_import_is_named_with_the_way_out(api: Client) -> None:
    prefix = unique("imports")
    refused = problem(api.send((f"{prefix}.dmn", price(prefix))), 400, "INVALID_MODEL")
    assert f"the imported model 'urn:{prefix}:rates' is not at hand; deploy its file together with this one" in str(
        refused["detail"]
    )


def test_the_command_line_finds_imports_beside_the_file(run: Run, tmp_path: Path) -> None:
    (tmp_path / "rates.dmn").write_bytes(rates("x"))
    (tmp_path / "price.dmn").write_bytes(price("x"))
    code, out, _ = run(
        "decide", str(tmp_path / "price.dmn"), "--decision", "x-gross", "--inputs", '{"net": 10}', "--json"
    )
    assert code == 0
    assert '"output": 12.0' in out
