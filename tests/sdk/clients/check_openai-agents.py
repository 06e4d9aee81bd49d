"""openai-agents: an agent with a tool, and a session that the fake keeps as a conversation."""

import asyncio

from agents import Agent, OpenAIConversationsSession, Runner, SQLiteSession, function_tool


@function_tool
def check_availability(date: str) -> str:
    """The free times of a date."""
    assert date == "2026-02-11", date
    return '["2:00 PM"]'


agent = Agent(name="Linda", model="gpt-4o", tools=[check_availability])
ASK = "What is free tomorrow?"


async def plain():
    done = await Runner.run(agent, ASK)
    assert done.final_output == "2:00 PM is free.", done.final_output


async def streamed():
    run = Runner.run_streamed(agent, ASK)
    kinds = {event.type async for event in run.stream_events()}
    assert "raw_response_event" in kinds, kinds
    assert run.final_output == "2:00 PM is free.", run.final_output


async def sessions():
    for session in (OpenAIConversationsSession(), SQLiteSession("one")):
        assert (await Runner.run(agent, ASK, session=session)).final_output == "2:00 PM is free."
        again = await Runner.run(agent, "And on Friday?", session=session)
        assert again.final_output == "Friday, too.", again.final_output
        assert len(await session.get_items()) == 6, await session.get_items()
        last = await session.pop_item()
        assert last is not None and len(await session.get_items()) == 5
        await session.clear_session()


async def main():
    for check in (plain, streamed, sessions):
        await check()
        print(f"ok openai-agents {check.__name__}")


# One loop, since the client of the agents belongs to the first one.
asyncio.run(main())
