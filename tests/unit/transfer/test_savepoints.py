"""Parts of a transaction that are undone alone, as imports need them."""

from __future__ import annotations

import pytest

from host.actor import SYSTEM
from host.service.context import Context
from tests.unit.transfer.shop import Shop


class Stop(Exception):
    """Ends a part."""


def tag(ctx: Context, name: str) -> None:
    """Store a tag, and note its name after the commit."""
    ctx.records("site.tag").create({"name": name})


def test_part_is_undone_alone(both: Shop) -> None:
    done: list[str] = []
    with both.site.runtime.writing(SYSTEM) as ctx:
        tag(ctx, "before")
        with pytest.raises(Stop), ctx.transaction.savepoint():
            tag(ctx, "inside")
            ctx.after_commit(lambda: done.append("inside"))
            raise Stop
        tag(ctx, "after")
        ctx.after_commit(lambda: done.append("after"))
    assert sorted(row["name"] for row in both.rows("tag")) == ["after", "before"]
    assert done == ["after"]


def test_parts_lie_within_parts(both: Shop) -> None:
    with both.site.runtime.writing(SYSTEM) as ctx, ctx.transaction.savepoint():
        with pytest.raises(Stop), ctx.transaction.savepoint():
            tag(ctx, "a")
            with ctx.transaction.savepoint():
                tag(ctx, "b")
            raise Stop
        with ctx.transaction.savepoint():
            tag(ctx, "c")
    assert [row["name"] for row in both.rows("tag")] == ["c"]


def test_pending_objects_of_part_are_forgotten(both: Shop) -> None:
    with both.site.runtime.writing(SYSTEM) as ctx:
        kind = ctx.model("site.tag")
        with pytest.raises(Stop), ctx.transaction.savepoint():
            ctx.session.add(kind(id="01890a5d-ac96-774b-bcce-b302099a8057", name="x"))
            raise Stop
    assert both.rows("tag") == []
