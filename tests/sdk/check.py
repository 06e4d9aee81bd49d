"""The official Python SDKs against a running world (`rehearse up`).

    pip install boto3 twilio openai
    eval "$(rehearse env)" && REHEARSE_CONTROL=http://127.0.0.1:4040 python tests/sdk/check.py

Reads the environment that `rehearse env` prints, and the URL of the control API, with which it moves the clock. Exits 77 when a package is missing.
"""

import json
import os
import sys
import urllib.request

try:
    import boto3
    import openai
    from botocore.exceptions import ClientError
    from twilio.base.exceptions import TwilioRestException
    from twilio.rest import Client
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

PERSON = "+15555550123"


def dynamodb():
    client = boto3.client("dynamodb")
    assert "Repairs_Schedule" in client.list_tables()["TableNames"]
    table = boto3.resource("dynamodb").Table("Repairs_Schedule")
    row = {"schedule_date": "2026-02-11", "slot_time": "10:00 AM", "status": "blocked"}
    table.put_item(Item=row)
    key = {name: row[name] for name in ("schedule_date", "slot_time")}
    assert table.get_item(Key=key)["Item"] == row
    day = boto3.dynamodb.conditions.Key("schedule_date").eq("2026-02-11")
    assert table.query(KeyConditionExpression=day)["Items"] == [row]
    table.delete_item(Key=key)
    try:
        table.put_item(Item={"schedule_date": "2026-02-11"})
    except ClientError as error:
        assert error.response["Error"]["Code"] == "ValidationException", error
    else:
        raise AssertionError("a row without its key was taken")


def dump():
    """What `rehearse db dump` writes is what `aws dynamodb batch-write-item` takes."""
    with open(os.environ["DUMP"]) as file:
        batches = json.load(file)
    assert batches, "somebody opted out, so there are rows"
    client = boto3.client("dynamodb")
    rows = []
    for batch in batches:
        for table, requests in batch.items():
            schema = client.describe_table(TableName=table)["Table"]["KeySchema"]
            for row in (request["PutRequest"]["Item"] for request in requests):
                key = {part["AttributeName"]: row[part["AttributeName"]] for part in schema}
                client.delete_item(TableName=table, Key=key)
                rows.append((table, key, row))
        assert not client.batch_write_item(RequestItems=batch)["UnprocessedItems"]
    for table, key, row in rows:
        assert client.get_item(TableName=table, Key=key)["Item"] == row, table


def twilio():
    number = os.environ["TWILIO_PHONE_NUMBER"]
    account = os.environ["TWILIO_ACCOUNT_SID"], os.environ["TWILIO_AUTH_TOKEN"]
    client = Client(*account)
    # The line as `rehearse env` prints it.
    line = 'client.api.base_url = os.environ["TWILIO_API_BASE_URL"]'
    exec(os.environ.get("TWILIO_LINE", line), {"client": client, "os": os})

    def send(body, to=PERSON):
        return client.messages.create(to=to, from_=number, body=body)

    def refused(code, body, to=PERSON):
        try:
            send(body, to)
        except TwilioRestException as error:
            assert error.code == code, error
        else:
            raise AssertionError(f"no {code}")

    first = send("one")
    assert first.status == "queued" and first.num_segments == "1"
    for body in ("two", "three", "four", "five"):
        send(body)
    assert client.messages(first.sid).fetch().body == "one"
    assert len(client.messages.list(to=PERSON, page_size=2)) == 5, "pages are followed"
    assert len(client.messages.list(to=PERSON, page_size=2, limit=3)) == 3
    for early in (lambda: client.messages(first.sid).update(body=""), client.messages(first.sid).delete):
        try:
            early()
        except TwilioRestException as error:
            assert error.code == 20009, error
        else:
            raise AssertionError("a message was complete at once")
    control = os.environ["REHEARSE_CONTROL"]
    request = urllib.request.Request(f"{control}/clock", b'{"advance": "1m"}', {"content-type": "application/json"})
    urllib.request.urlopen(request).close()
    assert client.messages(first.sid).update(body="").body == ""
    assert client.messages(first.sid).delete()
    refused(21211, "x", to="someone")
    refused(21602, "")
    refused(21617, "x" * 1601)
    # The person whom the caller let text STOP before.
    if os.environ.get("OPTED_OUT"):
        refused(21610, "x", to=os.environ["OPTED_OUT"])


