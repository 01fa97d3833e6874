"""The yardstick: the benchmark's endpoints as a good Flask developer writes them by hand.

flask-smorest, marshmallow, the SQLAlchemy ORM and flask-jwt-extended, used as their documentation shows. The
benchmark serves this beside the generated endpoints; it knows nothing of the host.
"""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from http import HTTPStatus
from typing import Any

import marshmallow as ma
from flask import Flask
from flask.views import MethodView
from flask_jwt_extended import JWTManager, get_jwt_identity, jwt_required
from flask_smorest import Api, Blueprint, abort
from flask_smorest.pagination import PaginationParameters
from sqlalchemy import DateTime, ForeignKey, Index, Numeric, String, Text, create_engine, event, func, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, scoped_session, sessionmaker

STATUSES = ("open", "active", "blocked", "done", "dropped")
SORTS = ("created_at", "due_date", "priority")


def now() -> datetime:
    return datetime.now(UTC)


class Base(DeclarativeBase):
    pass


class Project(Base):
    __tablename__ = "projects"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    owner_id: Mapped[uuid.UUID] = mapped_column(index=True)
    name: Mapped[str] = mapped_column(String(200))


class Task(Base):
    __tablename__ = "tasks"
    __table_args__ = (Index("ix_tasks_owner_status_created", "owner_id", "status", "created_at"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    owner_id: Mapped[uuid.UUID]
    project_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("projects.id"), index=True)
    title: Mapped[str] = mapped_column(String(200))
    notes: Mapped[str | None] = mapped_column(Text)
    status: Mapped[str] = mapped_column(String(32), default="open")
    priority: Mapped[int] = mapped_column(default=0)
    estimate: Mapped[Decimal | None] = mapped_column(Numeric(15, 2))
    due_date: Mapped[date | None]
    billable: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now, onupdate=now)


class TaskSchema(ma.Schema):
    id = ma.fields.UUID(dump_only=True)
    owner_id = ma.fields.UUID(dump_only=True)
    project_id = ma.fields.UUID(required=True)
    title = ma.fields.String(required=True, validate=ma.validate.Length(min=1, max=200))
    notes = ma.fields.String(allow_none=True, validate=ma.validate.Length(max=5000))
    status = ma.fields.String(validate=ma.validate.OneOf(STATUSES))
    priority = ma.fields.Integer(validate=ma.validate.Range(min=0, max=9))
    estimate = ma.fields.Decimal(places=2, as_string=True, allow_none=True)
    due_date = ma.fields.Date(allow_none=True)
    billable = ma.fields.Boolean()
    created_at = ma.fields.AwareDateTime(default_timezone=UTC, dump_only=True)
    updated_at = ma.fields.AwareDateTime(default_timezone=UTC, dump_only=True)


class TaskChange(TaskSchema):
    """The same fields, each optional; a name of its own keeps the document tidy."""


class TaskQuery(ma.Schema):
    status = ma.fields.String(validate=ma.validate.OneOf(STATUSES))
    sort = ma.fields.String(
        load_default="-created_at",
        validate=ma.validate.OneOf([*SORTS, *(f"-{name}" for name in SORTS)]),
    )


# Objects stay readable after a commit, which spares a good developer one query per write.
sessions = scoped_session(sessionmaker(expire_on_commit=False))
blueprint = Blueprint("tasks", __name__, url_prefix="/api/tasks", description="Tasks of projects")


def own_task(task_id: uuid.UUID) -> Task:
    task = sessions.scalar(select(Task).where(Task.id == task_id, Task.owner_id == owner()))
    if task is None:
        abort(HTTPStatus.NOT_FOUND)
    return task


def check_project(project_id: uuid.UUID) -> None:
    found = select(Project.id).where(Project.id == project_id, Project.owner_id == owner())
    if sessions.scalar(found) is None:
        abort(HTTPStatus.UNPROCESSABLE_ENTITY, errors={"json": {"project_id": ["Unknown project."]}})


def owner() -> uuid.UUID:
    return uuid.UUID(get_jwt_identity())


@blueprint.route("")
class Tasks(MethodView):
    @jwt_required()
    @blueprint.arguments(TaskQuery, location="query")
    @blueprint.response(HTTPStatus.OK, TaskSchema(many=True))
    @blueprint.paginate(page_size=50, max_page_size=200)
    def get(self, query: dict[str, Any], pagination_parameters: PaginationParameters) -> list[Task]:
        tasks = select(Task).where(Task.owner_id == owner())
        if "status" in query:
            tasks = tasks.where(Task.status == query["status"])
        count = select(func.count()).select_from(tasks.subquery())
        pagination_parameters.item_count = sessions.scalar(count)
        column = getattr(Task, query["sort"].lstrip("-"))
        tasks = tasks.order_by(column.desc() if query["sort"].startswith("-") else column)
        page = tasks.offset(pagination_parameters.first_item).limit(pagination_parameters.page_size)
        return list(sessions.scalars(page))

    @jwt_required()
    @blueprint.arguments(TaskSchema)
    @blueprint.response(HTTPStatus.CREATED, TaskSchema)
    def post(self, data: dict[str, Any]) -> Task:
        check_project(data["project_id"])
        task = Task(owner_id=owner(), **data)
        sessions.add(task)
        sessions.commit()
        return task


@blueprint.route("/<uuid:task_id>")
class TaskById(MethodView):
    @jwt_required()
    @blueprint.response(HTTPStatus.OK, TaskSchema)
    def get(self, task_id: uuid.UUID) -> Task:
        return own_task(task_id)

    @jwt_required()
    @blueprint.arguments(TaskChange(partial=True))
    @blueprint.response(HTTPStatus.OK, TaskSchema)
    def patch(self, data: dict[str, Any], task_id: uuid.UUID) -> Task:
        task = own_task(task_id)
        if "project_id" in data:
            check_project(data["project_id"])
        for name, value in data.items():
            setattr(task, name, value)
        sessions.commit()
        return task


def configure_sqlite(connection: Any, _record: Any) -> None:
    """Use the settings that the host uses, so that both pay the same for durability."""
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=5000", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def create_app(database: str | None = None) -> Flask:
    engine = create_engine(database or os.environ["BASELINE_DATABASE"])
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", configure_sqlite)
    sessions.configure(bind=engine)
    app = Flask(__name__)
    app.config |= {
        "API_TITLE": "Tasks",
        "API_VERSION": "1",
        "OPENAPI_VERSION": "3.1.0",
        "JWT_SECRET_KEY": os.environ["BASELINE_SECRET"],
        "PROPAGATE_EXCEPTIONS": True,
    }
    JWTManager(app)
    Api(app).register_blueprint(blueprint)
    app.teardown_appcontext(lambda _error: sessions.remove())
    return app


@contextmanager
def empty_database(address: str) -> Iterator[Session]:
    """Make the tables and give a session to fill them."""
    engine = create_engine(address)
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        yield session
        session.commit()
    engine.dispose()
