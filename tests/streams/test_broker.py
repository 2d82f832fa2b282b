"""The development broker, and our topics on it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from kafka import KafkaConsumer, KafkaProducer

from domain.errors import StorageUnavailable
from infra.kafka.broker import KafkaBroker
from infra.kafka.config import KafkaConfig
from infra.kafka.jars import KafkaMissing, kafka_jars
from infra.kafka.topics import EVENTS, RESULTS, TOPICS, delete_topics, describe_topic, ensure_topics
from infra.settings import InvalidSetting, Settings, read_settings

ROOT = Path(__file__).resolve().parents[2]


def test_topics_are_created_once_and_a_new_one_has_another_id(kafka: KafkaConfig) -> None:
    assert ensure_topics(kafka) == [kafka.topic(name) for name in TOPICS]
    assert ensure_topics(kafka) == []
    first = describe_topic(kafka, kafka.topic(EVENTS))
    assert first is not None
    assert (first.name, first.partitions) == (kafka.topic("events"), 3)
    delete_topics(kafka, [EVENTS])
    assert describe_topic(kafka, kafka.topic(EVENTS)) is None
    assert ensure_topics(kafka) == [kafka.topic(EVENTS)]
    again = describe_topic(kafka, kafka.topic(EVENTS))
    assert again is not None
    assert again.id != first.id


def test_a_broker_that_was_killed_comes_back_with_its_data_and_on_its_port_and_can_be_wiped(tmp_path: Path) -> None:
    broker = KafkaBroker(tmp_path, heap_mb=256)
    config = KafkaConfig(broker.start(), partitions=1, replication=1)
    ensure_topics(config, [RESULTS])
    producer = KafkaProducer(**config.client())
    producer.send(config.topic(RESULTS), b"kept").get(20)
    producer.close()
    first = describe_topic(config, config.topic(RESULTS))
    broker.kill()
    assert not broker.is_running()
    heir = KafkaBroker(tmp_path, heap_mb=256)
    assert heir.start() == config.bootstrap
    assert describe_topic(config, config.topic(RESULTS)) == first
    consumer = KafkaConsumer(config.topic(RESULTS), auto_offset_reset="earliest", **config.client())
    assert next(iter(consumer)).value == b"kept"
    consumer.close()
    heir.stop()
    heir.wipe()
    assert heir.start() == config.bootstrap
    assert describe_topic(config, config.topic(RESULTS)) is None
    heir.stop()


def test_a_broker_that_does_not_come_up_says_why(kafka_broker: KafkaBroker, tmp_path: Path) -> None:
    with pytest.raises(StorageUnavailable, match=f"port {kafka_broker.port} on 127.0.0.1 is taken"):
        KafkaBroker(tmp_path).start(kafka_broker.port)
    with pytest.raises(StorageUnavailable, match=r"(?s)cannot be formatted.*num.io.threads"):
        KafkaBroker(tmp_path, heap_mb=128, settings={"num.io.threads": "none"}).start()


def test_an_unreachable_broker_shows_within_seconds() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        config = KafkaConfig(f"127.0.0.1:{silent.getsockname()[1]}")
        with pytest.raises(StorageUnavailable, match="cannot be created"):
            ensure_topics(config)


def test_jars_are_not_fetched_without_maven_and_say_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None)
    with pytest.raises(KafkaMissing, match="Maven"):
        kafka_jars(tmp_path / "none")
    with pytest.raises(KafkaMissing, match="Java"):
        KafkaBroker(tmp_path, jars=tmp_path).start()


def test_the_command_line_runs_a_broker_and_creates_topics(tmp_path: Path) -> None:
    environment = {**os.environ, "FLOWLEDGER_DATA_DIR": str(tmp_path), "PYTHONUNBUFFERED": "1"}
    flowledger = [sys.executable, "-m", "infra.cli"]
    process = subprocess.Popen(
        [*flowledger, "kafka", "broker", "--port", "0"], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        line = next(line for line in process.stdout if "FLOWLEDGER_KAFKA=" in line)
        environment["FLOWLEDGER_KAFKA"] = line.strip().rpartition("=")[2]
        done = subprocess.run(
            [*flowledger, "kafka", "topics"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )
        assert "created flowledger.events" in done.stdout, done.stderr
        assert "flowledger.commands: 6 partitions" in done.stdout
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0


def test_settings_become_what_the_client_is_told(tmp_path: Path) -> None:
    settings = read_settings(
        {
            "FLOWLEDGER_KAFKA": "a:9093, b:9093",
            "FLOWLEDGER_KAFKA_SECURITY": "sasl_ssl",
            "FLOWLEDGER_KAFKA_USER": "flow",
            "FLOWLEDGER_KAFKA_PASSWORD": "secret",
            "FLOWLEDGER_KAFKA_CA_FILE": str(tmp_path / "ca.pem"),
            "FLOWLEDGER_KAFKA_COMPRESSION": "none",
        }
    )
    config = KafkaConfig.of(settings)
    client = config.client()
    assert client["bootstrap_servers"] == ["a:9093", "b:9093"]
    assert (client["security_protocol"], client["sasl_mechanism"]) == ("SASL_SSL", "SCRAM-SHA-512")
    assert (client["sasl_plain_username"], client["sasl_plain_password"]) == ("flow", "secret")
    assert client["ssl_cafile"] == str(tmp_path / "ca.pem")
    assert config.compression is None
    plain = KafkaConfig.of(Settings(kafka="a:1")).client()
    assert not {"sasl_mechanism", "ssl_cafile"} & set(plain)
    with pytest.raises(InvalidSetting, match="KAFKA_USER"):
        KafkaConfig.of(Settings(kafka="a:1", kafka_security="sasl_ssl"))
    for wrong in ("a", "http://a:1", "a:1,,b:2"):
        with pytest.raises(InvalidSetting, match="host:port"):
            read_settings({"FLOWLEDGER_KAFKA": wrong})
