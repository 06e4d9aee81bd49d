"""A whole SMS backend in the standard library: it checks Twilio's signature, asks the
model, remembers the question and answers with TwiML.

    eval "$(rehearse env --target http://127.0.0.1:3000/sms)"
    python3 backend.py 3000 &
    rehearse run --target http://127.0.0.1:3000/sms --wait 10s
"""

import base64
import hashlib
import hmac
import json
import os
import sys
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape


def post(url, headers, body):
    data = json.dumps(body).encode()
    headers = {"Content-Type": "application/json", **headers}
    with urllib.request.urlopen(urllib.request.Request(url, data, headers), timeout=10) as answer:
        return json.load(answer)


def ask(question):
    body = {
        "model": "gpt-4o",
        "messages": [
            {"role": "system", "content": "You answer for a phone-repair shop."},
            {"role": "user", "content": question},
        ],
    }
    key = {"Authorization": f"Bearer {os.environ['OPENAI_API_KEY']}"}
    answer = post(os.environ["OPENAI_BASE_URL"] + "/chat/completions", key, body)
    return answer["choices"][0]["message"]["content"]


def table(operation, body):
    # A real backend leaves this to its SDK, which also signs; the fake asks for no valid key.
    headers = {
        "Content-Type": "application/x-amz-json-1.0",
        "X-Amz-Date": "20260101T000000Z",
        "X-Amz-Target": f"DynamoDB_20120810.{operation}",
        "Authorization": "AWS4-HMAC-SHA256 Credential=rehearse/20260101/us-east-1/dynamodb/"
        "aws4_request, SignedHeaders=host, Signature=none",
    }
    return post(os.environ["AWS_ENDPOINT_URL_DYNAMODB"], headers, body)


def is_from_twilio(url, form, signature):
    signed = url + "".join(key + value for key, value in sorted(form))
    token = os.environ["TWILIO_AUTH_TOKEN"].encode()
    expected = base64.b64encode(hmac.new(token, signed.encode(), hashlib.sha1).digest())
    return hmac.compare_digest(expected, signature.encode())


class Backend(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Headers and body leave together.
    wbufsize = -1

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        form = parse_qsl(body, keep_blank_values=True)
        # The URL as Twilio knows it, path and query with it.
        url = f"http://{self.headers['Host']}{self.path}"
        if not is_from_twilio(url, form, self.headers.get("X-Twilio-Signature", "")):
            return self.answer(403, "text/plain", "not from Twilio")
        text = dict(form)
        try:
            reply = ask(text["Body"])
        except OSError:
            # Twilio drops the body of anything but a success, and the customer would hear nothing.
            reply = "Sorry, please try again in a minute."
        item = {"phone": {"S": text["From"]}, "question": {"S": text["Body"]}}
        table("PutItem", {"TableName": "questions", "Item": item})
        twiml = f"<Response><Message>{escape(reply)}</Message></Response>"
        return self.answer(200, "text/xml", twiml)

    def do_GET(self):
        if self.path != "/questions":
            return self.answer(404, "application/json", '{"error": "there is no such path"}')
        items = table("Scan", {"TableName": "questions"})["Items"]
        questions = [item["question"]["S"] for item in items]
        return self.answer(200, "application/json", json.dumps({"questions": questions}))

    def answer(self, status, kind, text):
        data = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        """Logs no phone numbers."""


port = int(sys.argv[1]) if len(sys.argv) > 1 else 3000
ThreadingHTTPServer(("127.0.0.1", port), Backend).serve_forever()
