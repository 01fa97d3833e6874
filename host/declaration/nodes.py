"""The grammar of declarations, version 1: every construct is one frozen dataclass here.

The binder turns positioned YAML into these classes by their annotations; `hostwright schema` and the tables of the
language reference are generated from the same annotations and the `doc` of each key, so nothing can drift. Defaults live
here and nowhere else. The linker answers the same classes with every name qualified and every default filled in.
"""
# long: the grammar is read as one page

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NewType, TypeAlias

from host.declaration.problems import Place

# What a scalar means, beyond its YAML type: markers for the binder, which checks the form of each, and plain texts for
# everybody else, type checkers included. The linker resolves the references.
if TYPE_CHECKING:
    Name: TypeAlias = str
    Key: TypeAlias = str
    Expression: TypeAlias = str
    CallRef: TypeAlias = str
    TypeRef: TypeAlias = str
    ResourceRef: TypeAlias = str
    JobRef: TypeAlias = str
    WireRef: TypeAlias = str
    PathTemplate: TypeAlias = str
    FieldRef: TypeAlias = str
    SortRef: TypeAlias = str
    RateText: TypeAlias = str
else:
    Name = NewType("Name", str)  # [a-z][a-z0-9_]*, at most 48 characters, not a reserved word
    Key = NewType("Key", str)  # a key of a JSON object: letters, digits and _, at most 48 characters
    Expression = NewType("Expression", str)  # Python syntax, see host.declaration.expressions
    CallRef = NewType("CallRef", str)  # "module.function" inside the plugin's package
    TypeRef = NewType("TypeRef", str)  # a field type, or a named type ("line_item", "plugin.line_item")
    ResourceRef = NewType(
        "ResourceRef", str
    )  # "client", "plugin.client" or "account" (short for host.account)
    JobRef = NewType("JobRef", str)  # a job of the plugin, or "host.sweep_files"
    WireRef = NewType("WireRef", str)  # a named wire shape ("orbix", "plugin.orbix")
    PathTemplate = NewType(
        "PathTemplate", str
    )  # "/api/invoices/{id}": absolute, or below the resource's path; a parameter may be dotted
    FieldRef = NewType(
        "FieldRef", str
    )  # a field or to-one relation of the same resource; "a.b" where it says so
    SortRef = NewType("SortRef", str)  # a FieldRef, with "-" in front for descending
    RateText = NewType("RateText", str)  # "10/minute", see host.limiting.rates
AnyOf = tuple[Expression, ...]  # written as one expression or as a list, of which any has to hold


def word(doc: str, default: Any = ..., **hints: Any) -> Any:
    """A key of the grammar. Without a default it is required. `doc` is one sentence for the reference."""
    metadata = {"doc": doc, **hints}
    if default is ...:
        return field(metadata=metadata)
    if isinstance(default, dict):
        return field(default_factory=dict, metadata=metadata)
    return field(default=default, metadata=metadata)


@dataclass(frozen=True, kw_only=True)
class Node:
    """Anything written in YAML; `place` is where, for problems found later."""

    SHORT: ClassVar[str | None] = None  # the key that a bare scalar (or list) stands for
    place: Place = field(default=Place(), compare=False, repr=False)


# --- types and fields -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Counter(Node):
    """A number that the server counts up without gaps between two writers."""

    per: FieldRef | None = word(
        "count separately for each value of this field or relation; else for the table", None
    )
    format: str = word("Python format with `{n}`, e.g. `INV-{n:05d}`", "{n}")
    start: int = word("the first number", 1)


@dataclass(frozen=True, kw_only=True)
class Random(Node):
    """A text that the server draws at random, such as a join code; it occurs once, so the field is unique."""

    SHORT: ClassVar[str | None] = "length"
    length: int = word("how many letters")
    letters: str = word("the letters to draw from", "ABCDEFGHJKLMNPQRSTUVWXYZ23456789")


@dataclass(frozen=True, kw_only=True)
class Rollup(Node):
    """A value aggregated over a to-many relation, read in the same query as the row."""

    function: Literal["count", "sum", "min", "max"] = word("the aggregate function")
    over: FieldRef = word("the to-many relation, with `.field` for sum, min and max: `entries.duration`")
    where: Expression | None = word("only rows for which this holds", None)
    less: Expression | None = word("with `sum`: rows for which this holds are taken away from it", None)
    empty: int | None = word("the value over no rows, which else is null, or 0 for `count`", None)


@dataclass(frozen=True, kw_only=True)
class Variant(Node):
    """A smaller picture made of an image when it is first asked for, without what cameras write into pictures."""

    width: int = word("the most pixels in width")
    height: int = word("the most pixels in height")
    fit: Literal["contain", "cover"] = word(
        "`contain`: the whole picture inside; `cover`: cut to exactly this shape", "contain"
    )
    format: Literal["jpeg", "png", "webp"] | None = word("the format, by default the image's own", None)
    quality: int = word("of jpeg and webp, 1 to 95", 80)


