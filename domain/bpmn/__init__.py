"""BPMN 2.0: from XML with Zeebe extensions to an immutable, checked, executable model.

`load_models(xml)` does it all; the steps are `xml` (hardened reading), `parse` (XML → raw model), `check` (every
finding at once) and `model` (what the engine runs).
"""

from domain.bpmn.load import load_model, load_models, read_models
from domain.bpmn.model import ElementType, FlowNode, ProcessModel, SequenceFlow

__all__ = ["ElementType", "FlowNode", "ProcessModel", "SequenceFlow", "load_model", "load_models", "read_models"]