def messaging_services():
    number = os.environ["TWILIO_PHONE_NUMBER"]
    client = Client(os.environ["TWILIO_ACCOUNT_SID"], os.environ["TWILIO_AUTH_TOKEN"])
    client.api.base_url = client.messaging.base_url = os.environ["TWILIO_API_BASE_URL"]
    services = client.messaging.v1.services

    def refused(code, call):
        try:
            call()
        except TwilioRestException as error:
            assert error.code == code, error
        else:
            raise AssertionError(f"no {code}")

    made = [services.create(friendly_name=name, sticky_sender=False) for name in ("one", "two", "three")]
    assert made[0].smart_encoding and not made[0].sticky_sender and made[0].validity_period == 36000
    listed = [service.sid for service in services.list(page_size=2)]
    assert all(service.sid in listed for service in made), "pages are followed"
    service = services(made[0].sid)
    refused(21704, lambda: client.messages.create(to=PERSON, messaging_service_sid=made[0].sid, body="a"))
    sid = client.incoming_phone_numbers.list(phone_number=number)[0].sid
    assert service.phone_numbers.create(phone_number_sid=sid).phone_number == number
    refused(21710, lambda: service.phone_numbers.create(phone_number_sid=sid))
    refused(21712, lambda: services(made[1].sid).phone_numbers.create(phone_number_sid=sid))
    assert [one.sid for one in service.phone_numbers.list()] == [sid]
    sent = client.messages.create(to=PERSON, messaging_service_sid=made[0].sid, body="It’s “ready”…")
    assert (sent.status, sent.from_, sent.num_segments) == ("accepted", None, "0")
    sent = client.messages(sent.sid).fetch()
    assert (sent.from_, sent.body, sent.messaging_service_sid) == (number, "It's \"ready\"...", made[0].sid)
    assert service.update(status_callback="https://example.com/status").status_callback
    assert service.phone_numbers(sid).delete() and service.phone_numbers.list() == []
    for one in made:
        assert services(one.sid).delete()
    refused(20404, service.fetch)


def media():
    client = Client(os.environ["TWILIO_ACCOUNT_SID"], os.environ["TWILIO_AUTH_TOKEN"])
    client.api.base_url = base = os.environ["TWILIO_API_BASE_URL"]
    number = os.environ["TWILIO_PHONE_NUMBER"]
    sent = client.messages.create(to=PERSON, from_=number, media_url=["https://example.com/a.png", "https://example.com/b.pdf"])
    assert sent.num_media == "2" and sent.sid.startswith("MM")
    files = client.messages(sent.sid).media.list(page_size=1)
    assert [file.content_type for file in files] == ["image/png", "application/pdf"]
    file = client.messages(sent.sid).media(files[0].sid).fetch()
    assert file.parent_sid == sent.sid
    with urllib.request.urlopen(base + file.uri.removesuffix(".json")) as response:
        assert response.headers["content-type"] == "image/png" and response.read().startswith(b"\x89PNG")
    assert file.delete() and len(client.messages(sent.sid).media.list()) == 1


def chat_and_responses():
    client = openai.OpenAI(max_retries=0)
    models = [model.id for model in client.models.list()]
    assert client.models.retrieve(models[0]).id == models[0]
    model, words = "gpt-4o", "Do you fix iPhone screens?"
    answer = client.responses.create(model=model, input=words)
    assert answer.status == "completed" and "$79" in answer.output_text, answer
    with client.responses.stream(model=model, input=words) as events:
        kinds = [event.type for event in events]
        assert events.get_final_response().output_text == answer.output_text
    assert kinds[0] == "response.created" and kinds[-1] == "response.completed", kinds

    schema = {
        "type": "object",
        "properties": {"date": {"type": "string"}},
        "required": ["date"],
        "additionalProperties": False,
    }
    tool = {"name": "check_availability", "parameters": schema, "strict": True}
    asked = client.responses.create(
        model=model,
        instructions="Today is 2026-02-10",
        input="What is free tomorrow?",
        tools=[{"type": "function", **tool}],
    )
    assert [item.name for item in asked.output] == ["check_availability"], asked.output

    messages = [{"role": "user", "content": words}]
    whole = client.chat.completions.create(model=model, messages=messages)
    assert whole.choices[0].message.content == answer.output_text
    parts = client.chat.completions.create(model=model, messages=messages, stream=True)
    text = "".join(part.choices[0].delta.content or "" for part in parts if part.choices)
    assert text == answer.output_text

    def refused(kind, call):
        try:
            call()
        except kind:
            return
        raise AssertionError(f"no {kind.__name__}")

    stranger = openai.OpenAI(api_key="wrong", max_retries=0)
    refused(openai.AuthenticationError, stranger.models.list)
    refused(openai.NotFoundError, lambda: client.responses.create(model="none", input="x"))
    refused(openai.BadRequestError, lambda: client.responses.create(model=model, input=[]))


checks = [dynamodb, twilio, messaging_services, media, chat_and_responses]
if os.environ.get("DUMP"):
    checks.append(dump)
for check in checks:
    check()
    print(f"ok {check.__name__}")
