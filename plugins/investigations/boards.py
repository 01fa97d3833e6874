"""What a board's users do beyond writing rows: join, say that they are there, be taken off, choose what to link."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from host import Context, Duplicate, FieldError, Invalid, NotFound

Row = dict[str, Any]


def join(ctx: Context, data: Row) -> Row:
    """Make the caller a member of the investigation with this code. Raises NotFound, or Duplicate for a member."""
    system = ctx.as_system()
    found = system.records("investigation").find_all(code=data["code"].upper(), is_active=True, limit=1)
    if not found:
        raise NotFound("no investigation can be joined with this code")
    board = found[0]
    user = ctx.actor.number
    if system.records("member").count(investigation=board["id"], user=user):
        raise _already()
    system.records("member").create({"investigation": board["id"], "user": user})
    return {"message": "You have joined the investigation", "investigation_id": board["id"]}


def _already() -> Duplicate:
    detail = "you are a member of this investigation already"
    return Duplicate(detail, [FieldError("/code", "duplicate", detail)])


def heartbeat(ctx: Context, board: Row, data: Row) -> Row:
    """Note that the caller is here: one write of one column, which no event and no history tells of."""
    members = ctx.table("member")
    mine = (members.c.investigation_id == board["id"], members.c.user_id == ctx.actor.number)
    ctx.execute(members.update().where(*mine).values(last_seen=ctx.now))
    return {"status": "ok", "last_seen": ctx.now}


def remove(ctx: Context, board: Row, data: Row) -> Row:
    """Delete the investigation with all that belongs to it; the page goes on to the dashboard."""
    ctx.records("investigation").delete(board["id"])
    return {"message": "The investigation has been deleted", "redirect": "/dashboard/"}


def revoke(ctx: Context, member: Row, data: Row) -> Row:
    """Take a member off the board. Whoever knows the old join code can no longer use it."""
    if member["role"] == "owner":
        raise Invalid("the owner cannot be taken off the board")
    system = ctx.as_system()
    system.records("member").delete(member["id"])
    board = system.records("investigation").redraw(member["investigation"], "code")
    return {
        "message": "The member has been removed", "code": board["code"], "removed_user_id": str(member["user"])
    }  # fmt: skip


def link_choices(ctx: Context, entity: Row, data: Row) -> Row:
    """What the entity is linked to, and the entities of its board that it is not linked to yet."""
    entities, links = ctx.table("entity"), ctx.table("link")
    others = ctx.records("entity").find_all(
        entities.c.id != entity["id"], investigation=entity["investigation"], sort="title", limit=5000
    )
    ends = sa.or_(links.c.from_entity_id == entity["id"], links.c.to_entity_id == entity["id"])
    found = ctx.records("link").find_all(ends, sort="-created_at", limit=5000)
    by_id = {other["id"]: other for other in others}
    current = [_shown(link, entity, by_id) for link in found]
    linked = {link["to_entity"]["id"] for link in current}
    free = [
        {"id": other["id"], "title": other["title"], "type": other["entity_type"]}
        for other in others
        if other["id"] not in linked
    ]
    return {"available_entities": free, "current_links": current}


def _shown(link: Row, entity: Row, by_id: dict[str, Row]) -> Row:
    """A link as the entity sees it, whichever end it is."""
    other = link["to_entity"] if link["from_entity"] == entity["id"] else link["from_entity"]
    title = by_id[other]["title"] if other in by_id else ""
    return {
        "id": link["id"], "title": link["title"], "description": link["description"],
        "to_entity": {"id": other, "title": title},
    }  # fmt: skip
