"""The broker's jars, from Maven Central by pom.xml: `python -m infra.kafka.jars` fetches them (make setup-kafka).

They are kept under the data folder in a folder named by the pom's hash, and made complete before they are seen there:
a fetch that was interrupted leaves nothing that looks whole. Maven's own settings (mirrors, proxies) apply.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from domain.errors import DomainError

POM = Path(__file__).with_name("pom.xml")
ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".data" / "kafka-jars"
FETCH_SECONDS = 900
MIN_JAVA = 17


class KafkaMissing(DomainError):
    """The broker cannot be had: Java or Maven is missing, or the jars cannot be fetched."""

    code = "KAFKA_MISSING"


def java() -> str:
    """The Java program. Raises KafkaMissing."""
    found = shutil.which("java")
    if found is None:
        raise KafkaMissing(f"the Kafka broker needs a Java runtime, version {MIN_JAVA} or later, on the PATH")
    return found


def kafka_jars(folder: Path = FOLDER) -> Path:
    """The folder with the jars, fetched if it is not there. Raises KafkaMissing."""
    digest = hashlib.sha256(POM.read_bytes()).hexdigest()[:16]
    jars = folder / digest
    if jars.is_dir():
        return jars
    maven = shutil.which("mvn")
    if maven is None:
        raise KafkaMissing(
            "fetching the Kafka broker needs Maven (mvn) on the PATH, or FLOWLEDGER_KAFKA names a broker"
        )
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="fetch-", dir=folder) as fetched:
        target = Path(fetched) / "jars"
        command = [maven, "-q", "-B", "-f", str(POM), "dependency:copy-dependencies", "-DincludeScope=runtime"]
        command.append(f"-DoutputDirectory={target}")
        try:
            done = subprocess.run(  # noqa: S603 - Maven, with our own pom
                command, capture_output=True, text=True, timeout=FETCH_SECONDS, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise KafkaMissing(f"Maven did not fetch the Kafka broker within {FETCH_SECONDS} s") from error
        if done.returncode != 0 or not any(target.glob("kafka_*.jar")):
            raise KafkaMissing(f"Maven could not fetch the Kafka broker: {(done.stdout + done.stderr)[-2000:].strip()}")
        try:
            target.rename(jars)
        except OSError:  # another process was faster
            if not jars.is_dir():
                raise
    for old in folder.iterdir():
        if old != jars and not old.name.startswith("fetch-"):
            shutil.rmtree(old, ignore_errors=True)
    return jars


def main() -> None:
    """Fetch, and say what is missing."""
    try:
        java()
        kafka_jars()
    except KafkaMissing as missing:
        sys.exit(f"{missing.code}: {missing}")


if __name__ == "__main__":
    main()