@dataclass(frozen=True, kw_only=True)
class Field(Node):
    """A value of a resource, of an object type, of an action's input or of a setting."""

    SHORT: ClassVar[str | None] = "type"
    type: TypeRef = word("a field type or a named type")
    doc: str | None = word("what it means, for the documentation", None)
    required: bool = word("must be given on create, and is never null", False)
    nullable: bool | None = word("may be null; by default yes, unless it is required or has a default", None)
    default: Any = word("the value when none is given", None)
    min: Any = word("smallest value; for texts the least length, for lists the least number of items", None)
    max: Any = word(
        "largest value; for texts the greatest length, for lists the greatest number of items, for files the "
        "bytes (`10MB`)",
        None,
    )
    pattern: str | None = word("regular expression that the whole text must match", None)
    values: tuple[str, ...] = word("the values of an enum", ())
    of: Field | None = word("the type of a list's items", None)
    fields: Mapping[Key, Field] = word("the fields of an object", {})
    digits: int = word("a decimal's total number of digits, at most 15", 15)
    places: int = word("a decimal's digits after the point", 2)
    trim: bool = word("strip white space around the text", False)
    types: tuple[str, ...] = word("the media types of a file: `application/pdf`, `image/*`", ())
    folder: str | None = word("where a file lies in the storage, by default `<plugin>/<resource>`", None)
    variants: Mapping[Name, Variant] = word("smaller pictures of an image, made on demand", {})
    links: Literal["plain", "signed"] = word(
        "`signed`: addresses of a file hold for a while without a token, as `<img src>` needs them", "plain"
    )
    mirror: FieldRef | None = word(
        "kept by the server: `photo.name`, `photo.size`, `photo.type` or `photo.digest` of a file field", None
    )
    set: Literal["server", "once"] | None = word(
        "`server`: only the server sets it; `once`: only on create", None
    )
    read: AnyOf = word("who sees it, if not everyone who sees the row", ())
    write: AnyOf = word("who may set it, if not everyone who may write the row", ())
    secret: bool = word("never answered, logged or exported", False)
    transient: bool = word("validated and handed to the plugin's code, never stored", False)
    computed: Expression | None = word("the value as an expression over the row; never stored", None)
    rollup: Rollup | None = word("the value as an aggregate over a to-many relation; never stored", None)
    counter: Counter | None = word("the server counts it; implies `set: server`", None)
    random: Random | None = word("the server draws it; implies `set: server` and `unique`", None)
    unique: bool = word("short for a `unique` entry with this field alone", False)
    column: str | None = word("name of the column, if not the field's", None)
    example: Any = word("a value for the documentation", None)
    was: Name | None = word("the former name: the column is renamed, nothing is lost", None)
    named: str | None = None  # the linker's: the named type (`freelance.line_item`) that this was made of
    stored: Literal["host", "django"] = "host"  # the linker's: the form in which the column holds it
    extends: str | None = None  # the linker's: the plugin that adds this field to the account


@dataclass(frozen=True, kw_only=True)
class TypeNode(Field):
    """A named type: a field's description that others use by name."""


@dataclass(frozen=True, kw_only=True)
class First(Node):
    """A row over there that is made together with each row here, as the first member of a team is."""

    copy: Mapping[Name, FieldRef] = word("its values that this row has: `{user: created_by}`", {})
    values: Mapping[Name, Any] = word("its values that are always the same: `{role: owner}`", {})


@dataclass(frozen=True, kw_only=True)
class Match(Node):
    """Rows over there are told by a text that is unique there, instead of by their keys."""

    SHORT: ClassVar[str | None] = "field"
    field: Name = word("the text over there; without regard to case where its `unique` has it in `lower`")
    create: bool = word("make rows that are not there yet, under their own create rule", False)


@dataclass(frozen=True, kw_only=True)
class Relation(Node):
    """A reference to another resource (to-one), or the rows that refer back or are linked (to-many)."""

    SHORT: ClassVar[str | None] = "to"
    to: ResourceRef = word("the other resource; `account` is the host's user")
    doc: str | None = word("what it means, for the documentation", None)
    many: bool = word(
        "many rows: those that point back (`by`), or linked through a table of their own", False
    )
    by: Name | None = word(
        "with `many`: the to-one relation over there; to one account: `id`, `number` or `hex`", None
    )
    through: str | None = word("name of a many-to-many relation's table", None)
    first: First | None = word(
        "with `many` and `by`: a row over there that is made together with this one", None
    )
    required: bool = word("must be given on create, and is never null", False)
    on_delete: Literal["restrict", "cascade", "set_null"] = word(
        "what happens here when the other row goes", "restrict"
    )
    same_owner: bool = word("the other row must have the same owner", False)
    same: tuple[Name, ...] = word("relations and fields of which the other row must have the same values", ())
    match: Match | None = word("with `many`: given and answered as texts, such as names of tags", None)
    set: Literal["server", "once"] | None = word(
        "`server`: only the server sets it; `once`: only on create", None
    )
    read: AnyOf = word("who sees it, if not everyone who sees the row", ())
    write: AnyOf = word("who may set it, if not everyone who may write the row", ())
    unique: bool = word("at most one row here for each over there", False)
    column: str | None = word("name of the column, by default `<relation>_id`", None)
    was: Name | None = word("the former name", None)
    account: Literal["id", "number", "hex"] | None = (
        None  # the linker's: the form of the account's key that it stores
    )


# --- mixins -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Owned(Node):
    """The row belongs to the account that made it; gives the word `owner` its meaning."""

    name: Name = word("name of the relation", "owner", alias="as")
    to: ResourceRef = word("the account, or the resource with `identity` that stands for it", "account")
    column: str | None = word("name of the column, by default `<as>_id`", None)
    by: Literal["id", "number", "hex"] = word("which form of the account's key is stored and answered", "id")
    on_delete: Literal["restrict", "cascade"] = word(
        "what happens to the row when the account goes", "cascade"
    )


@dataclass(frozen=True, kw_only=True)
class Stamped(Node):
    """When the row was made and last changed."""

    created: Name = word("name of the field", "created_at")
    updated: Name | None = word("name of the field; null for rows that never change", "updated_at")


@dataclass(frozen=True, kw_only=True)
class SoftDelete(Node):
    """Deleting marks the row; every surface then behaves as if it were gone."""

    name: Name = word("name of the field that holds when", "deleted_at", alias="as")


@dataclass(frozen=True, kw_only=True)
class Versioned(Node):
    """A number that every write increases; the strong ETag is made of it."""

    name: Name = word("name of the field", "version", alias="as")
    required: bool = word("writes without `If-Match` answer 428", False)


