"""langchain-openai: tools and structured output on both endpoints, embeddings."""

from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from pydantic import BaseModel


class Appointment(BaseModel):
    """An appointment."""

    name: str
    time: str


@tool
def check_availability(date: str) -> str:
    """The free times of a date."""
    assert date == "2026-02-11", date
    return '["2:00 PM"]'


def whole(chunks):
    total = None
    for chunk in chunks:
        total = chunk if total is None else total + chunk
    return total


def tools():
    for responses in (False, True):
        model = ChatOpenAI(model="gpt-4o", max_retries=0, use_responses_api=responses).bind_tools([check_availability])
        for ask in (model.invoke, lambda messages: whole(model.stream(messages))):
            messages = [HumanMessage("What is free tomorrow?")]
            first = ask(messages)
            (call,) = first.tool_calls
            messages += [first, ToolMessage(check_availability.invoke(call["args"]), tool_call_id=call["id"])]
            assert ask(messages).text == "2:00 PM is free.", responses


def structured():
    for responses in (False, True):
        model = ChatOpenAI(model="gpt-4o", max_retries=0, use_responses_api=responses)
        got = model.with_structured_output(Appointment).invoke("Ann as JSON")
        assert got == Appointment(name="Ann", time="2:00 PM"), got


def embeddings():
    # Without tiktoken, which gets its tables from the network.
    model = OpenAIEmbeddings(model="text-embedding-3-small", check_embedding_ctx_length=False)
    assert len(model.embed_query("one")) == 1536
    assert len(model.embed_documents(["one", "two"])) == 2


for check in (tools, structured, embeddings):
    check()
    print(f"ok langchain-openai {check.__name__}")
