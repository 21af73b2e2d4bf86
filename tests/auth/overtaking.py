"""What happens while a password is being checked, which takes longer than all else."""

from collections.abc import Callable

import pytest

from stockroom.auth import service


def meanwhile(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> None:
    """Have something happen during the next checks."""
    check = service.verify_password

    def check_and_be_overtaken(stored_hash: str | None, password: str) -> bool:
        is_right = check(stored_hash, password)
        act()
        return is_right

    monkeypatch.setattr(service, "verify_password", check_and_be_overtaken)