@dataclass(frozen=True, kw_only=True)
class Mixins(Node):
    """Written as a list of names, of `{name: parameters}`, or as a mapping."""

    owned: Owned | None = word("the row has an owner", None)
    stamped: Stamped | None = word("the row knows when it was made and changed", None)
    soft_delete: SoftDelete | None = word("deleted rows are kept, unseen", None)
    versioned: Versioned | None = word("the row counts its versions", None)


# --- resources --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class IdentityTable(Node):
    """The table is a user table that another system reads and writes, too: every account has a row in it."""

    key: Literal["number", "id", "hex"] = word("which form of an account's key is the row's key", "number")
    username: FieldRef = word("the field that holds the user name")
    email: FieldRef | None = word("the field that holds the e-mail address", None)
    password: FieldRef = word("the field that holds the hash of the password")
    active: FieldRef | None = word("the field that says whether the account may sign in", None)
    hashes: tuple[Literal["argon2id", "2b", "pbkdf2_sha256", "argon2", "bcrypt_sha256", "bcrypt"], ...] = (
        word(
            "the formats of hashes that the other system verifies, by the word they begin with; the first is preferred"
        )
    )
    first_name: FieldRef | None = word("the field that holds the first name", None)
    last_name: FieldRef | None = word("the field that holds the last name", None)
    last_login: FieldRef | None = word("the field that holds when the account signed in last", None)
    joined: FieldRef | None = word("the field that holds when the account was made", None)
    avatar: FieldRef | None = word("the field that holds the account's picture", None)


@dataclass(frozen=True, kw_only=True)
class Unique(Node):
    """Fields whose values together occur once."""

    SHORT: ClassVar[str | None] = "fields"
    fields: tuple[FieldRef, ...] = word("the fields and to-one relations")
    where: Expression | None = word("only among rows for which this holds", None)
    lower: tuple[FieldRef, ...] = word("texts of `fields` compared without regard to case", ())
    unordered: tuple[FieldRef, ...] = word(
        "two of `fields` whose order does not count: a pair is its reverse", ()
    )


@dataclass(frozen=True, kw_only=True)
class Index(Node):
    """Fields that are looked up or sorted together."""

    SHORT: ClassVar[str | None] = "fields"
    fields: tuple[SortRef, ...] = word("the fields and to-one relations, `-` in front for descending")
    where: Expression | None = word("only rows for which this holds", None)


@dataclass(frozen=True, kw_only=True)
class Check(Node):
    """A condition over several fields of one row, held by the database and checked before."""

    SHORT: ClassVar[str | None] = "that"
    that: Expression = word("what has to hold")
    message: str | None = word("what the caller is told", None)
    at: FieldRef | None = word("the field that the error points at", None)


@dataclass(frozen=True, kw_only=True)
class Page(Node):
    """How long an answered list is."""

    default: int = word("rows when the caller asks for nothing", 50)
    max: int = word("the most rows that the caller may ask for", 200)


@dataclass(frozen=True, kw_only=True)
class Search(Node):
    """What `q` looks into: any part of some texts, row by row, or the words of some, in an index, best matches first."""

    SHORT: ClassVar[str | None] = "texts"
    texts: tuple[FieldRef, ...] = word("texts of which any part is found", ())
    fields: Mapping[FieldRef, Literal["A", "B", "C", "D"]] = word(
        "texts whose words are kept in an index, and what a word in them weighs: `A` the most, `D` the least",
        {},
    )
    language: Literal["simple"] = word(
        "how words become equal: `simple` leaves case and accents out and nothing else", "simple"
    )

    @property
    def names(self) -> tuple[str, ...]:
        """Everything that is looked into."""
        return self.texts or tuple(self.fields)


@dataclass(frozen=True, kw_only=True)
class Query(Node):
    """What a list may be asked for. Only what stands here can be filtered, sorted, searched or expanded."""

    filter: tuple[FieldRef, ...] = word("fields and to-one relations that can be filtered by", ())
    sort: tuple[FieldRef, ...] = word("fields that can be sorted by", ())
    default_sort: tuple[SortRef, ...] = word("the order when none is asked for, else by key", ())
    search: Search = word("what `q` looks into", Search())
    expand: tuple[Name, ...] = word("relations that can be embedded", ())
    page: Page = word("the size of a page", Page())


@dataclass(frozen=True, kw_only=True)
class Limits(Node):
    """How often one caller may ask, each counted by itself: an account, or an address where nobody is signed in."""

    SHORT: ClassVar[str | None] = "every"
    every: RateText | None = word("all operations and actions of the resource together", None)
    read: RateText | None = word("list, get, export and downloads together", None)
    write: RateText | None = word("create, update, delete, bulk, import and uploads together", None)
    list: RateText | None = word("lists", None)
    get: RateText | None = word("reading one row", None)
    create: RateText | None = word("creating, in bulk too", None)
    update: RateText | None = word("changing, in bulk too", None)
    delete: RateText | None = word("deleting, in bulk too", None)
    bulk: RateText | None = word("requests about many rows", None)
    export: RateText | None = word("exports", None)
    import_: RateText | None = word("imports", None, alias="import")


@dataclass(frozen=True, kw_only=True)
class Access(Node):
    """Who may do what: for each operation a rule, or a list of rules of which any has to hold. Nothing is open by default."""

    SHORT: ClassVar[str | None] = "every"
    every: AnyOf = word("for every operation that has no rule of its own", ())
    read: AnyOf = word("for list and get", ())
    write: AnyOf = word("for create, update and delete", ())
    list: AnyOf = word("which rows a list shows", ())
    get: AnyOf = word("which rows can be read", ())
    create: AnyOf = word("which rows can be made", ())
    update: AnyOf = word("which rows can be changed, and what they may become", ())
    delete: AnyOf = word("which rows can be deleted", ())


