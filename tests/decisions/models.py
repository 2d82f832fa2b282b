"""Decision models and processes that use them, written where the tests read them."""

from __future__ import annotations

DMN = "https://www.omg.org/spec/DMN/20191111/MODEL/"
ZEEBE = "http://camunda.org/schema/zeebe/1.0"


def approval(prefix: str, limit: int = 1000, tag: str = "", hit_policy: str = "FIRST") -> bytes:
    """A graph of two decisions: `{prefix}-level` (table) requires `{prefix}-risk` (expression on `amount`).

    Up to `limit` the clerk decides, above it the director; risky amounts (over ten times the limit) go to the board.
    """
    tagged = f'<extensionElements><zeebe:versionTag value="{tag}"/></extensionElements>' if tag else ""
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="{DMN}" xmlns:zeebe="{ZEEBE}" id="{prefix}-graph" name="Approval" namespace="urn:{prefix}">
  <inputData id="{prefix}-amount" name="amount"><variable name="amount" typeRef="number"/></inputData>
  <decision id="{prefix}-risk" name="Risk">
    <variable name="risk" typeRef="string"/>
    <informationRequirement><requiredInput href="#{prefix}-amount"/></informationRequirement>
    <literalExpression><text>if amount &gt; {limit} * 10 then "high" else "low"</text></literalExpression>
  </decision>
  <decision id="{prefix}-level" name="Level">{tagged}
    <informationRequirement><requiredInput href="#{prefix}-amount"/></informationRequirement>
    <informationRequirement><requiredDecision href="#{prefix}-risk"/></informationRequirement>
    <decisionTable id="{prefix}-table" hitPolicy="{hit_policy}">
      <input id="in-risk" label="Risk"><inputExpression><text>risk</text></inputExpression></input>
      <input id="in-amount" label="Amount"><inputExpression typeRef="number"><text>amount</text></inputExpression></input>
      <output id="out" name="level" typeRef="string"/>
      <rule id="board"><inputEntry><text>"high"</text></inputEntry><inputEntry><text>-</text></inputEntry>
        <outputEntry><text>"board"</text></outputEntry></rule>
      <rule id="clerk"><inputEntry><text>-</text></inputEntry><inputEntry><text>&lt;= {limit}</text></inputEntry>
        <outputEntry><text>"clerk"</text></outputEntry></rule>
      <rule id="director"><inputEntry><text>-</text></inputEntry><inputEntry><text>&gt; {limit}</text></inputEntry>
        <outputEntry><text>"director"</text></outputEntry></rule>
    </decisionTable>
  </decision>
</definitions>""".encode()


def deciding(process_id: str, decision_id: str, binding: str = "", job_type: str = "") -> bytes:
    """A process: a business rule task puts the decision into `level`; then, with `job_type`, a service task waits."""
    waits = (
        f'<bpmn:serviceTask id="wait"><bpmn:extensionElements><zeebe:taskDefinition type="{job_type}"/>'
        '</bpmn:extensionElements></bpmn:serviceTask><bpmn:sequenceFlow id="f3" sourceRef="wait" targetRef="end"/>'
    )
    after = "wait" if job_type else "end"
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:zeebe="{ZEEBE}" targetNamespace="t">
  <bpmn:process id="{process_id}" isExecutable="true">
    <bpmn:startEvent id="start"/>
    <bpmn:sequenceFlow id="f1" sourceRef="start" targetRef="decide"/>
    <bpmn:businessRuleTask id="decide" name="Who approves?"><bpmn:extensionElements>
      <zeebe:calledDecision decisionId="{decision_id}" resultVariable="level" {binding}/>
    </bpmn:extensionElements></bpmn:businessRuleTask>
    <bpmn:sequenceFlow id="f2" sourceRef="decide" targetRef="{after}"/>
    {waits if job_type else ""}<bpmn:endEvent id="end"/>
  </bpmn:process>
</bpmn:definitions>""".encode()
