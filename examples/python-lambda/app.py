"""A whole SMS backend as one Lambda function: it checks Twilio's signature, asks the model, lets it look
up prices, remembers the question and answers with TwiML. Deployed, it needs nothing but what
template.yaml gives it.
"""

import base64
import hashlib
import hmac
import json
import logging
import os
import urllib.request
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

import boto3

log = logging.getLogger()
log.setLevel(logging.INFO)
questions = boto3.resource("dynamodb").Table(os.environ["QUESTIONS_TABLE"])

PRICES = {"screen": 79, "battery": 49}

TOOL = {
    "type": "function",
    "function": {
        "name": "price_of",
        "description": "The price of a repair in dollars.",
        "strict": True,
        "parameters": {
            "type": "object",
            "properties": {"repair": {"type": "string", "enum": list(PRICES)}},
            "required": ["repair"],
            "additionalProperties": False,
        },
    },
}


def handler(event, _context):
    if event["requestContext"]["http"]["method"] == "GET":
        kept = [item["question"] for item in questions.scan()["Items"]]
        return {"statusCode": 200, "body": json.dumps({"questions": kept})}
    body = event.get("body", "")
    if event["isBase64Encoded"]:
        body = base64.b64decode(body).decode()
    form = parse_qsl(body, keep_blank_values=True)
    if not is_from_twilio(event, form):
        return {"statusCode": 403, "body": "not from Twilio"}
    text = dict(form)
    try:
        reply = answer(text["Body"])
    except OSError as error:
        # Twilio drops anything but a success, and the customer would hear nothing.
        log.error("the model failed: %s", error)
        reply = "Sorry, please try again in a minute."
    questions.put_item(Item={"phone": text["From"], "question": text["Body"]})
    twiml = f"<Response><Message>{escape(reply)}</Message></Response>"
    return {"statusCode": 200, "headers": {"content-type": "text/xml"}, "body": twiml}


def is_from_twilio(event, form):
    """The signature covers the URL as Twilio called it and the form's fields in order."""
    headers = event["headers"]
    query = f"?{event['rawQueryString']}" if event["rawQueryString"] else ""
    url = f"{headers['x-forwarded-proto']}://{headers['host']}{event['rawPath']}{query}"
    signed = url + "".join(key + value for key, value in sorted(form))
    token = os.environ["TWILIO_AUTH_TOKEN"].encode()
    expected = base64.b64encode(hmac.new(token, signed.encode(), hashlib.sha1).digest())
    return hmac.compare_digest(expected, headers.get("x-twilio-signature", "").encode())


def answer(question):
    """Asks the model until it says something; it may ask for prices first."""
    messages = [
        {"role": "system", "content": "You answer for a phone-repair shop. Look prices up, never guess."},
        {"role": "user", "content": question},
    ]
    for _ in range(3):
        message = ask(messages)
        if not message.get("tool_calls"):
            return message["content"]
        messages.append(message)
        for call in message["tool_calls"]:
            repair = json.loads(call["function"]["arguments"])["repair"]
            content = json.dumps({"dollars": PRICES[repair]})
            messages.append({"role": "tool", "tool_call_id": call["id"], "content": content})
    raise OSError("the model asks for prices and says nothing")


def ask(messages):
    base = os.environ.get("OPENAI_BASE_URL", "https://api.openai.com/v1")
    body = {"model": "gpt-4o", "messages": messages, "tools": [TOOL]}
    headers = {
        "Authorization": f"Bearer {os.environ['OPENAI_API_KEY']}",
        "Content-Type": "application/json",
    }
    request = urllib.request.Request(f"{base}/chat/completions", json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=10) as response:
        return json.load(response)["choices"][0]["message"]
