"""`sam validate --lint` without AWS: expands template.yaml and lints the result.

    pip install aws-sam-translator cfn-lint
    python tests/sdk/template.py [TEMPLATE]

On the raw template both tools see little; cfn-lint finds structural faults once
`samtranslator` has made plain CloudFormation of it. A secret in plain text is a
valid template, so that has a check of its own. Exits 77 when a package is missing.
"""

import json
import os
import re
import sys

try:
    import boto3
    import cfnlint.api
    import cfnlint.config
    from cfnlint.decode.cfn_yaml import loads as load_yaml
    from samtranslator.model.exceptions import InvalidDocumentException
    from samtranslator.translator.transform import transform
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

REGION = "us-east-1"
# What SAM adds to a role by itself; it would ask AWS for all of them.
MANAGED = {
    "AWSLambdaBasicExecutionRole": "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole",
}


class Policies:
    """Stands for the list of managed policies that SAM would load from IAM."""

    def load(self):
        return MANAGED


def plain(node):
    """What cfn-lint read, without its positions."""
    if isinstance(node, dict):
        return {str(key): plain(value) for key, value in node.items()}
    if isinstance(node, list):
        return [plain(item) for item in node]
    return str(node) if isinstance(node, str) else node


def with_code_on_s3(template):
    """Local code becomes a place on S3, as `sam package` does."""
    for resource in template.get("Resources", {}).values():
        properties = resource.get("Properties") if isinstance(resource, dict) else None
        if isinstance(properties, dict) and isinstance(properties.get("CodeUri"), str):
            properties["CodeUri"] = "s3://bucket/key"
    return template


def expand(template):
    os.environ["AWS_DEFAULT_REGION"] = REGION
    boto3.setup_default_session(region_name=REGION)
    return transform(with_code_on_s3(template), {}, Policies())


def lint(template):
    config = cfnlint.config.ManualArgs(regions=[REGION])
    return cfnlint.api.lint(json.dumps(template, indent=1), config=config)


SECRET_NAME = re.compile(r"SECRET|TOKEN|PASSWORD|API_?KEY|PRIVATE|CREDENTIAL", re.IGNORECASE)
REFERENCE_NAME = re.compile(r"_(PARAMETER|SECRET|ARN)$|(Parameter|Secret|Arn)$")
SECRET_VALUE = re.compile(
    r"\bsk-[A-Za-z0-9_-]{16,}|\bAKIA[0-9A-Z]{16}\b|-----BEGIN|\b[0-9a-f]{32}\b|\bSK[0-9a-f]{32}\b"
)


RESOLVED = re.compile(r"\{\{resolve:(secretsmanager|ssm-secure):")
# Settings of the extension itself.
EXTENSION = "PARAMETERS_SECRETS_EXTENSION_"


def is_secret(variable):
    if variable.startswith(EXTENSION) or REFERENCE_NAME.search(variable):
        return False
    return SECRET_NAME.search(variable)


def secrets(template):
    """Secrets in plain text: by the names of parameters and variables, and by their looks."""
    found = []
    for name, parameter in template.get("Parameters", {}).items():
        published = str(parameter.get("Type")).startswith("AWS::SSM::Parameter::Value")
        named_so = SECRET_NAME.search(name) and not REFERENCE_NAME.search(name)
        if parameter.get("NoEcho") or (named_so and not published):
            found.append(f"parameter {name} holds a secret: let it hold the secret's name")

    def walk(node, path):
        if isinstance(node, dict):
            for key, value in node.items():
                here = [*path, str(key)]
                if path[-1:] == ["Variables"] and is_secret(str(key)):
                    found.append(f"{'.'.join(here)} is a secret: give its name, not its value")
                elif path[-1:] == ["Variables"] and RESOLVED.search(str(value)):
                    found.append(f"{'.'.join(here)} would stand readable in the function's settings")
                walk(value, here)
        elif isinstance(node, list):
            for index, value in enumerate(node):
                walk(value, [*path, str(index)])
        elif isinstance(node, str) and SECRET_VALUE.search(node):
            found.append(f"{'.'.join(path)} looks like a secret")

    walk(template, [])
    return found


def check(path):
    with open(path) as file:
        text = file.read()
    template = plain(load_yaml(text))
    problems = [f"secret: {found}" for found in secrets(template)]
    try:
        expanded = expand(template)
    except InvalidDocumentException as error:
        causes = [cause.message for cause in error.causes]
        return problems + [f"sam: {message}" for message in causes or [error.message]]
    for match in lint(expanded):
        where = "/".join(str(part) for part in match.path or [])
        problems.append(f"{match.rule.id} {match.message} ({where})")
    return problems


if __name__ == "__main__":
    default = os.path.join(os.path.dirname(__file__), "..", "..", "template.yaml")
    problems = check(sys.argv[1] if len(sys.argv) > 1 else default)
    for problem in problems:
        print(problem)
    print("ok template" if not problems else f"{len(problems)} problems")
    sys.exit(1 if problems else 0)
