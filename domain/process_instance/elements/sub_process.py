"""Embedded subprocess, and the process itself: completes when nothing inside is left (BPMN 2.0 §13.3.4)."""

from __future__ import annotations

from domain.process_instance.elements import event_sub_process
from domain.process_instance.elements.behaviour import Behaviour, enter_and_begin, outgoing_flows

BEHAVIOUR = Behaviour(enter_and_begin, event_sub_process.begin, outgoing_flows)