@dataclass(frozen=True, kw_only=True)
class Idempotency(Node):
    """How an operation takes an `Idempotency-Key`."""

    SHORT: ClassVar[str | None] = "required"
    required: bool = word("without the key the answer is 400", False)
    repeat: int | None = word("status of a repeat, if not that of the first answer", None)


@dataclass(frozen=True, kw_only=True)
class Action(Node):
    """An operation of the plugin's own on one row (`item`) or on the collection."""

    target: Literal["item", "collection"] = word("what it is called on", "item")
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = word("the HTTP method", "POST")
    path: PathTemplate | None = word("below the resource's or row's path; by default the action's name", None)
    call: CallRef = word(
        "the function: `actions.send` is `send(ctx, row, data)`, on a collection `send(ctx, data)`"
    )
    access: AnyOf = word("who may call it; on an item a rule over the row")
    input: Field | None = word("type of the body, of the query string with GET", None, alias="in")
    out: Field | None = word("type of the answer: a type, a resource, `none`, `file` or `stream`", None)
    status: int | None = word("status of the answer; by default 200, or 204 for `none`", None)
    write: bool | None = word("runs in a writing transaction; by default unless the method is GET", None)
    detached: bool = word(
        "runs outside of a transaction, for what waits on other servers; opens its own by `ctx.reading()`",
        False,
    )
    job: bool = word("carried out by a job; the answer is 202 with the `Location` of the job", False)
    emits: tuple[Name, ...] = word(
        "events of the resource that success emits, made of input, answer and row", ()
    )
    unknown: Literal["refuse", "ignore"] | None = word(
        "input keys nobody declared; by default as the wire says", None
    )
    idempotency: Idempotency = word("how an `Idempotency-Key` counts", Idempotency())
    limit: RateText | None = word("how often one caller may ask, on servers: `10/minute`", None)
    doc: str | None = word("what it does, for the documentation", None)


@dataclass(frozen=True, kw_only=True)
class WireErrors(Node):
    """The outer form of errors: always problem+json, with extra keys and other statuses where clients expect them."""

    keys: tuple[str, ...] = word("further keys that hold the text: `error`, `message`, `msg`, `detail`", ())
    constants: Mapping[str, Any] = word("further keys with a constant value: `{success: false}`", {})
    status: Mapping[
        Literal[
            "invalid",
            "duplicate",
            "not_found",
            "hidden",
            "malformed_key",
            "referenced",
            "forbidden",
            "bad_request",
            "reference",
        ],
        int,
    ] = word(
        "another status for a named case; `hidden` is a row that exists, unseen: not found, if nothing is said; `reference` is "
        "input that is wrong in nothing but that it refers to what is not there",
        {},
    )


@dataclass(frozen=True, kw_only=True)
class Credential(Node):
    """How callers may say who they are, beside a token in the header, which always counts."""

    cookie: bool = word(
        "cookies of a sign-in count; what changes something then needs the CSRF header", False
    )
    csrf_cookie: str = word("name of the cookie that pages read the CSRF token from", "hostwright_csrf")
    csrf_header: str = word("name of the header that they send it in", "X-CSRF-Token")


Identity = Literal[
    "sign_up", "sign_in", "sign_out", "sign_out_all", "me", "update_me", "change_password", "refresh", "sessions",
    "end_session", "accounts", "account", "make_account", "change_account", "remove_account", "set_password",
]  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Endpoint(Node):
    """An operation that belongs to no resource."""

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = word("the HTTP method", "POST")
    path: PathTemplate = word("the absolute path")
    call: CallRef | None = word("the function: `actions.generate` is `generate(ctx, data)`", None)
    identity: Identity | None = word("instead of `call`: what the host does with the caller's account", None)
    access: AnyOf = word("who may call it; a rule over the actor alone; with `identity` the host says it", ())
    input: Field | None = word("type of the body, of the query string with GET", None, alias="in")
    out: Field | None = word("type of the answer: a type, a resource, `none`, `file` or `stream`", None)
    status: int | None = word("status of the answer; by default 200, or 204 for `none`", None)
    write: bool | None = word("runs in a writing transaction; by default unless the method is GET", None)
    detached: bool = word(
        "runs outside of a transaction, for what waits on other servers; opens its own by `ctx.reading()`",
        False,
    )
    like: WireRef | None = word("a named wire that `unknown`, `errors` and `credential` are taken from", None)
    unknown: Literal["refuse", "ignore"] = word("input keys nobody declared", "refuse")
    errors: WireErrors = word("the form of errors", WireErrors())
    media: tuple[Literal["json", "form"], ...] = word(
        "what bodies are read: JSON, forms of web pages", ("json",)
    )
    alone: bool = word("served only with `--only`, there also in place of the host's own sign-in", False)
    credential: Credential | None = word("how callers may say who they are, beside a token", None)
    by: Literal["id", "number", "hex"] | None = word("with `identity`: the form of the account's key", None)
    message: str | None = word("with `identity`: the text of `message`", None)
    token: Any = word("with `identity`: seconds that its token counts, or the setting that holds them", None)
    cookies: bool = word("with `identity`: signs in by cookies, and answers no token", False)
    redirect: PathTemplate | None = word("with `identity`: where a form is sent on to, with 303", None)
    role: Name | None = word("with `identity: sign_in`: admits accounts with this role alone", None)
    idempotency: Idempotency = word("how an `Idempotency-Key` counts", Idempotency())
    limit: RateText | None = word("how often one caller may ask, on servers: `10/minute`", None)
    doc: str | None = word("what it does, for the documentation", None)


