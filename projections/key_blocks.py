"""Read model: which instance a later block of 4,096 keys belongs to (domain/keys.py)."""

from __future__ import annotations

from domain.process_instance import events as e
from projections.rows import Changes, ColumnType, Handlers, Source, Table

TABLE = Table("key_blocks", ("block",), {"block": ColumnType.BIGINT, "instance_key": ColumnType.BIGINT})


def reserved(changes: Changes, source: Source, event: e.KeyBlockReserved) -> None:
    """Keys from instance key + offset on are the instance's."""
    block = source.key + event.offset
    changes["key_blocks"].insert((block,), {"block": block, "instance_key": source.key})


HANDLERS: Handlers = {e.KeyBlockReserved: reserved}
