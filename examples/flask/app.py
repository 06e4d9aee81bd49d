"""A dog groomer's SMS backend in Flask: it checks Twilio's signature, asks the model, lets it keep a waiting list in
DynamoDB, and answers with TwiML. It is deployed as it stands here, and knows nothing of rehearse.

    python3 app.py 3000
"""

import json
import os
import sys

import boto3
from flask import Flask, abort, jsonify, request
from openai import OpenAI, OpenAIError
from twilio.request_validator import RequestValidator
from twilio.twiml.messaging_response import MessagingResponse

app = Flask(__name__)
waiting = boto3.resource("dynamodb").Table(os.environ.get("WAITING_TABLE", "waiting-list"))
# A text is answered within Twilio's 15 seconds, or not at all.
model = OpenAI(timeout=5, max_retries=0)
validator = RequestValidator(os.environ["TWILIO_AUTH_TOKEN"])

TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "join_waiting_list",
            "description": "Puts the dog of the person who texts on the waiting list.",
            "strict": True,
            "parameters": {
                "type": "object",
                "properties": {"dog": {"type": "string"}, "size": {"type": "string", "enum": ["small", "large"]}},
                "required": ["dog", "size"],
                "additionalProperties": False,
            },
        },
    }
]


@app.post("/sms")
def sms():
    if not validator.validate(request.url, request.form, request.headers.get("X-Twilio-Signature", "")):
        abort(403)
    try:
        answer = converse(request.form["From"], request.form["Body"])
    except OpenAIError as error:
        # Twilio drops anything but a success, and the customer would hear nothing.
        app.logger.error("the model failed: %s", error)
        answer = "Sorry, please try again in a minute."
    response = MessagingResponse()
    response.message(answer)
    return str(response), {"Content-Type": "text/xml"}


@app.get("/waiting")
def waiting_list():
    dogs = [item["dog"] for item in waiting.scan()["Items"]]
    return jsonify(dogs=sorted(dogs))


def converse(phone, text):
    """Asks the model until it says something; it may put a dog on the list first."""
    messages = [
        {"role": "system", "content": "You answer for a dog groomer. Ask for the dog's name and size."},
        {"role": "user", "content": text},
    ]
    for _ in range(3):
        completion = model.chat.completions.create(model="gpt-4o", messages=messages, tools=TOOLS)
        message = completion.choices[0].message
        if not message.tool_calls:
            return message.content
        messages.append(message)
        for call in message.tool_calls:
            result = join_waiting_list(phone, **json.loads(call.function.arguments))
            messages.append({"role": "tool", "tool_call_id": call.id, "content": json.dumps(result)})
    raise OpenAIError("the model calls tools and says nothing")


def join_waiting_list(phone, dog, size):
    waiting.put_item(Item={"phone": phone, "dog": dog, "size": size})
    return {"waiting": True, "dollars": {"small": 40, "large": 65}[size]}


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(sys.argv[1]))