# --- wires ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class WireList(Node):
    """The outer shape of a list."""

    SHORT: ClassVar[str | None] = "form"
    form: Literal["standard", "array"] = word(
        "`standard`: `{items, next}`; `array`: the bare array", "standard"
    )
    key: str | None = word("instead of `items`: the key under which the rows stand", None)
    sort: tuple[SortRef, ...] = word("the order of this wire, if not `query.default_sort`", ())
    pages: Literal["cursor", "number", "offset"] = word(
        "`number`: `?page=&page_size=` with a total; `offset`: `?limit=&offset=`", "cursor"
    )


@dataclass(frozen=True, kw_only=True)
class WirePage(Node):
    """How this wire pages."""

    unpaged: int | None = word(
        "answer up to so many rows at once; beyond, the newest in the wire's order, with a Link", None
    )


@dataclass(frozen=True, kw_only=True)
class WireName(Node):
    """The outer name of a field."""

    SHORT: ClassVar[str | None] = "name"
    name: str = word("its name in answers, input and query")
    accept: tuple[str, ...] = word("further names taken in input and query", ())


@dataclass(frozen=True, kw_only=True)
class WireOperation(Node):
    """How one operation answers."""

    SHORT: ClassVar[str | None] = "status"
    status: int | None = word("status of success", None)
    body: Literal["row", "message", "id_message", "id", "null", "none"] | None = word(
        "what success answers", None
    )
    message: str | None = word("the text of `message`", None)
    also: tuple[FieldRef, ...] = word("further fields of the row beside `id` and `message`", ())
    methods: tuple[Literal["POST", "PUT", "PATCH", "DELETE"], ...] = word(
        "the methods; by default the standard ones", ()
    )
    partial: bool | None = word("whether keys left out keep their value; by default with PATCH only", None)
    idempotency: Idempotency = word("with `create`: how an `Idempotency-Key` counts", Idempotency())


@dataclass(frozen=True, kw_only=True)
class WireValues(Node):
    """The outer form of values."""

    datetime: Literal["iso", "naive", "epoch", "epoch_ms"] = word(
        "instants as RFC 3339 texts, as such texts in UTC that do not say so, or as numbers since 1970", "iso"
    )
    decimal: Literal["string", "number"] = word("decimals as exact texts or JSON numbers", "string")
    duration: Literal["iso", "seconds", "minutes"] = word("durations as ISO 8601 texts or numbers", "iso")
    naive: str | None = word("zone of times that come without one, e.g. `UTC`; else they are refused", None)
    lenient_dates: bool = word("dates are taken from RFC 3339 times too, instants from dates", False)
    file: Literal["object", "url", "path"] = word(
        "files as `{url, name, size, type}`, as the address alone, or as the path in the storage", "object"
    )
    blank: Literal["refuse", "none"] = word(
        "`none`: an empty text means null where no text is wanted, and an empty filter none, as forms of web pages send them",
        "refuse",
    )


@dataclass(frozen=True, kw_only=True)
class WireParameter(Node):
    """A query parameter of a name of its own that filters a list, or searches it."""

    SHORT: ClassVar[str | None] = "field"
    field: FieldRef | None = word(
        "the field or to-one relation, also of a related row: `project.client`", None
    )
    operator: Literal[
        "eq", "ne", "gt", "gte", "lt", "lte", "in", "null", "contains", "starts", "search", "phrase"
    ] = word(
        "how it is compared; `lte` and `gt` with a day mean its end; without a field `search` looks for words as `q` does, "
        "`phrase` for the text as a whole",
        "eq",
    )


@dataclass(frozen=True, kw_only=True)
class WireEmbed(Node):
    """A related row, or related rows, that stand in every answered row; only those that the actor may get."""

    SHORT: ClassVar[str | None] = "show"
    show: tuple[FieldRef, ...] = word(
        "the fields of the related row, also of one that it leads to: `user.username`"
    )
    relation: Name | None = word("the relation, if the key is not its name", None)
    names: Mapping[str, str] = word(
        "outer names of shown fields; of a dotted one by default the last step", {}
    )
    sort: tuple[SortRef, ...] = word("the order of several, by default by key", ())


@dataclass(frozen=True, kw_only=True)
class WireUpload(Node):
    """How storing a file answers."""

    methods: tuple[Literal["PUT", "POST"], ...] = word("the methods", ("PUT", "POST"))
    status: int = word("status of success", 200)
    body: Literal["value", "row", "message", "message_value", "none"] = word(
        "what success answers: the file as answers show it, the row, `{message}`, or `{message, <field>}`",
        "value",
    )
    message: str | None = word("the text of `message`", None)


@dataclass(frozen=True, kw_only=True)
class WireClear(Node):
    """How removing a file answers."""

    status: int | None = word("status of success; by default 204 without and 200 with a body", None)
    body: Literal["none", "row", "message"] = word("what success answers", "none")
    message: str | None = word("the text of `message`", None)


@dataclass(frozen=True, kw_only=True)
class WireFile(Node):
    """The operations of one file field below a row's path."""

    path: str | None = word("the last segment of the path, by default the field's outer name", None)
    part: str | None = word("the part of multipart/form-data, by default the field's outer name", None)
    operations: tuple[Literal["download", "upload", "clear", "link"], ...] | None = word(
        "which there are; by default all that the wire's own operations allow", None
    )
    upload: WireUpload = word("how upload answers", WireUpload())
    clear: WireClear = word("how clear answers", WireClear())


