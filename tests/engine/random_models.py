"""Random BPMN models of the supported elements, for property tests: blocks nested in blocks, and then, in some, extra
sequence flows that break the structure (loops, joins that cannot complete, gateways entered twice)."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import strategies as st

from tests.engine.harness import flow, process, service, timer, user

CONDITIONS = ["=x &gt; 3", "=x &lt;= 3", "=y = &quot;a&quot;", "=true", "=false", "=missing", "=x + 1", "=not(z)"]
MAX_DEPTH = 3


@dataclass
class Draft:
    """The XML of one scope while it is drawn; ids count up over the whole model."""

    draw: st.DrawFn
    counter: list[int]
    parts: list[str] = field(default_factory=list)
    nodes: list[str] = field(default_factory=list)
    sound: bool = False
    called: tuple[str, ...] = ()
    """Processes that call activities may call; without any there are no call activities."""

    def fresh(self, prefix: str) -> str:
        self.counter[0] += 1
        return f"{prefix}{self.counter[0]}"

    def add(self, node_id: str, xml: str) -> str:
        self.parts.append(xml)
        self.nodes.append(node_id)
        return node_id

    def connect(self, source: str, target: str, condition: str = "") -> str:
        flow_id = self.fresh("f")
        self.parts.append(flow(source, target, condition, flow_id))
        return flow_id

    def pick(self, *options: str) -> str:
        return self.draw(st.sampled_from(options))


def _listening(draft: Draft, *moments: str) -> str:
    """Execution listeners, in a third of the models' elements that may have them."""
    if draft.draw(st.integers(0, 2)):
        return ""
    chosen = draft.draw(st.lists(st.sampled_from(moments or ("start", "end")), min_size=1, max_size=2))
    each = "".join(
        f'<zeebe:executionListener eventType="{moment}" type="{draft.pick(*(("ask", "=y"), ("more", "=d"))[number])}"/>'
        for number, moment in enumerate(chosen)
    )
    return f"<zeebe:executionListeners>{each}</zeebe:executionListeners>"


def _extended(draft: Draft, *moments: str) -> str:
    listening = _listening(draft, *moments)
    return f"<bpmn:extensionElements>{listening}</bpmn:extensionElements>" if listening else ""


def _call(draft: Draft, node: str) -> str:
    """A call activity, in some models with mappings, a loop, boundary events, or a process that is not there."""
    switches = draft.pick("", "", 'propagateAllParentVariables="false"', 'propagateAllChildVariables="false"')
    called = draft.pick(*draft.called, *draft.called, *draft.called, "=y")
    mappings = draft.pick("", "", '<zeebe:ioMapping><zeebe:output source="=x" target="r"/></zeebe:ioMapping>')
    draft.add(
        node,
        f'<bpmn:callActivity id="{node}"><bpmn:extensionElements><zeebe:calledElement processId="{called}" {switches}/>'
        f"{mappings}{_listening(draft)}</bpmn:extensionElements>{_looping(draft)}</bpmn:callActivity>",
    )
    if draft.draw(st.booleans()):
        _boundary(draft, node)
    return node


