"""What the backend of examples/python does, without a word of YAML."""

QUESTION = "Do you fix iPhone screens?"


def test_a_question_is_answered_by_the_model_and_remembered(phone, model, expect_reply, rows):
    model.when(QUESTION).sees(input=QUESTION).say("Yes, for $79.")
    phone.text(QUESTION)
    expect_reply("Yes, for $79.")
    assert [row["question"] for row in rows("Questions")] == [QUESTION]


def test_when_the_model_fails_the_customer_hears_of_it(phone, model, expect_reply):
    model.when(QUESTION).fail(503)
    phone.text(QUESTION)
    expect_reply(contains="try again")


def test_a_provider_that_is_away_once_answers_the_next_time(phone, model, world, expect_reply):
    model.when(QUESTION).say("Yes, for $79.")
    fault = world.fail("openai.chat", 503, times=1)
    phone.text(QUESTION)
    expect_reply(contains="try again")
    assert world.call("GET", f"/faults/{fault['id']}")["injected"] == 1
    phone.text(QUESTION)
    expect_reply("Yes, for $79.")


def test_two_people_are_answered_apart(phone, model, rows):
    model.when("Hello").say("Hello!")
    model.when("Are you open?").say("Until six.")
    assert phone.text("Hello").replies == ["Hello!"]
    assert phone.of("owner").text("Are you open?").replies == ["Until six."]
    assert len(rows("Questions")) == 2
