"""instructor: objects by a tool and by a JSON format, whole and in parts."""

import instructor
import openai
from pydantic import BaseModel


class Appointment(BaseModel):
    name: str
    time: str


def ask(mode, text, streamed):
    client = instructor.from_openai(openai.OpenAI(max_retries=0), mode=mode)
    request = {"model": "gpt-4o", "messages": [{"role": "user", "content": text}], "max_retries": 0}
    assert client.chat.completions.create(response_model=Appointment, **request).name == "Ann"
    if not streamed:
        return
    *_, last = client.chat.completions.create_partial(response_model=Appointment, **request)
    assert last.time == "2:00 PM", last


def tools():
    # In parts the tool has another name.
    ask(instructor.Mode.TOOLS, "Ann as a tool", streamed=False)


def json():
    ask(instructor.Mode.JSON_SCHEMA, "Ann as JSON", streamed=True)


for check in (tools, json):
    check()
    print(f"ok instructor {check.__name__}")
