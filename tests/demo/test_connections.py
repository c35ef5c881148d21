"""Connections: kept, shown without their credential, changed, looked at, and never called."""

import json
import logging

import pytest

from scopekey.demo.platform import create_platform

SECRET = "AKIA0EXAMPLE:wJalr-never-shown-again"
S3 = {"kind": "s3", "bucket": "acme-exports", "region": "eu-central-1"}
POSTGRES = {"kind": "postgres", "host": "db.example.com", "database": "warehouse", "user": "loader"}
BUCKET = {"name": "Exports", "settings": S3, "credential": SECRET}


@pytest.fixture
def connector(holding):
    return holding("connections:read", "connections:write")


def made(client, **changes):
    answer = client.post("/connections", json=BUCKET | changes)
    assert 201 == answer.status_code, answer.text
    return answer.headers["location"]


def code(answer):
    return answer.status_code, answer.json().get("code")


def test_a_connection_is_shown_without_its_credential(connector):
    path = made(connector)
    shown = connector.get(path).json()
    assert ("Exports", S3 | {"prefix": ""}) == (shown["name"], shown["settings"])
    assert {"id", "name", "settings", "credential_set_at", "created_at", "updated_at"} == shown.keys()
    assert [shown] == connector.get("/connections").json()["items"]


def test_a_credential_is_never_shown_nor_logged(connector, app, caplog):
    caplog.set_level(logging.DEBUG)
    path = made(connector)
    said = [
        connector.get(path),
        connector.get("/connections"),
        connector.post(f"{path}/test"),
        connector.patch(path, json={"credential": SECRET + "2"}),
        connector.patch(path, json={"settings": POSTGRES}),
        connector.post("/connections", json=BUCKET | {"settings": {"kind": "ftp"}}),
        connector.post("/connections", json=BUCKET | {"settings": S3 | {"password": SECRET}}),
        connector.post("/connections", json=BUCKET | {"credential": [SECRET]}),
        connector.post("/connections", json=BUCKET | {"credential": SECRET * 200}),
    ]
    assert [200, 200, 200, 200, 409, 422, 422, 422, 422] == [answer.status_code for answer in said]
    told = "".join(answer.text + str(answer.headers) for answer in said) + caplog.text
    assert "wJalr" not in told
    assert "wJalr" not in repr(app.state.connections.get(1))


def test_settings_have_no_room_for_a_secret(connector):
    for url in (
        "https://loader:wJalr@hooks.example.com/",
        "https://hooks.example.com/?token=wJalr",
        "https://hooks.example.com/#wJalr",
        "http://hooks.example.com/wJalr",
        "https://[wJalr",
    ):
        refused = connector.post("/connections", json=BUCKET | {"settings": {"kind": "webhook", "url": url}})
        assert (422, "invalid_request") == code(refused)
        assert "wJalr" not in refused.text


def test_a_stored_credential_is_not_sent_to_another_place(connector, app):
    path = made(connector, settings=POSTGRES)
    elsewhere = {"settings": POSTGRES | {"host": "db.example.org"}}
    assert (409, "credential_needed") == code(connector.patch(path, json=elsewhere))
    assert 200 == connector.patch(path, json={"name": "Same place", "settings": POSTGRES}).status_code
    assert 200 == connector.patch(path, json=elsewhere | {"credential": "another"}).status_code
    assert ("Same place", "db.example.org") == (
        (shown := connector.get(path).json())["name"],
        shown["settings"]["host"],
    )
    assert [("another",)] == app.state.engine.read("SELECT credential FROM platform.connections")


@pytest.mark.parametrize(
    ("settings", "credential", "fault"),
    [
        (S3, SECRET, None),
        (S3, "only-a-secret", "ACCESS_KEY_ID:SECRET"),
        (S3, None, "needs a credential"),
        (POSTGRES, None, "needs a credential"),
        (POSTGRES, "a password", None),
        ({"kind": "webhook", "url": "https://hooks.example.com/orders"}, None, None),
    ],
)
def test_a_test_says_what_is_missing_without_calling_anybody(connector, settings, credential, fault):
    path = made(connector, settings=settings, credential=credential)
    told = connector.post(f"{path}/test").json()
    assert (fault is None, 0 if fault is None else 1) == (told["usable"], len(told["faults"]))
    assert (fault or "") in "".join(told["faults"])


def test_a_deleted_connection_is_gone_with_its_credential(connector, app):
    path = made(connector)
    assert 204 == connector.delete(path).status_code
    again = [
        connector.get(path),
        connector.delete(path),
        connector.post(f"{path}/test"),
        connector.patch(path, json={}),
    ]
    assert [(404, "not_found")] * 4 == [code(answer) for answer in again]
    assert [(0,)] == app.state.engine.read("SELECT count(*) FROM platform.connections")


def test_write_connections_alone_is_not_told_what_is_there(holding):
    writer = holding("connections:write")
    path = made(writer)
    changed = writer.patch(path, json={"name": "Renamed"})
    assert {"id", "updated_at"} == changed.json().keys()
    assert [["connections:read"]] * 2 == [writer.get(at).json()["missing"] for at in (path, "/connections")]


def test_connections_are_there_after_a_restart(tmp_path, keys, client_of):
    held = ("connections:read", "connections:write")
    with client_of(create_platform(keys, path=tmp_path), *held) as client:
        made(client)
    with client_of(create_platform(keys, path=tmp_path), *held) as client:
        assert "Exports" == client.get("/connections/1").json()["name"]
        assert client.post("/connections/1/test").json()["usable"]
        assert "/connections/2" == made(client)


def test_the_openapi_file_takes_a_credential_and_never_gives_one(app):
    schemas = app.openapi()["components"]["schemas"]
    assert {"NewConnection", "ConnectionChange"} == {
        name for name, schema in schemas.items() if "credential" in schema.get("properties", {})
    }
    assert "wJalr" not in json.dumps(schemas)