def _activity(draft: Draft, depth: int) -> str:
    kinds = ["service", "user", "script", "task", "manualTask", "timer", "mapped", "sub", "bounded", "thrower"]
    kind = draft.pick(*kinds, "undoable", *(["call"] * 4 if draft.called else []))
    node = draft.fresh("n")
    if kind == "call":
        return _call(draft, node)
    if kind == "service":
        kind_of_job = draft.pick("work", "=y", "=&quot;t&quot;")
        return draft.add(node, service(node, kind_of_job, draft.pick("1", "3"), _listening(draft), _looping(draft)))
    if kind == "user":
        extra = draft.pick(
            "", '<zeebe:assignmentDefinition assignee="=y"/>', '<zeebe:priorityDefinition priority="=x"/>'
        )
        return draft.add(node, user(node, extra + _listening(draft)))
    if kind == "script":
        script = f'<zeebe:script expression="{draft.pick("=x + 1", "=y", "=x &gt; 2")}" resultVariable="{draft.pick("x", "z", "w")}"/>'
        return draft.add(
            node,
            f'<bpmn:scriptTask id="{node}"><bpmn:extensionElements>{script}</bpmn:extensionElements></bpmn:scriptTask>',
        )
    if kind in ("task", "manualTask"):
        return draft.add(node, f'<bpmn:{kind} id="{node}">{_extended(draft)}</bpmn:{kind}>')
    if kind == "timer":
        definition = draft.pick(
            timer("timeDuration", "PT10S"),
            timer("timeDuration", "=d"),
            timer("timeDuration", "=duration(&quot;PT1M&quot;)"),
            "<bpmn:conditionalEventDefinition><bpmn:condition>=x &gt; 4</bpmn:condition></bpmn:conditionalEventDefinition>",
        )
        return draft.add(
            node,
            f'<bpmn:intermediateCatchEvent id="{node}">{_extended(draft)}{definition}</bpmn:intermediateCatchEvent>',
        )
    if kind == "mapped":
        mappings = (
            f'<zeebe:ioMapping><zeebe:input source="{draft.pick("=x", "=y")}" target="{draft.pick("local", "x", "a.b")}"/>'
            f'<zeebe:output source="{draft.pick("=local", "=x", "=r")}" target="{draft.pick("x", "z", "c.d")}"/></zeebe:ioMapping>'
        )
        return draft.add(node, service(node, extra=mappings))
    if kind == "sub" and depth < MAX_DEPTH:
        inner = _scope(draft.draw, draft.counter, depth + 1, sound=draft.sound, called=draft.called)
        xml = f'<bpmn:subProcess id="{node}">{_extended(draft)}{inner}{_looping(draft)}</bpmn:subProcess>'
        draft.add(node, xml)
        if draft.draw(st.booleans()):
            _boundary(draft, node)
        return node
    if kind == "undoable":
        handler, event = draft.fresh("n"), draft.fresh("b")
        draft.add(node, service(node) if draft.draw(st.booleans()) else f'<bpmn:task id="{node}"/>')
        undo = service(handler, "undo") if draft.draw(st.booleans()) else f'<bpmn:task id="{handler}"/>'
        draft.parts.append(undo.replace(f'id="{handler}"', f'id="{handler}" isForCompensation="true"', 1))
        draft.parts.append(
            f'<bpmn:boundaryEvent id="{event}" attachedToRef="{node}"><bpmn:compensateEventDefinition/></bpmn:boundaryEvent>'
            f'<bpmn:association id="{draft.fresh("a")}" sourceRef="{event}" targetRef="{handler}"/>'
        )
        return node
    if kind == "thrower":
        xml = f'<bpmn:intermediateThrowEvent id="{node}"><bpmn:escalationEventDefinition escalationRef="X1"/></bpmn:intermediateThrowEvent>'
        return draft.add(node, xml)
    draft.add(node, service(node))
    _boundary(draft, node)
    return node


def _handler(draft: Draft) -> None:
    """An event subprocess of the scope."""
    node, begin, task = draft.fresh("h"), draft.fresh("s"), draft.fresh("n")
    definition = draft.pick(
        timer("timeDuration", "PT15S"),
        "<bpmn:conditionalEventDefinition><bpmn:condition>=x &gt; 5</bpmn:condition></bpmn:conditionalEventDefinition>",
        '<bpmn:errorEventDefinition errorRef="E1"/>',
        "<bpmn:errorEventDefinition/>",
        '<bpmn:escalationEventDefinition escalationRef="X1"/>',
    )
    interrupting = "true" if "error" in definition else draft.pick("true", "false")
    draft.parts.append(
        f'<bpmn:subProcess id="{node}" triggeredByEvent="true"><bpmn:startEvent id="{begin}" isInterrupting="{interrupting}">'
        f"{definition}</bpmn:startEvent>{service(task)}{flow(begin, task, '', draft.fresh('f'))}</bpmn:subProcess>"
    )


