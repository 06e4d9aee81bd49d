"""openai-python: Responses, Chat Completions, conversations, embeddings, moderations, Azure."""

import json
import os

import openai
from pydantic import BaseModel

client = openai.OpenAI(max_retries=0)
MODEL, ASK = "gpt-4o", "What is free tomorrow?"
PARAMETERS = {
    "type": "object",
    "properties": {"date": {"type": "string"}},
    "required": ["date"],
    "additionalProperties": False,
}
TOOL = {"type": "function", "name": "check_availability", "parameters": PARAMETERS, "strict": True}
CHAT_TOOL = {"type": "function", "function": {key: TOOL[key] for key in ("name", "parameters", "strict")}}


class Appointment(BaseModel):
    name: str
    time: str


def result(call):
    assert call.name == "check_availability", call
    assert json.loads(call.arguments) == {"date": "2026-02-11"}, call
    return {"type": "function_call_output", "call_id": call.call_id, "output": '["2:00 PM"]'}


def answer(streamed, **request):
    if not streamed:
        return client.responses.create(model=MODEL, **request)
    with client.responses.stream(model=MODEL, **request) as events:
        for _ in events:
            pass
        return events.get_final_response()


def responses():
    for streamed in (False, True):
        items = [{"role": "user", "content": ASK}]
        first = answer(streamed, input=items, tools=[TOOL])
        call = next(item for item in first.output if item.type == "function_call")
        items += [item.model_dump(exclude_none=True, exclude={"parsed_arguments"}) for item in first.output]
        items.append(result(call))
        assert answer(streamed, input=items, tools=[TOOL]).output_text == "2:00 PM is free."
        # The same by the id of the response.
        following = {"previous_response_id": first.id, "input": [result(call)], "tools": [TOOL]}
        assert answer(streamed, **following).output_text == "2:00 PM is free."


def chat():
    for streamed in (False, True):
        messages = [{"role": "user", "content": ASK}]
        request = {"model": MODEL, "tools": [CHAT_TOOL]}
        if streamed:
            with client.chat.completions.stream(messages=messages, **request) as events:
                for _ in events:
                    pass
                message = events.get_final_completion().choices[0].message
        else:
            message = client.chat.completions.create(messages=messages, **request).choices[0].message
        (call,) = message.tool_calls
        messages.append({
            "role": "assistant",
            "tool_calls": [{
                "id": call.id,
                "type": "function",
                "function": {"name": call.function.name, "arguments": call.function.arguments},
            }],
        })
        messages.append({"role": "tool", "tool_call_id": call.id, "content": '["2:00 PM"]'})
        done = client.chat.completions.create(messages=messages, **request)
        assert done.choices[0].message.content == "2:00 PM is free."


def parsed():
    got = client.responses.parse(model=MODEL, input="Ann as JSON", text_format=Appointment)
    assert got.output_parsed == Appointment(name="Ann", time="2:00 PM")
    messages = [{"role": "user", "content": "Ann as JSON"}]
    got = client.chat.completions.parse(model=MODEL, messages=messages, response_format=Appointment)
    assert got.choices[0].message.parsed.name == "Ann"


def conversations():
    conversation = client.conversations.create(metadata={"a": "b"})
    first = client.responses.create(model=MODEL, conversation=conversation.id, input=ASK, tools=[TOOL])
    call = next(item for item in first.output if item.type == "function_call")
    request = {"model": MODEL, "conversation": conversation.id, "tools": [TOOL]}
    done = client.responses.create(input=[result(call)], **request)
    assert done.output_text == "2:00 PM is free." and done.conversation.id == conversation.id
    assert client.responses.create(input="And on Friday?", **request).output_text == "Friday, too."
    items = list(client.conversations.items.list(conversation.id, limit=2, order="asc"))
    assert len(items) == 6 and len({item.id for item in items}) == 6, "pages are followed"
    one = client.conversations.items.retrieve(items[0].id, conversation_id=conversation.id)
    assert one.content[0].text == ASK
    client.conversations.items.delete(items[0].id, conversation_id=conversation.id)
    (added,) = client.conversations.items.create(
        conversation.id, items=[{"type": "message", "role": "user", "content": "x"}]
    ).data
    assert added.id and client.conversations.update(conversation.id, metadata={"c": "d"}).metadata == {"c": "d"}
    assert client.conversations.delete(conversation.id).deleted
    refused(openai.NotFoundError, lambda: client.conversations.retrieve(conversation.id))


def stored():
    answer = client.responses.create(model=MODEL, input="Ann as JSON")
    assert client.responses.retrieve(answer.id).output_text == answer.output_text
    assert [item.type for item in client.responses.input_items.list(answer.id)] == ["message"]
    refused(openai.BadRequestError, lambda: client.responses.cancel(answer.id))
    client.responses.delete(answer.id)
    refused(openai.NotFoundError, lambda: client.responses.retrieve(answer.id))
    unstored = client.responses.create(model=MODEL, input="Ann as JSON", store=False)
    refused(openai.NotFoundError, lambda: client.responses.retrieve(unstored.id))


def others():
    got = client.embeddings.create(model="text-embedding-3-small", input=["one", "two"], dimensions=64)
    assert [len(one.embedding) for one in got.data] == [64, 64]
    assert not client.moderations.create(input="My screen is cracked").results[0].flagged
    assert client.moderations.create(input="flag:hate").results[0].categories.hate
    refused(openai.BadRequestError, lambda: client.embeddings.create(model="text-embedding-3-small", input=""))


def azure():
    # The client refuses both of its URLs at once.
    endpoint = os.environ.pop("OPENAI_BASE_URL").removesuffix("/v1")
    client = openai.AzureOpenAI(
        azure_endpoint=endpoint, api_key="sk-rehearse", api_version="2025-04-01-preview", max_retries=0
    )
    messages = [{"role": "user", "content": "Ann as JSON"}]
    assert client.chat.completions.create(model=MODEL, messages=messages).choices[0].message.content
    assert client.responses.create(model=MODEL, input="Ann as JSON").output_text
    assert client.embeddings.create(model="text-embedding-3-small", input="one").data
    stranger = client.with_options(api_key="wrong")
    refused(openai.AuthenticationError, lambda: stranger.responses.create(model=MODEL, input="x"))


def refused(kind, call):
    try:
        call()
    except kind:
        return
    raise AssertionError(f"no {kind.__name__}")


for check in (responses, chat, parsed, conversations, stored, others, azure):
    check()
    print(f"ok openai-python {check.__name__}")