@dataclass(frozen=True, kw_only=True)
class Wire(Node):
    """The outer shape of a resource, for clients that exist already. Presentation only."""

    like: WireRef | None = word("a named wire from which what is not written here is taken", None)
    path: PathTemplate | None = word(
        "the collection's path, by default the resource's; `{relation}` in it fixes a required relation", None
    )
    paths: tuple[PathTemplate, ...] = word("further paths of the same operations", ())
    item: PathTemplate | None = word(
        "a row's path, with its key in braces, where it is not below the collection's", None
    )
    slash: Literal["strict", "both"] = word(
        "`both`: paths are served with and without a slash at the end", "strict"
    )
    by: FieldRef | None = word(
        "what tells a row in this wire's paths in place of its key; unique together with what the path fixes",
        None,
    )
    operations: tuple[Key, ...] | None = word("the operations and actions of this wire, by default all", None)
    list: WireList = word("the shape of a list", WireList())
    page: WirePage = word("how lists are paged", WirePage())
    names: Mapping[str, WireName] = word("outer names of fields", {})
    parameters: Mapping[Key, WireParameter] = word("further query parameters of lists", {})
    also: Mapping[str, str] = word("further output keys: `{_id: id}` repeats `id` as `_id`", {})
    through: Mapping[str, FieldRef] = word(
        "output keys read through a to-one relation: `{author: owner.username}`", {}
    )
    embed: Mapping[str, WireEmbed] = word(
        "related rows in every answer, in place of their keys: `{tags: [id, name]}`", {}
    )
    constants: Mapping[str, Any] = word("output keys with a constant value", {})
    hide: tuple[FieldRef, ...] = word("fields that this wire neither shows nor takes", ())
    values: WireValues = word("the form of values", WireValues())
    units: Mapping[FieldRef, Literal["seconds", "minutes", "iso"]] = word("the unit of single durations", {})
    create: WireOperation = word("how create answers", WireOperation())
    update: WireOperation = word("how update answers", WireOperation())
    delete: WireOperation = word("how delete answers", WireOperation())
    files: Mapping[FieldRef, WireFile] = word("the operations of file fields", {})
    unknown: Literal["refuse", "ignore"] = word("input keys nobody declared", "refuse")
    errors: WireErrors = word("the form of errors", WireErrors())
    credential: Credential | None = word("how callers may say who they are, beside a token", None)


@dataclass(frozen=True, kw_only=True)
class Audit(Node):
    """What of a resource's writes the audit log notes."""

    SHORT: ClassVar[str | None] = "writes"
    writes: bool = word("whether they are noted at all", True)
    fields: tuple[Name, ...] = word("note the changes of these fields and relations alone", ())
    values: bool = word("`false`: note which fields have changed, not their values", True)


@dataclass(frozen=True, kw_only=True)
class LogWords(Node):
    """How the log names what has happened."""

    created: str = word("a row was made", "created")
    updated: str = word("fields of it were changed", "updated")
    deleted: str = word("it was deleted", "deleted")
    undo: str = word("an event was taken back", "undo")


@dataclass(frozen=True, kw_only=True)
class LogUndo(Node):
    """Events can be taken back by an event that names them."""

    of: Key = word("the key of the event's data that holds the id of the event to be taken back", "of")
    within: int = word("at most so many seconds later, by the times of the two events", 5)


@dataclass(frozen=True, kw_only=True)
class Snapshots(Node):
    """States of a row that are kept, so that not all of its events have to be read again."""

    every: int = word("after so many events of a row", 10)
    keep: int = word("the last so many of a row", 5)


@dataclass(frozen=True, kw_only=True)
class Log(Node):
    """Rows that are events: added, never changed, numbered for each owner. Other resources are made of them."""

    id: FieldRef = word("the field with the event's id, which whoever makes it may choose; a uuid")
    type: FieldRef = word("the field that says which resource it is about")
    key: FieldRef = word("the field with the key of the row that it is about; a uuid")
    event: FieldRef = word("the field that says what has happened, by one of `words`")
    data: FieldRef = word("the field with the values; json")
    at: FieldRef = word("the field with the time at which it happened, by the clock of the device")
    received: FieldRef = word(
        "the field with the time at which the host added it; for one owner each is later than the one before"
    )
    version: FieldRef | None = word(
        "the field with the version of the row that it makes: the number of its events", None
    )
    words: LogWords = word("how `event` names what has happened", LogWords())
    undo: LogUndo | None = word("whether and how long events can be taken back", None)
    snapshots: Snapshots | None = word("which states of a row are kept", Snapshots())
    conflict: Literal["last_writer", "reject", "merge_fields"] = word(
        "of changes that did not know of each other: `last_writer`: the later one counts, field by field; `reject`: one that "
        "is based on an older version is refused; `merge_fields`: unless it changes other fields than those changed since",
        "last_writer",
    )
    ahead: int = word("seconds that the clock of a device may be ahead; later times are taken for now", 300)
    previous: Key | None = word(
        "the key of the data under which the host notes what changed fields held before", "previous_values"
    )
    digest: Name = word(
        "name of the field, made by the host, that tells the same event from another one", "digest"
    )


@dataclass(frozen=True, kw_only=True)
class Logged(Node):
    """The rows are made of the events of a log: every write adds one, in the same transaction."""

    SHORT: ClassVar[str | None] = "log"
    log: ResourceRef = word("the resource with `log`, of the same owner", alias="in")
    name: str | None = word("how the log names this resource, by default as it is called", None, alias="as")
    notes: CallRef | None = word(
        "`notes(ctx, row)` answers what else the data of an event tell, after each write here; `row` has `owner` and `id`",
        None,
    )
    absent: Mapping[Name, Any] = word(
        "values that an event of a device may leave out which makes a row: `{type: money}`; `at` is its time, of a date the day",
        {},
    )