def _boundary(draft: Draft, host: str) -> None:
    event = draft.fresh("b")
    interrupting = draft.draw(st.booleans()) and not draft.sound  # else the path behind the host gets no token
    definition = timer("timeDuration", "PT20S") if interrupting else timer("timeCycle", draft.pick("R2/PT5S", "R/PT7S"))
    kind = draft.pick("timer", "timer" if draft.sound else "error", "escalation")
    if kind == "error":
        interrupting, definition = (
            True,
            draft.pick('<bpmn:errorEventDefinition errorRef="E1"/>', "<bpmn:errorEventDefinition/>"),
        )
    elif kind == "escalation":
        definition = '<bpmn:escalationEventDefinition escalationRef="X1"/>'
    draft.parts.append(
        f'<bpmn:boundaryEvent id="{event}" attachedToRef="{host}" cancelActivity="{str(interrupting).lower()}">'
        f"{definition}</bpmn:boundaryEvent>"
    )
    after = draft.fresh("n")
    draft.add(after, service(after, "late"))
    draft.connect(event, after)
    if draft.draw(st.booleans()):
        end = draft.fresh("e")
        draft.parts.append(f'<bpmn:endEvent id="{end}"/>')
        draft.connect(after, end)


def _block(draft: Draft, source: str, depth: int) -> str:
    """A block behind `source`; the id of its last node."""
    kind = (
        draft.pick("activity", "activity", "exclusive", "parallel", "inclusive", "loop", "race")
        if depth < MAX_DEPTH
        else "activity"
    )
    if kind == "activity":
        node = _activity(draft, depth)
        draft.connect(source, node)
        return node
    if kind == "loop":
        merge, split = draft.fresh("g"), draft.fresh("g")
        draft.add(merge, f'<bpmn:exclusiveGateway id="{merge}"/>')
        draft.connect(source, merge)
        last = _block(draft, merge, depth + 1)
        default = draft.fresh("f")
        draft.add(split, f'<bpmn:exclusiveGateway id="{split}" default="{default}"/>')
        draft.connect(last, split)
        draft.connect(split, merge, draft.pick(*CONDITIONS))
        after = draft.fresh("n")
        draft.add(after, f'<bpmn:task id="{after}"/>')
        draft.parts.append(flow(split, after, "", default))
        return after
    if kind == "race":
        return _race(draft, source, depth)
    split, join = draft.fresh("g"), draft.fresh("g")
    branches = draft.draw(st.integers(2, 3))
    default = draft.fresh("f") if kind in ("exclusive", "inclusive") and draft.draw(st.booleans()) else ""
    attribute = f' default="{default}"' if default else ""
    draft.add(split, f'<bpmn:{kind}Gateway id="{split}"{attribute}/>')
    joining = f"{draft.pick(kind, kind, kind if draft.sound else 'exclusive')}Gateway"
    draft.add(join, f'<bpmn:{joining} id="{join}">{_extended(draft, "start")}</bpmn:{joining}>')
    draft.connect(source, split)
    for branch in range(branches):
        head = draft.fresh("n")
        draft.add(head, f'<bpmn:task id="{head}"/>')
        if kind == "parallel":
            draft.connect(split, head)
        elif default and branch == 0:
            draft.parts.append(flow(split, head, "", default))
        else:
            draft.connect(split, head, draft.pick(*CONDITIONS))
        last = _block(draft, head, depth + 1)
        draft.connect(last, join)
    return join


def _race(draft: Draft, source: str, depth: int) -> str:
    """An event-based gateway with two timers."""
    gateway, join = draft.fresh("g"), draft.fresh("g")
    draft.add(gateway, f'<bpmn:eventBasedGateway id="{gateway}"/>')
    draft.add(join, f'<bpmn:exclusiveGateway id="{join}"/>')
    draft.connect(source, gateway)
    for value in ("PT5S", draft.pick("PT9S", "=d")):
        event = draft.fresh("c")
        definition = timer("timeDuration", value)
        draft.parts.append(f'<bpmn:intermediateCatchEvent id="{event}">{definition}</bpmn:intermediateCatchEvent>')
        draft.connect(gateway, event)
        draft.connect(_block(draft, event, depth + 1), join)
    return join


