"""litellm: a tool on Chat Completions, plain and streamed, Responses, embeddings."""

import litellm

PARAMETERS = {"type": "object", "properties": {"date": {"type": "string"}}, "required": ["date"]}
TOOL = {"type": "function", "function": {"name": "check_availability", "parameters": PARAMETERS}}
MODEL = "openai/gpt-4o"


def chat():
    for streamed in (False, True):
        messages = [{"role": "user", "content": "What is free tomorrow?"}]
        first = litellm.completion(model=MODEL, messages=messages, tools=[TOOL], stream=streamed)
        if streamed:
            first = litellm.stream_chunk_builder(list(first), messages=messages)
        message = first.choices[0].message
        (call,) = message.tool_calls
        assert call.function.arguments == '{"date":"2026-02-11"}', call
        messages += [message.model_dump(), {"role": "tool", "tool_call_id": call.id, "content": "[]"}]
        done = litellm.completion(model=MODEL, messages=messages, tools=[TOOL])
        assert done.choices[0].message.content == "2:00 PM is free."


def others():
    got = litellm.embedding(model="openai/text-embedding-3-small", input=["one"])
    assert len(got.data[0]["embedding"]) == 1536
    answer = litellm.responses(model=MODEL, input="Ann as JSON")
    assert answer.status == "completed", answer
    assert litellm.moderation(input="Hi", model="omni-moderation-latest").results[0].flagged is False


for check in (chat, others):
    check()
    print(f"ok litellm {check.__name__}")
