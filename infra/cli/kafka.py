"""`flowledger kafka broker` and `topics`: a broker for development, and the topics that Flowledger needs."""

from __future__ import annotations

import signal
from typing import Annotated

import typer

from infra.cli.output import console
from infra.settings import KAFKA_LOCAL, InvalidSetting, read_settings

kafka = typer.Typer(name="kafka", help="A Kafka broker for development, and Flowledger's topics.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add this topic's commands."""
    app.add_typer(kafka)


@kafka.command()
def broker(
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Port of the broker; 0: any free one.")] = 9092,
) -> None:
    """Run a Kafka broker on this machine (needs Java 17 and, the first time, Maven). Ctrl-C stops it.

    Its data is kept in the data folder. For development: one node, one replica, loopback only.
    """
    from infra.data_folder import DataFolder
    from infra.kafka.broker import KafkaBroker

    node = KafkaBroker(DataFolder(read_settings().data_dir).kafka)
    signal.signal(signal.SIGTERM, lambda _number, _frame: node.terminate())
    signal.signal(signal.SIGINT, lambda _number, _frame: node.terminate())
    console().print("Kafka is starting …", style="dim")
    address = node.start(port)
    console().print(f"Kafka answers at {address}: FLOWLEDGER_KAFKA={address}")
    node.wait()
    console().print("Kafka has stopped.", style="dim")


@kafka.command()
def topics() -> None:
    """Create the topics that are missing on the brokers of FLOWLEDGER_KAFKA, and show all."""
    from infra.kafka.config import KafkaConfig
    from infra.kafka.topics import TOPICS, describe_topic, ensure_topics

    settings = read_settings()
    if not settings.kafka or settings.kafka == KAFKA_LOCAL:
        raise InvalidSetting("`flowledger kafka topics` needs FLOWLEDGER_KAFKA (host:port of the brokers)")
    config = KafkaConfig.of(settings)
    for name in ensure_topics(config):
        console().print(f"created {name}")
    for name, about in TOPICS.items():
        found = describe_topic(config, config.topic(name))
        partitions = f"{found.partitions} partitions" if found else "missing"
        console().print(f"{config.topic(name)}: {partitions}; {about}", soft_wrap=True)
