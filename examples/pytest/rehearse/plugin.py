"""The fixtures, and the check at the end of each test that has one of them."""

import pytest

from .world import World


@pytest.fixture
def world():
    """The world, put back to its start."""
    world = World()
    world.reset()
    return world


@pytest.fixture
def phone(world):
    """The customer's phone: `phone.text("Hi")`; `phone.of("owner")` is another one."""
    return world.phone


@pytest.fixture
def model(world):
    """The model: `model.when("Hi").call("look_up", id=1).say("Hello")`."""
    return world


@pytest.fixture
def expect_reply(phone):
    """Waits for a text to the customer: `expect_reply("Hello")`, `expect_reply(contains="Hel")`."""
    return phone.expect_reply


@pytest.fixture
def rows(world):
    """All rows of a table: `rows("Leads")`."""
    return world.rows


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    """Fails a test whose scripts are not met, with the report that scenarios print."""
    world = getattr(item, "funcargs", {}).get("world")
    try:
        result = yield
    except BaseException:
        # The test's own failure comes first; what is unmet helps to understand it.
        report = world.finish() if world else None
        if report:
            item.add_report_section("call", "rehearse", report)
        raise
    report = world.finish() if world else None
    if report:
        pytest.fail(report, pytrace=False)
    return result
