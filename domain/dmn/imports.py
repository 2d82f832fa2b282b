"""DMN files that import others: which of the files at hand a file needs, and the models they make."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from domain.dmn.compile import compile_decisions, parse_dmn
from domain.dmn.errors import Findings, InvalidDecisionModel
from domain.dmn.evaluate import Decisions
from domain.dmn.model import DmnModel
from domain.dmn.parse import read_model


def imported_files(xml: bytes, others: Sequence[bytes]) -> list[bytes]:
    """Those of the other files that a file imports, also by way of others; each once. What cannot be read is left out:
    it is refused when its own turn comes."""
    by_namespace: dict[str, tuple[DmnModel, bytes]] = {}
    for other in others:
        try:
            model = read_model(other, Findings())
        except InvalidDecisionModel:
            continue
        by_namespace.setdefault(model.namespace, (model, other))
    needed: dict[str, bytes] = {}
    work = list(read_model(xml, Findings()).imports)
    while work:
        namespace = work.pop().namespace
        found = by_namespace.get(namespace)
        if found is not None and namespace not in needed:
            needed[namespace] = found[1]
            work += found[0].imports
    return list(needed.values())


def models_by_namespace(files: Sequence[bytes]) -> Mapping[str, DmnModel]:
    """The models of imported files, by namespace, as `parse_dmn` takes them."""
    models = (read_model(file, Findings()) for file in files)
    return {model.namespace: model for model in models}


def compile_files(xml: bytes, imported: Sequence[bytes]) -> Decisions:
    """The compiled decisions of a file and the files that it imports. Raises InvalidDecisionModel."""
    imports = models_by_namespace(imported)
    return compile_decisions(parse_dmn(xml, imports), imports)