@dataclass(frozen=True, kw_only=True)
class Sync(Node):
    """Devices that were away push what they did meanwhile, and pull what they missed."""

    SHORT: ClassVar[str | None] = "offered"
    offered: bool = word("whether it is", True)
    push: tuple[PathTemplate, ...] = word("the paths of push, below the resource's or absolute", ("push",))
    pull: tuple[PathTemplate, ...] = word("the paths of pull", ("pull",))
    hash: tuple[PathTemplate, ...] = word("the paths of hash", ("hash",))
    events: tuple[PathTemplate, ...] = word("paths of a bare list of events, `?since=` a time", ())
    most: int = word("the most events in one push or pull", 10000)


@dataclass(frozen=True, kw_only=True)
class Resource(Node):
    """A model and its REST endpoints."""

    doc: str | None = word("what it is, for the documentation", None)
    path: PathTemplate | None = word(
        "the collection's path, by default `/api/<plugin>/<plural>`; `{relation}` in it fixes a required relation",
        None,
    )
    plural: Name | None = word("the plural, when adding an s is wrong", None)
    table: str | None = word("name of the table, by default `<plugin>_<resource>`", None)
    key: Literal["uuid7", "uuid4", "int", "hex24", "string"] | tuple[Name, ...] = word(
        "the kind of key, or the fields that are it", "uuid7"
    )
    mixins: Mixins = word("behaviour and fields that many resources share", Mixins())
    fields: Mapping[Name, Field] = word("the values", {})
    relations: Mapping[Name, Relation] = word("the references", {})
    unique: tuple[Unique, ...] = word("what occurs once", ())
    indexes: tuple[Index, ...] = word("what is looked up fast", ())
    checks: tuple[Check, ...] = word("conditions over several fields", ())
    query: Query = word("what lists can be asked for", Query())
    operations: tuple[
        Literal["list", "get", "create", "update", "delete", "bulk", "export", "import", "history"], ...
    ] = word(
        "the generated operations; `history` has to be asked for",
        ("list", "get", "create", "update", "delete", "bulk", "export", "import"),
    )
    access: Access | None = word("who may do what", None)
    limits: Limits = word("how often one caller may ask, on servers", Limits())
    audit: Audit = word("what of its writes the audit log notes", Audit())
    prepare: CallRef | None = word(
        "`prepare(ctx, change)` completes or refuses a write before it is stored", None
    )
    actions: Mapping[Name, Action] = word("operations of the plugin's own", {})
    events: Mapping[Name, Mapping[Key, Field]] = word(
        "events of the plugin's own and their data, beside `created`, `updated` and `deleted`", {}
    )
    wire: Wire | None = word("short for one wire", None)
    wires: Mapping[Name, Wire] = word("outer shapes by name", {})
    was: Name | None = word("the former name: the table is renamed, nothing is lost", None)
    identity: IdentityTable | None = word("the table holds the accounts of another system, too", None)
    stored: Literal["host", "django"] = word(
        "how the columns hold values: `django` for tables that Django uses, too", "host"
    )
    log: Log | None = word("the rows are events, of which rows of other resources are made", None)
    logged: Logged | None = word("the rows are made of the events of a log", None)
    sync: Sync | None = word(
        "devices push and pull its changes; on a log those of all that are made of it", None
    )


# --- events, jobs, schedules ------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Retry(Node):
    """What happens after a failure: the wait grows from try to try."""

    SHORT: ClassVar[str | None] = "times"
    times: int = word("how often it is tried again; after that it lies in the dead-letter list", 3)
    wait: int = word("seconds before it is tried again for the first time", 10)
    backoff: int = word("what the wait is multiplied by from try to try", 2)
    jitter: int = word("percent of the wait that are left to chance", 10)


@dataclass(frozen=True, kw_only=True)
class Job(Node):
    """Work that a worker does after the transaction that wanted it has been committed."""

    SHORT: ClassVar[str | None] = "call"
    call: CallRef = word("the function: `jobs.send` is `send(ctx, data)`, without `in` it is `send(ctx)`")
    input: Field | None = word("the type of its arguments, an object", None, alias="in")
    out: Field | None = word("the type of its result", None)
    queue: Name = word("the queue that it waits in", "default")
    timeout: int = word("seconds after which it is ended", 60)
    retry: Retry = word("what happens after a failure", Retry())
    unique: bool = word("at most one with the same arguments waits or runs; another is the same one", False)
    concurrency: int | None = word("at most so many of it run at once, on all workers together", None)
    transaction: Literal["whole", "steps"] = word(
        "`whole`: one transaction, short and without network; `steps`: each `ctx.step(key, work)` is one, for all that waits",
        "whole",
    )
    run_as: Literal["caller", "system"] = word(
        "with the rights of the account that wanted it, or without rules", "caller"
    )
    priority: int = word("of those that wait in a queue, the highest comes first", 0)
    keep: int = word("days that one is kept after it has ended", 7)
    sealed: bool = word(
        "its arguments hold secrets: encrypted while they wait, shown to nobody, then erased", False
    )
    doc: str | None = word("what it does, for the documentation", None)


@dataclass(frozen=True, kw_only=True)
class Schedule(Node):
    """When a job is to run by itself."""

    job: JobRef = word("the job: of the same plugin, or one of the host, as `host.sweep_files`")
    cron: str = word("minute, hour, day of the month, month, day of the week: `0 2 * * *`")
    zone: str = word("the time zone that `cron` is read in", "UTC")
    jitter: int = word("seconds within which the start is left to chance", 0)
    missed: Literal["skip", "run_once", "run_all"] = word(
        "what was missed while nothing ran: nothing of it, once for all of it, or each time (the newest 100)",
        "run_once",
    )
    overlap: Literal["skip", "queue", "allow"] = word(
        "while the one before has not ended: `skip` this time, `queue` behind it, or `allow` both at once",
        "skip",
    )
    data: Mapping[str, Any] = word("the job's arguments", {})
    doc: str | None = word("what it is for, for the documentation", None)


