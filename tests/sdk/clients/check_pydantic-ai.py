"""pydantic-ai: a tool, then a structured result, on both endpoints."""

import asyncio

from pydantic import BaseModel
from pydantic_ai import Agent
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel


class Appointment(BaseModel):
    name: str
    time: str


def agent(model, **more):
    made = Agent(model("gpt-4o"), **more)

    @made.tool_plain
    def check_availability(date: str) -> str:
        """The free times of a date."""
        assert date == "2026-02-11", date
        return '["2:00 PM"]'

    return made


def plain():
    for model in (OpenAIChatModel, OpenAIResponsesModel):
        done = agent(model).run_sync("What is free tomorrow?")
        assert done.output == "2:00 PM is free.", done.output


def streamed():
    async def run(model):
        async with agent(model).run_stream("What is free tomorrow?") as events:
            assert await events.get_output() == "2:00 PM is free."

    for model in (OpenAIChatModel, OpenAIResponsesModel):
        asyncio.run(run(model))


def structured():
    for model in (OpenAIChatModel, OpenAIResponsesModel):
        done = agent(model, output_type=Appointment).run_sync("Book the first free time for Ann")
        assert done.output == Appointment(name="Ann", time="2:00 PM"), done.output


for check in (plain, streamed, structured):
    check()
    print(f"ok pydantic-ai {check.__name__}")
