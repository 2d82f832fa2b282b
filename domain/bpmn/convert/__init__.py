"""From models of Camunda 7 to models that run here: `camunda:` attributes and elements become Zeebe extension elements,
`${…}` expressions become FEEL, and a report says what needs a person (docs/convert.md)."""

from domain.bpmn.convert.document import Conversion, convert_model
from domain.bpmn.convert.juel import Untranslatable, to_feel
from domain.bpmn.convert.report import Note, Severity

__all__ = ["Conversion", "Note", "Severity", "Untranslatable", "convert_model", "to_feel"]