def _looping(draft: Draft) -> str:
    """Loop characteristics of an activity, or nothing."""
    kind = draft.pick("", "", "", "multi", "standard")
    if kind == "multi":
        sequential = draft.pick("true", "false")
        condition = draft.pick(
            "", "<bpmn:completionCondition>=numberOfCompletedInstances &gt; 1</bpmn:completionCondition>"
        )
        output = draft.pick("", 'outputCollection="z" outputElement="=x"')
        return (
            f'<bpmn:multiInstanceLoopCharacteristics isSequential="{sequential}"><bpmn:extensionElements>'
            f'<zeebe:loopCharacteristics inputCollection="{draft.pick("=[1,2,3]", "=z", "=[]")}" inputElement="x" {output}/>'
            f"</bpmn:extensionElements>{condition}</bpmn:multiInstanceLoopCharacteristics>"
        )
    if kind == "standard":
        condition = draft.pick("=x &gt; 3", "=loopCounter &lt; 2", "=missing")
        attributes = draft.pick('loopMaximum="3"', 'testBefore="true"', "")
        return f"<bpmn:standardLoopCharacteristics {attributes}><bpmn:loopCondition>{condition}</bpmn:loopCondition></bpmn:standardLoopCharacteristics>"
    return ""


def _scope(
    draw: st.DrawFn, counter: list[int], depth: int, *, sound: bool = False, called: tuple[str, ...] = ()
) -> str:
    draft = Draft(draw, counter, sound=sound, called=called)
    node = draft.fresh("s")
    draft.parts.append(f'<bpmn:startEvent id="{node}"/>')
    if called:
        call = _call(draft, draft.fresh("n"))
        draft.connect(node, call)
        node = call
    for _ in range(draw(st.integers(1, 3))):
        node = _block(draft, node, depth)
    end = draft.fresh("e")
    definition = draft.pick(
        "",
        "",
        "",
        "<bpmn:terminateEventDefinition/>",
        '<bpmn:errorEventDefinition errorRef="E1"/>',
        '<bpmn:escalationEventDefinition escalationRef="X1"/>',
        "<bpmn:compensateEventDefinition/>",
        "<bpmn:compensateEventDefinition/>",
    )
    draft.parts.append(f'<bpmn:endEvent id="{end}">{definition}</bpmn:endEvent>')
    if draw(st.integers(0, 3)) == 0:
        _handler(draft)
    draft.connect(node, end)
    for _ in range(0 if sound else draw(st.sampled_from([0, 0, 0, 1, 2]))):
        source, target = draw(st.sampled_from(draft.nodes)), draw(st.sampled_from(draft.nodes))
        if not source.startswith("g"):
            draft.connect(source, target)
    return "".join(draft.parts)


@st.composite
def models(draw: st.DrawFn, *, sound: bool = False) -> str:
    """The XML of a random executable process `p`. sound: every join gets all its tokens, whatever the data."""
    return _document(_scope(draw, [0], 0, sound=sound))


@st.composite
def hierarchies(draw: st.DrawFn) -> list[str]:
    """The XML of three random executable processes: `p` calls `q` and `r`, and `q` calls `r`."""
    return [
        _document(_scope(draw, [0], 2, called=called), process_id)
        for process_id, called in (("r", ()), ("q", ("r",)), ("p", ("q", "r")))
    ]


def _document(body: str, process_id: str = "p") -> str:
    roots = '<bpmn:error id="E1" errorCode="E"/><bpmn:escalation id="X1" escalationCode="late"/><bpmn:process'
    return process(body, process_id).replace("<bpmn:process", roots, 1)
