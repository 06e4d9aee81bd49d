"""Python's SDKs as they are without a base URL: what they reach is the world behind `rehearse exec --proxy`."""

import os

import boto3
import openai
from twilio.rest import Client

PERSON = "+15555550123"


def twilio():
    client = Client(os.environ["TWILIO_ACCOUNT_SID"], os.environ["TWILIO_AUTH_TOKEN"])
    assert client.api.base_url == "https://api.twilio.com", client.api.base_url
    sent = client.messages.create(to=PERSON, from_=os.environ["TWILIO_PHONE_NUMBER"], body="from Python")
    assert sent.sid in [message.sid for message in client.messages.list(to=PERSON)]
    service = client.messaging.v1.services.create(friendly_name="Python")
    assert service.sid in [known.sid for known in client.messaging.v1.services.list()]


def model():
    client = openai.OpenAI()
    assert str(client.base_url) == "https://api.openai.com/v1/", client.base_url
    asked = {"model": "gpt-4.1", "messages": [{"role": "user", "content": "Hello?"}]}
    answer = client.chat.completions.create(**asked)
    assert answer.choices[0].message.content == "Hello back.", answer
    parts = [chunk.choices[0].delta.content or "" for chunk in client.chat.completions.create(stream=True, **asked)]
    assert "".join(parts) == "Hello back." and len(parts) > 2, parts


def dynamodb():
    # The second has the account's own endpoint: 123456789012.ddb.us-east-1.amazonaws.com.
    os.environ["AWS_ACCOUNT_ID"] = "123456789012"
    for mode in ["disabled", "required"]:
        config = boto3.session.Config(account_id_endpoint_mode=mode)
        client = boto3.client("dynamodb", region_name="us-east-1", config=config)
        item = {"phone": {"S": PERSON}, "question": {"S": f"from Python {mode}" + "x" * 100_000}}
        client.put_item(TableName="questions", Item=item)
        assert client.get_item(TableName="questions", Key={"phone": item["phone"]})["Item"] == item


twilio()
model()
dynamodb()
