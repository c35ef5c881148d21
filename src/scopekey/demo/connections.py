"""Connections over HTTP. A credential goes in and never comes out: not for Read Connections either."""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, ClassVar, cast

from fastapi import APIRouter, Depends, Request, Response
from fastapi import Path as InPath
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from scopekey.demo.connection_settings import Settings
from scopekey.demo.connection_store import Connection, ConnectionStore
from scopekey.demo.outbox import Outbox
from scopekey.demo.paging import After, Limit, Page, page_of
from scopekey.demo.problems import refusals
from scopekey.demo.text import Name
from scopekey.enforce.fastapi import requires

router: APIRouter = APIRouter(prefix="/connections", tags=["Connections"])

Credential = Annotated[SecretStr, Field(min_length=1, max_length=4_000, description="Stored, and never shown again.")]


class NewConnection(BaseModel):
    """A connection to make: a name, where it leads, and what opens that place."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    name: Name = Field(examples=["Warehouse"])
    settings: Settings
    credential: Credential | None = None


class ConnectionChange(BaseModel):
    """What may change. What is left out stays; where it leads changes only together with the credential."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    name: Name | None = None
    settings: Settings | None = None
    credential: Credential | None = None


class ConnectionView(BaseModel):
    """A connection, without its credential."""

    id: int = Field(examples=[3])
    name: str = Field(examples=["Warehouse"])
    settings: Settings
    credential_set_at: datetime | None = Field(description="When a credential was stored; null where there is none.")
    created_at: datetime
    updated_at: datetime


class ConnectionChanged(BaseModel):
    """Which connection was made or changed, and when."""

    id: int = Field(examples=[3])
    updated_at: datetime


class ConnectionTest(BaseModel):
    """Whether a connection looks usable from here: nobody was called."""

    connection_id: int = Field(examples=[3])
    usable: bool
    faults: list[str] = Field(examples=[["A connection to postgres needs a credential, and has none."]])


class DeliveryView(BaseModel):
    """A dataset that was handed over to a connection."""

    id: int = Field(examples=[11])
    dataset_id: int = Field(examples=[42])
    row_count: int = Field(examples=[10_000])
    created_at: datetime


def _store(request: Request) -> ConnectionStore:
    return cast("ConnectionStore", request.app.state.connections)


def _outbox(request: Request) -> Outbox:
    return cast("Outbox", request.app.state.outbox)


Store = Annotated[ConnectionStore, Depends(_store)]
ConnectionNumber = Annotated[int, InPath(ge=1, le=2**62, description="The connection's number.")]
READ, WRITE = "connections:read", "connections:write"


@router.post("", status_code=HTTPStatus.CREATED, dependencies=[requires(WRITE)], responses=refusals(507))
def create_connection(new: NewConnection, store: Store, response: Response) -> ConnectionChanged:
    """Make a connection."""
    connection = store.create(new.name, new.settings, _text(new.credential))
    response.headers["Location"] = f"/connections/{connection.id}"
    return _changed(connection)


@router.get("", dependencies=[requires(READ)], responses=refusals())
def list_connections(store: Store, limit: Limit = 100, after: After = 0) -> Page[ConnectionView]:
    """List the connections."""
    found = [_view(connection) for connection in store.page(after=after, limit=limit + 1)]
    return page_of(found, limit, lambda view: view.id)


@router.get("/{connection_id}", dependencies=[requires(READ, object="connection_id")], responses=refusals(404))
def get_connection(connection_id: ConnectionNumber, store: Store) -> ConnectionView:
    """Show a connection."""
    return _view(store.get(connection_id))


@router.patch(
    "/{connection_id}", dependencies=[requires(WRITE, object="connection_id")], responses=refusals(404, 409, 507)
)
def update_connection(connection_id: ConnectionNumber, change: ConnectionChange, store: Store) -> ConnectionChanged:
    """Change a connection's name, its credential, or where it leads."""
    return _changed(store.update(connection_id, change.name, change.settings, _text(change.credential)))


@router.delete(
    "/{connection_id}",
    status_code=HTTPStatus.NO_CONTENT,
    dependencies=[requires(WRITE, object="connection_id")],
    responses=refusals(404),
)
def delete_connection(connection_id: ConnectionNumber, store: Store) -> None:
    """Delete a connection and its credential."""
    store.delete(connection_id)


@router.post("/{connection_id}/test", dependencies=[requires(WRITE, object="connection_id")], responses=refusals(404))
def test_connection(connection_id: ConnectionNumber, store: Store) -> ConnectionTest:
    """Look whether a connection is complete. Nobody is called."""
    faults = store.faults(connection_id)
    return ConnectionTest(connection_id=connection_id, usable=not faults, faults=faults)


@router.get(
    "/{connection_id}/deliveries",
    dependencies=[requires(READ, "datasets:read", object="connection_id")],
    responses=refusals(404),
)
def list_deliveries(
    connection_id: ConnectionNumber,
    store: Store,
    outbox: Annotated[Outbox, Depends(_outbox)],
    limit: Limit = 100,
    after: After = 0,
) -> Page[DeliveryView]:
    """List what workflows handed over to a connection. It tells about datasets, so it needs Read Datasets too."""
    store.get(connection_id)
    found = [
        DeliveryView(
            id=d.id, dataset_id=d.dataset_id, row_count=d.row_count, created_at=d.created_at.replace(tzinfo=UTC)
        )
        for d in outbox.page(connection_id, after=after, limit=limit + 1)
    ]
    return page_of(found, limit, lambda view: view.id)


def _text(credential: SecretStr | None) -> str | None:
    return credential.get_secret_value() if credential else None


def _view(connection: Connection) -> ConnectionView:
    return ConnectionView(
        id=connection.id,
        name=connection.name,
        settings=connection.settings,
        credential_set_at=connection.credential_at and connection.credential_at.replace(tzinfo=UTC),
        created_at=connection.created_at.replace(tzinfo=UTC),
        updated_at=connection.updated_at.replace(tzinfo=UTC),
    )


def _changed(connection: Connection) -> ConnectionChanged:
    return ConnectionChanged(id=connection.id, updated_at=connection.updated_at.replace(tzinfo=UTC))
