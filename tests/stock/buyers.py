"""Buyers at once, who reserve and commit until nothing is left."""

import asyncio
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from random import Random
from typing import Any

from tests.contract.web import Answer
from tests.contract.wires import Lost, Wire

MOST_PIECES = 5
MOST_LINES = 3
PAUSE_SECONDS = 0.05


@dataclass
class Sale:
    """What buyers are told, all together.

    :ivar sold: pieces by SKU, as the answers to committed reservations have them.
    :ivar statuses: how often each was the answer; ``unexplained``: what no buyer expects.
    """

    port: int
    tokens: Sequence[str]
    skus: Sequence[str]
    is_stubborn: bool = False
    sold: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    unexplained: list[bytes] = field(default_factory=list)
    lost: int = 0
    committed: list[str] = field(default_factory=list)

    def run(self, buyers: int, connections: int, seed: int) -> None:
        """Buy until nothing is left.

        :raises TimeoutError: if that takes longer than it may.
        """
        asyncio.run(self._run(buyers, connections, seed))

    async def _run(self, buyers: int, connections: int, seed: int) -> None:
        self._left = dict.fromkeys(self.skus, MOST_PIECES)
        self._keys = map("{}".format, count(seed))
        wires = asyncio.Queue[Wire]()
        for number in range(connections):
            wires.put_nowait(Wire(self.port, self.tokens[number % len(self.tokens)]))
        async with asyncio.timeout(600):
            await asyncio.gather(
                *(self._buy(wires, Random(seed + number)) for number in range(buyers))  # noqa: S311 - dice
            )
        while not wires.empty():
            wires.get_nowait().close()

    async def _buy(self, wires: "asyncio.Queue[Wire]", chance: Random) -> None:
        while self._left:
            # One order goes through one connection: the account behind it owns it.
            wire = await wires.get()
            try:
                await self._order(wire, chance)
            finally:
                wires.put_nowait(wire)

    async def _order(self, wire: Wire, chance: Random) -> None:
        skus = chance.sample([*self._left], min(len(self._left), chance.randint(1, MOST_LINES)))
        if not skus:
            return
        lines = [{"sku": it, "quantity": chance.randint(1, self._left[it])} for it in skus]
        answer = await self._send(wire, "/reservations", {"lines": lines})
        if answer.status == 201:
            made = json.loads(answer.body)
            done = await self._send(wire, f"/reservations/{made['id']}/commit")
            if done.status == 200:
                self.committed.append(made["id"])
                for line in made["lines"]:
                    self.sold[line["sku"]] += line["quantity"]
        elif answer.status == 409:
            self._learn(json.loads(answer.body), lines)

    def _learn(self, problem: Mapping[str, Any], lines: Sequence[Mapping[str, Any]]) -> None:
        """What a refusal says of what is left; it has to name lines of the order that are short."""
        asked = {line["sku"]: line["quantity"] for line in lines}
        short = problem.get("lines", [])
        if not short or problem["type"] != "/problems/insufficient-stock":
            self.unexplained.append(json.dumps(problem).encode())
        for line in short:
            if (
                asked.get(line["sku"]) != line["requested"]
                or line["available"] >= line["requested"]
            ):
                self.unexplained.append(json.dumps(problem).encode())
            if line["available"] == 0:
                self._left.pop(line["sku"], None)
            elif line["sku"] in self._left:
                self._left[line["sku"]] = min(self._left[line["sku"]], line["available"])

    async def _send(self, wire: Wire, path: str, body: Mapping[str, Any] | None = None) -> Answer:
        """The answer; who is stubborn sends the same again, under the same key, until there is
        one.
        """
        key = next(self._keys) if self.is_stubborn else ""
        while True:
            try:
                answer = await wire.post(path, body, key=key)
            except Lost:
                self.lost += 1
            else:
                self.statuses[answer.status] += 1
                is_final = answer.status < 500 and b"/problems/insufficient" in answer.body
                if not self.is_stubborn or answer.status < 400 or is_final:
                    if answer.status >= 500:
                        self.unexplained.append(answer.body)
                    return answer
            await asyncio.sleep(PAUSE_SECONDS)
