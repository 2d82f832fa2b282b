"""Message subscriptions and correlated messages as searchable entities."""

from __future__ import annotations

from collections.abc import Mapping

from infra.postgres.queries_fields import Entity, Field, Kind
from projections.message_subscriptions import SubscriptionState, SubscriptionType

_P, _D = ("p",), ("d",)
_JOINS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "p": ("LEFT JOIN {schema}.process_instances p ON p.instance_key = t.instance_key", ()),
    "d": ("LEFT JOIN {schema}.process_definitions d ON d.key = coalesce(t.definition_key, p.definition_key)", _P),
}
# A start event waits as long as its version is the newest.
_STATE = (
    "(CASE WHEN t.type = 1 AND EXISTS (SELECT FROM {schema}.process_definitions n JOIN {schema}.process_definitions o "
    "ON n.tenant = o.tenant AND n.id = o.id AND n.version > o.version WHERE o.key = t.definition_key) "
    f"THEN {SubscriptionState.DELETED.value} ELSE t.state END)"
)


def _no_filter(sql: str, kind: Kind) -> Field:
    return Field(sql, kind, filtered=False, sorted=False)


MESSAGE_SUBSCRIPTIONS = Entity(
    "message subscription",
    "{schema}.message_subscriptions t",
    ("t.owner_key", "t.key"),
    "messageSubscriptionKey",
    "t.tenant",
    {
        "messageSubscriptionKey": Field("t.key", Kind.KEY, nullable=False),
        "processDefinitionId": Field("t.process_id", Kind.TEXT, nullable=False),
        "processDefinitionKey": Field("coalesce(t.definition_key, p.definition_key)", Kind.KEY, joins=_P),
        "processDefinitionName": Field("d.name", Kind.TEXT, joins=_D),
        "processDefinitionVersion": Field("d.version", Kind.INTEGER, joins=_D),
        "processInstanceKey": Field("t.instance_key", Kind.KEY),
        "rootProcessInstanceKey": Field("coalesce(p.root_key, t.instance_key)", Kind.KEY, joins=_P),
        "elementId": Field("t.element_id", Kind.TEXT, nullable=False),
        "elementInstanceKey": Field("t.element_key", Kind.KEY),
        "messageSubscriptionState": Field(_STATE, Kind.ENUM, SubscriptionState, nullable=False),
        "messageSubscriptionType": Field("t.type", Kind.ENUM, SubscriptionType, nullable=False),
        "lastUpdatedDate": Field("t.updated", Kind.DATE, nullable=False),
        "messageName": Field("t.name", Kind.TEXT, nullable=False),
        "correlationKey": Field("t.correlation_key", Kind.TEXT),
        "businessId": Field("p.business_id", Kind.TEXT, joins=_P),
        "toolName": Field("NULL::text", Kind.TEXT),
        "inboundConnectorType": Field("NULL::text", Kind.TEXT),
        "toolProperties": _no_filter("NULL::text", Kind.JSON),
        "tenantId": Field("t.tenant", Kind.TENANT, nullable=False),
    },
    _JOINS,
    {},
    {},
)

CORRELATED_MESSAGES = Entity(
    "correlated message subscription",
    "{schema}.correlated_messages t",
    ("t.message_key", "t.instance_key"),
    "messageKey",
    "t.tenant",
    {
        "messageKey": Field("t.message_key", Kind.KEY, nullable=False),
        "messageName": Field("t.name", Kind.TEXT, nullable=False),
        "correlationKey": Field("t.correlation_key", Kind.TEXT),
        "correlationTime": Field("t.correlated", Kind.DATE, nullable=False),
        "subscriptionKey": Field("t.subscription_key", Kind.KEY, nullable=False),
        "processDefinitionId": Field("t.process_id", Kind.TEXT, nullable=False),
        "processDefinitionKey": Field("t.definition_key", Kind.KEY, nullable=False),
        "processInstanceKey": Field("t.instance_key", Kind.KEY, nullable=False),
        "rootProcessInstanceKey": Field("t.root_key", Kind.KEY, nullable=False),
        "elementId": Field("t.element_id", Kind.TEXT, nullable=False),
        "elementInstanceKey": Field("t.element_key", Kind.KEY),
        "partitionId": Field("1::integer", Kind.INTEGER, nullable=False),
        "businessId": Field("p.business_id", Kind.TEXT, joins=_P),
        "tenantId": Field("t.tenant", Kind.TENANT, nullable=False),
    },
    {"p": _JOINS["p"]},
    {},
    {},
)
