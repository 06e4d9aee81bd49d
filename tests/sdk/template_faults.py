"""Plants faults in template.yaml, one at a time: `template.py` must find each.

Exits 77 when a package is missing.
"""

import os
import sys
import tempfile

from template import check

FAULTS = [
    # What was planted, what stands there, what stands there then, what must be said.
    ("a property that there is not", "Timeout: 15", "Timeuot: 14", "Timeuot"),
    ("a value of a wrong type", "MemorySize: 256", "MemorySize: plenty", "plenty"),
    ("a runtime that there is not", "provided.al2023", "provided.al2099", "provided.al2099"),
    ("a reference to nothing", "LogGroup: !Ref SchedulerLogs", "LogGroup: !Ref SchedulerLog", "SchedulerLog"),
    (
        "a role that there is not",
        "LoggingConfig: { LogGroup: !Ref SchedulerLogs }",
        "Role: !GetAtt SchedulerRoles.Arn\n      LoggingConfig: { LogGroup: !Ref SchedulerLogs }",
        "SchedulerRoles",
    ),
    ("an attribute that there is not", "!GetAtt ApiLogs.Arn", "!GetAtt ApiLogs.Arm", "Arm"),
    ("a broken intrinsic", "!If [HasOwner, !Ref OwnerPhoneNumber, !Ref AWS::NoValue]", "!If [HasOwner]", "If"),
    ("a condition that there is not", "Condition: MakesTopic", "Condition: MakesTopics", "MakesTopics"),
    ("a key that is not defined", "AttributeName: lead_id, KeyType", "AttributeName: lead, KeyType", "lead"),
    ("an event of an API that there is not", "ApiId: !Ref Api, Method: GET, Path: /state", "ApiId: !Ref Apis, Method: GET, Path: /state", "valid reference"),
    ("an alarm's wrong comparison", "GreaterThanOrEqualToThreshold", "AtLeast", "AtLeast"),
    ("a parameter that nobody uses", "  ShopTimezone:\n", "  Unused:\n    Type: String\n  ShopTimezone:\n", "Unused"),
    (
        "a secret as a parameter",
        "  ShopTimezone:\n    Type: String\n",
        "  ShopTimezone:\n    Type: String\n    NoEcho: true\n",
        "secret: parameter ShopTimezone",
    ),
    (
        "a secret in the environment",
        "OPENAI_API_KEY_PARAMETER: !Ref OpenAiApiKeyParameter",
        "OPENAI_API_KEY: !Ref OpenAiApiKeyParameter",
        "OPENAI_API_KEY is a secret",
    ),
    (
        "a secret that the deployment would write into the function's settings",
        "TWILIO_ACCOUNT_SID: !Ref TwilioAccountSid",
        "TWILIO_ACCOUNT_SID: '{{resolve:secretsmanager:twilio}}'",
        "would stand readable",
    ),
    ("a key as it is", "Default: gpt-6-luna", "Default: sk-proj-abcdefghijklmnop", "looks like a secret"),
]

root = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
with open(os.path.join(root, "template.yaml")) as file:
    template = file.read()
missed = 0
for name, old, new, expected in FAULTS:
    assert old in template, f"the template no longer has: {old}"
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "template.yaml")
        with open(path, "w") as file:
            file.write(template.replace(old, new, 1))
        problems = check(path)
    if any(expected in problem for problem in problems):
        print(f"ok {name}")
    else:
        missed += 1
        print(f"MISSED {name}: {problems}")
sys.exit(1 if missed else 0)
