"""The job workers of the order-to-cash example, written with Camunda's own Python client.

    python examples/order-to-cash/worker.py [--address http://localhost:8080]

Without --address the client's usual environment variables apply (CAMUNDA_REST_ADDRESS, CAMUNDA_CLIENT_ID, …).
Warehouse, payment and shipping are simulated in memory. What is real is how a worker behaves: a job may arrive twice
(its time ran out, an answer was lost), so each service remembers what it did for an order and answers the same again.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import random
from collections.abc import Callable, Coroutine
from typing import Any

from camunda_orchestration_sdk import CamundaAsyncClient, ConnectedJobContext, JobFailure, WorkerConfig

Json = dict[str, Any]
Handler = Callable[[ConnectedJobContext], Coroutine[Any, Any, Json]]

JOB_TIMEOUT_MS = 30_000
POLL_MS = 10_000


class Warehouse:
    """Stock by article. What is missing is ordered from the supplier and arrives before the next try."""

    DELIVERY_TAKES = "PT10S"

    def __init__(self, stock: dict[str, int]) -> None:
        self.stock = stock
        self.reserved: dict[str, list[Json]] = {}

    async def reserve(self, job: ConnectedJobContext) -> Json:
        """Reserve all lines of the order or none; answers `{reservation: {complete, id?, retryAfter?}}`."""
        variables = job.variables.to_dict()
        order_id, lines = variables["orderId"], variables["lines"]
        reservation_id = f"R-{order_id}"
        if reservation_id not in self.reserved:
            missing = [line for line in lines if self.stock.get(line["sku"], 0) < line["quantity"]]
            if missing:
                self._order_from_supplier(missing)
                return {"reservation": {"complete": False, "retryAfter": self.DELIVERY_TAKES}}
            for line in lines:
                self.stock[line["sku"]] -= line["quantity"]
            self.reserved[reservation_id] = lines
        return {"reservation": {"complete": True, "id": reservation_id}}

    async def release(self, job: ConnectedJobContext) -> Json:
        """Put the reserved goods back; a reservation that is gone already is no error."""
        for line in self.reserved.pop(job.variables.to_dict()["reservationId"], []):
            self.stock[line["sku"]] += line["quantity"]
        return {"released": True}

    def _order_from_supplier(self, lines: list[Json]) -> None:
        for line in lines:
            self.stock[line["sku"]] = self.stock.get(line["sku"], 0) + 10 * line["quantity"]


class Payments:
    """A payment provider that is out of reach now and then: the job fails and is tried again after a while."""

    RETRY_AFTER_MS = 2_000

    def __init__(self, outages: float) -> None:
        self.outages = outages
        self.charged: dict[str, str] = {}

    async def charge(self, job: ConnectedJobContext) -> Json:
        """Charge the customer once; answers `{payment: {id}}`. A total that is not positive ends in an incident."""
        variables = job.variables.to_dict()
        order_id, amount = variables["orderId"], variables["amount"]
        if amount <= 0:
            raise JobFailure(f"order {order_id}: nothing to charge, the total is {amount}", retries=0)
        if random.random() < self.outages:  # noqa: S311 - an outage is no secret
            raise JobFailure(
                f"the provider '{job.custom_headers.to_dict()['provider']}' does not answer",
                retries=job.retries - 1,
                retry_back_off=self.RETRY_AFTER_MS,
            )
        return {"payment": {"id": self.charged.setdefault(order_id, f"P-{len(self.charged) + 1:05}")}}


class Dispatch:
    """Shipping and invoicing; numbers are given once an order."""

    def __init__(self) -> None:
        self.shipments: dict[str, str] = {}
        self.invoices: dict[str, str] = {}

    async def ship(self, job: ConnectedJobContext) -> Json:
        """Hand the goods to the carrier; answers `{shipment: {trackingNumber}}`."""
        order_id = job.variables.to_dict()["orderId"]
        number = self.shipments.setdefault(order_id, f"TRACK-{len(self.shipments) + 1:05}")
        return {"shipment": {"trackingNumber": number}}

    async def invoice(self, job: ConnectedJobContext) -> Json:
        """Send the invoice; answers `{invoice: {number}}`."""
        order_id = job.variables.to_dict()["orderId"]
        return {"invoice": {"number": self.invoices.setdefault(order_id, f"INV-{len(self.invoices) + 1:05}")}}


def handlers(outages: float) -> dict[str, Handler]:
    """Return the handler of every job type in order-to-cash.bpmn; `outages` is the share of failing payments."""
    warehouse = Warehouse({"PUMP-10": 100, "HOSE-25": 100, "VALVE-3": 1})
    payments = Payments(outages)
    dispatch = Dispatch()
    return {
        "reserve-stock": warehouse.reserve,
        "release-stock": warehouse.release,
        "charge-payment": payments.charge,
        "ship-order": dispatch.ship,
        "send-invoice": dispatch.invoice,
    }


def told(job_type: str, handler: Handler) -> Handler:
    """Return the handler with a line on standard output for every job."""

    async def tell(job: ConnectedJobContext) -> Json:
        where = f"{job_type:15} instance {job.process_instance_key}"
        try:
            result = await handler(job)
        except JobFailure as failure:
            print(f"{where}: failed, {failure.message} ({failure.retries} tries left)", flush=True)
            raise
        print(f"{where}: {result}", flush=True)
        return result

    return tell


async def work(address: str | None, outages: float) -> None:
    """Work on all job types until interrupted."""
    configuration: Any = {"CAMUNDA_REST_ADDRESS": address} if address else {}
    quiet = logging.getLogger("camunda")  # the client's own logger tells every poll
    async with CamundaAsyncClient(configuration=configuration, logger=quiet) as client:
        for job_type, handler in handlers(outages).items():
            config = WorkerConfig(
                job_type=job_type,
                job_timeout_milliseconds=JOB_TIMEOUT_MS,
                request_timeout_milliseconds=POLL_MS,
                worker_name="order-to-cash-example",
            )
            client.create_job_worker(config=config, callback=told(job_type, handler), execution_strategy="async")
        print("working; Ctrl+C ends", flush=True)
        await client.run_workers()  # type: ignore[no-untyped-call]  # the client's, without annotations


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="job workers of the order-to-cash example")
    parser.add_argument("--address", help="the server, e.g. http://localhost:8080 (default: CAMUNDA_REST_ADDRESS)")
    parser.add_argument(
        "--outages", type=float, default=0.0, help="share of payments that fail, 0 to 1 (default 0), to see retries"
    )
    arguments = parser.parse_args()
    try:
        asyncio.run(work(arguments.address, arguments.outages))
    except KeyboardInterrupt:
        print("ended")


if __name__ == "__main__":
    main()