@dataclass(frozen=True, kw_only=True)
class Webhook(Node):
    """An address that events are sent to, signed as Standard Webhooks has it."""

    url: Name = word("the setting of the plugin that holds the address; while it is empty nothing is sent")
    secret: Name = word(
        "the setting that holds the secret of the signature, `whsec_…`; several between spaces while it is replaced"
    )
    fields: tuple[Name, ...] = word(
        "send these fields alone, also such with a `read` rule; by default all that are read by everyone who sees the row",
        (),
    )


@dataclass(frozen=True, kw_only=True)
class Subscriber(Node):
    """What is called when an event has happened."""

    SHORT: ClassVar[str | None] = "call"
    call: CallRef | None = word("the function: `events.notify` is `notify(ctx, event)`", None)
    webhook: Webhook | None = word("instead of `call`: an address that the event is sent to", None)
    when: Literal["in_transaction", "after_commit"] = word(
        "in the transaction, which a failure rolls back; or after it by a job, at least once and in order per row",
        "after_commit",
    )
    queue: Name = word("with `after_commit`: the queue that it waits in", "default")
    timeout: int = word("with `after_commit`: seconds after which it is ended", 60)
    retry: Retry = word("with `after_commit`: what happens after a failure", Retry(times=8))
    transaction: Literal["whole", "steps"] = word("with `after_commit`: as of a job", "whole")
    doc: str | None = word("what it does, for the documentation", None)
    plugin: str = ""  # the linker's: whose code it is


# --- rules, settings, files -------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class RuleExample(Node):
    """A case that `hostwright check` decides."""

    actor: Mapping[str, Any] | None = word(
        "who asks: account fields, `roles`; nobody if null", None, alias="as"
    )
    row: Mapping[str, Any] = word("the row's values; the owner by id", {})
    expect: Literal["allow", "deny"] = word("what the rule has to say")


@dataclass(frozen=True, kw_only=True)
class Rule(Node):
    """A predicate over a row and the actor, by name."""

    SHORT: ClassVar[str | None] = "when"
    when: AnyOf = word("what has to hold")
    doc: str | None = word("the reason, for `hostwright explain`", None)
    resource: ResourceRef | None = word("the resource its examples are about, if several use it", None)
    examples: tuple[RuleExample, ...] = word("cases, tested by `hostwright check`", ())


@dataclass(frozen=True, kw_only=True)
class Extension(Node):
    """What a plugin adds to a resource of the host."""

    fields: Mapping[Name, Field] = word("further fields, which rules see as `me.…`", {})


@dataclass(frozen=True, kw_only=True)
class Extend(Node):
    """The resources of the host that a plugin can add to."""

    account: Extension = word("the account of every user", Extension())


@dataclass(frozen=True, kw_only=True)
class Declarations(Node):
    """A `resources.yaml` of a plugin, or one file of its `resources/` folder."""

    grammar: Literal[1] = word("the version of the language")
    rules: Mapping[Name, Rule] = word("named rules", {})
    types: Mapping[Name, TypeNode] = word("named types", {})
    resources: Mapping[Name, Resource] = word(
        "the resources", {}, flat=True
    )  # problems say `invoice.…` alone
    endpoints: Mapping[Name, Endpoint] = word("operations of no resource", {})
    subscribers: Mapping[str, tuple[Subscriber, ...]] = word(
        "what is called when events happen: `{freelance.invoice.sent: [events.notify]}`", {}
    )
    jobs: Mapping[Name, Job] = word("work that is done by workers", {})
    schedules: Mapping[Name, Schedule] = word("when jobs run by themselves", {})
    wires: Mapping[Name, Wire] = word("named wires, for others to be `like` them", {})
    extend: Extend = word("what the plugin adds to resources of the host", Extend())


@dataclass(frozen=True, kw_only=True)
class SiteInfo(Node):
    """What this installation is and which plugins it runs."""

    name: str = word("the name, shown in the documentation")
    plugins: tuple[str, ...] = word("the enabled plugins", ())


@dataclass(frozen=True, kw_only=True)
class Site(Declarations):
    """The root `resources.yaml`: the site's table of contents, and resources without a plugin (they belong to `site`)."""

    site: SiteInfo = word("what this installation is")
    settings: Mapping[str, Mapping[str, Any]] = word("values of the plugins' settings", {})


@dataclass(frozen=True, kw_only=True)
class Manifest(Node):
    """A `plugin.yaml`."""

    name: Name = word("the plugin's name")
    version: str = word("the plugin's version")
    doc: str | None = word("what it is for", None)
    host: str = word("the versions of the host it works with, e.g. `>=0.1,<1`", "")
    depends: tuple[str, ...] = word("plugins that must be enabled too, and come first", ())
    settings: Mapping[Name, Field] = word("its settings, typed, with defaults", {})
    quality: Literal["bronze", "silver", "gold"] | None = word("what it claims on the quality scale", None)


# --- what the linker answers ------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Plugin:
    """An enabled plugin with what it declares; `package` imports its code (None for the site without code)."""

    name: str
    manifest: Manifest
    declarations: Declarations
    package: str | None = None
    folder: Path | None = None  # where it lies: its code, its migrations
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Declaration:
    """Everything declared, linked: keys are qualified names (`freelance.invoice`), plugins in dependency order."""

    site: SiteInfo
    plugins: tuple[Plugin, ...]
    rules: Mapping[str, Rule]
    types: Mapping[str, TypeNode]
    resources: Mapping[str, Resource]
    endpoints: Mapping[str, Endpoint]
    subscribers: Mapping[str, tuple[Subscriber, ...]]  # by the qualified name of the event
    jobs: Mapping[str, Job]
    schedules: Mapping[str, Schedule]
