"""The package itself: what is unmet fails a test, in the words of scenarios."""

from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.fixture
def suite(pytester):
    """Runs a test in a suite of its own, in the same world."""
    pytester.syspathinsert(HERE)

    def run(test):
        pytester.makepyfile(test)
        return pytester.runpytest("-p", "rehearse.plugin", "-p", "no:cacheprovider")

    return run


def test_a_round_that_was_never_asked_for_fails_the_test(suite):
    ran = suite(
        """
        def test_it(phone, model):
            model.when("Hi").say("Hello")
        """
    )
    ran.assert_outcomes(failed=1)
    ran.stdout.fnmatch_lines(["script *, text: Hi", "*model round 1: never reached*"])


def test_a_request_that_is_not_as_expected_fails_the_test_with_both(suite):
    ran = suite(
        """
        def test_it(phone, model):
            model.when("Hi").sees(input="Bye").say("Hello")
            phone.text("Hi")
        """
    )
    ran.assert_outcomes(failed=1)
    ran.stdout.fnmatch_lines(["*the request is not what it expected*", "*expected*Bye*", "*came*Hi*"])


def test_a_request_that_no_script_is_for_fails_the_test(suite):
    ran = suite(
        """
        def test_it(phone):
            phone.text("Hi")
        """
    )
    ran.assert_outcomes(failed=1)
    ran.stdout.fnmatch_lines(["requests that no script is for*"])


def test_a_reply_that_does_not_come_says_what_came(suite):
    ran = suite(
        """
        def test_it(phone, model, expect_reply):
            model.when("Hi").say("Hello")
            phone.text("Hi")
            expect_reply("Goodbye", timeout="10ms")
        """
    )
    ran.assert_outcomes(failed=1)
    ran.stdout.fnmatch_lines(["*no text that is*Goodbye*", "*Hello*"])


def test_a_wrong_script_is_refused_at_its_place(suite):
    ran = suite(
        """
        def test_it(phone, model):
            model.when("Hi").fail("sometimes")
            phone.text("Hi")
        """
    )
    ran.assert_outcomes(failed=1)
    ran.stdout.fnmatch_lines(["*unknown failure 'sometimes'*"])


def test_a_test_that_meets_everything_passes(suite):
    ran = suite(
        """
        def test_it(phone, model, expect_reply):
            model.when("Hi").say("Hello")
            phone.text("Hi")
            expect_reply("Hello")
        """
    )
    ran.assert_outcomes(passed=1)
