#!/usr/bin/env python3
"""Compares what rehearse reads of templates with what SAM makes of them: `scripts/templates FOLDER...`.

A file counts as a template when it has resources of which one is a function or an API. `aws-sam-translator`
turns it into plain CloudFormation; its routes to functions are read here, by code of this file, and must be those
that rehearse reads. What the translator refuses is not valid and only counted.
"""

import argparse
import collections
import copy
import datetime
import json
import os
import pathlib
import re
import subprocess
import sys

os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")

import yaml
from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

METHODS = {"get", "put", "post", "delete", "options", "head", "patch", "trace"}
ANY = "x-amazon-apigateway-any-method"
READ = re.compile(r"AWS::(Serverless::(Function|Api|HttpApi)|Lambda::Function|ApiGateway::RestApi|ApiGatewayV2::Api)$")
PSEUDO = {
    "AWS::Region": "us-east-1",
    "AWS::AccountId": "123456789012",
    "AWS::Partition": "aws",
    "AWS::URLSuffix": "amazonaws.com",
    "AWS::StackName": "rehearse",
    "AWS::StackId": "arn:aws:cloudformation:us-east-1:123456789012:stack/rehearse/00000000-0000-4000-8000-000000000000",
}
NOTHING = object()


class NoManagedPolicies:
    """The translator asks AWS for the ARNs of managed policies; routes do not depend on them."""

    def load(self):
        return {}


class Unknown(Exception):
    """A value that this file does not compute."""


class Stack:
    """A plain template, with what its functions compute from the parameters' defaults."""

    def __init__(self, template):
        self.template = template
        self.resources = {
            name: resource
            for name, resource in template["Resources"].items()
            if isinstance(resource, dict) and self.holds(resource.get("Condition"))
        }

    def parameter(self, name):
        parameter = self.template.get("Parameters", {})[name]
        if "Default" in parameter:
            return str(parameter["Default"])
        return str((parameter.get("AllowedValues") or [name])[0])

    def holds(self, condition):
        if condition is None:
            return True
        if isinstance(condition, str):
            condition = self.template.get("Conditions", {}).get(condition)
        if not isinstance(condition, dict) or len(condition) != 1:
            raise Unknown("a condition")
        (word, argument), = condition.items()
        if word == "Condition":
            return self.holds(argument)
        if word == "Fn::Not":
            return not self.holds(argument[0])
        if word == "Fn::And":
            return all([self.holds(part) for part in argument])
        if word == "Fn::Or":
            return any([self.holds(part) for part in argument])
        if word == "Fn::Equals":
            return self.value(argument[0]) == self.value(argument[1])
        raise Unknown(f"the condition {word}")

    def value(self, node):
        """A value without functions; references to resources become `${Name}` and `${Name.Attribute}`."""
        if isinstance(node, list):
            values = [self.value(item) for item in node]
            return [value for value in values if value is not NOTHING]
        if not isinstance(node, dict):
            if isinstance(node, bool):
                return str(node).lower()
            return node if isinstance(node, str) or node is None else str(node)
        if len(node) == 1:
            (word, argument), = node.items()
            if word == "Ref":
                return self.reference(argument)
            if word.startswith("Fn::"):
                return self.function(word[4:], argument)
        values = {key: self.value(item) for key, item in node.items()}
        return {key: value for key, value in values.items() if value is not NOTHING}

    def reference(self, name):
        if name == "AWS::NoValue":
            return NOTHING
        if name in PSEUDO:
            return PSEUDO[name]
        if name in self.template.get("Parameters", {}):
            return self.parameter(name)
        return "${" + str(name) + "}"

    def function(self, word, argument):
        if word == "If":
            return self.value(argument[1] if self.holds(argument[0]) else argument[2])
        if word == "GetAtt":
            parts = argument.split(".", 1) if isinstance(argument, str) else argument
            return "${" + ".".join(map(str, parts)) + "}"
        if word == "Join":
            return str(argument[0]).join(map(str, self.value(argument[1])))
        if word == "Sub":
            text, more = (argument, {}) if isinstance(argument, str) else argument
            more = {key: self.value(item) for key, item in more.items()}
            known = lambda found: str(more[found[1]]) if found[1] in more else str(self.reference(found[1]))
            return re.sub(r"\$\{\s*([^!}]+?)\s*\}", known, text)
        if word == "Select":
            return self.value(argument[1])[int(self.value(argument[0]))]
        if word == "Split":
            return self.value(argument[1]).split(argument[0])
        if word == "FindInMap":
            place = self.template["Mappings"]
            for part in argument[:3]:
                place = place[self.value(part)]
            return place
        return "?" + word

    def target(self, uri):
        """The function that a URI of an integration leads to."""
        for name in re.findall(r"\$\{([A-Za-z0-9]+)(?:\.[A-Za-z.]+)?\}", str(uri)):
            kind = self.resources.get(name, {}).get("Type")
            if kind == "AWS::Lambda::Function":
                return name
            if kind in ("AWS::Lambda::Alias", "AWS::Lambda::Version"):
                return self.target(self.value(self.resources[name]["Properties"]["FunctionName"]))
        return None

    def dangling(self):
        """A name that is referred to and not there, for which CloudFormation refuses a template."""
        known = {*self.template["Resources"], *self.template.get("Parameters", {}), *PSEUDO}
        known |= {"AWS::NoValue", "AWS::NotificationARNs"}

        def names(node, more=frozenset()):
            if isinstance(node, list):
                for item in node:
                    yield from names(item, more)
            if not isinstance(node, dict):
                return
            for word, argument in node.items():
                if word == "Ref" and isinstance(argument, str) and len(node) == 1:
                    yield argument
                elif word == "Fn::GetAtt":
                    yield argument.split(".")[0] if isinstance(argument, str) else str(argument[0])
                elif word == "Fn::Sub":
                    text, own = (argument, {}) if isinstance(argument, str) else argument
                    found = re.findall(r"\$\{\s*([^!}]+?)\s*\}", text)
                    yield from (name.split(".")[0] for name in found if name not in own)
                    yield from names(own)
                else:
                    yield from names(argument, more)

        sections = [resource.get("Properties") for resource in self.resources.values()]
        return next((name for name in names(sections) if name not in known), None)

    def routes(self):
        found = set()
        for name, resource in self.resources.items():
            properties = resource.get("Properties") or {}
            kind = resource.get("Type")
            if kind in ("AWS::ApiGateway::RestApi", "AWS::ApiGatewayV2::Api") and "Body" in properties:
                found |= {(name, *route) for route in self.of_body(properties["Body"])}
            if kind == "AWS::ApiGatewayV2::Api" and "Target" in properties:
                if function := self.target(self.value(properties["Target"])):
                    key = self.value(properties.get("RouteKey", "$default"))
                    found.add((name, *(key.split(" ", 1) if " " in key else ("ANY", key)), function))
            if kind == "AWS::ApiGateway::Method":
                found |= self.of_method(properties)
            if kind == "AWS::ApiGatewayV2::Route":
                found |= self.of_route(properties)
        return found

    def elsewhere(self):
        """The APIs whose definition is at S3, or a part of it: what routes they have, nobody here can know."""
        apis = ("AWS::ApiGateway::RestApi", "AWS::ApiGatewayV2::Api")
        for name, resource in self.resources.items():
            properties = resource.get("Properties") or {}
            if resource.get("Type") in apis and (
                "BodyS3Location" in properties or "Fn::Transform" in json.dumps(properties.get("Body"), default=str)
            ):
                yield name

    def of_body(self, body):
        body = self.value(body)
        for path, methods in (body.get("paths") or {}).items():
            for method, operation in (methods or {}).items() if isinstance(methods, dict) else ():
                if method.lower() not in METHODS | {ANY} or not isinstance(operation, dict):
                    continue
                integration = operation.get("x-amazon-apigateway-integration") or {}
                if "$ref" in integration:
                    integrations = body.get("components", {}).get("x-amazon-apigateway-integrations", {})
                    integration = integrations.get(integration["$ref"].rsplit("/", 1)[-1], {})
                if str(integration.get("type", "")).lower() != "aws_proxy":
                    continue
                function = self.target(integration.get("uri"))
                path = "$default" if path == "/$default" else path
                if function:
                    yield ("ANY" if method.lower() == ANY else method.upper(), path, function)

    def of_method(self, properties):
        integration = self.value(properties.get("Integration") or {})
        function = self.target(integration.get("Uri"))
        if str(integration.get("Type")).upper() != "AWS_PROXY" or not function:
            return set()
        path, place = [], self.value(properties["ResourceId"])
        while (name := re.match(r"\$\{(\w+)\}$", place)) and name[1] in self.resources:
            own = self.resources[name[1]]["Properties"]
            path.insert(0, self.value(own["PathPart"]))
            place = self.value(own["ParentId"])
        api = re.match(r"\$\{(\w+)", self.value(properties["RestApiId"]))
        if not api or api[1] not in self.resources:
            return set()
        return {(api[1], self.value(properties["HttpMethod"]).upper(), "/" + "/".join(path), function)}

    def of_route(self, properties):
        names = re.findall(r"\$\{(\w+)\}", str(self.value(properties.get("Target", ""))))
        api = re.match(r"\$\{(\w+)", self.value(properties["ApiId"]))
        if not names or names[-1] not in self.resources or not api or api[1] not in self.resources:
            return set()
        if self.resources[api[1]]["Properties"].get("ProtocolType") != "HTTP":
            return set()
        integration = self.value(self.resources[names[-1]]["Properties"])
        function = self.target(integration.get("IntegrationUri"))
        if integration.get("IntegrationType") != "AWS_PROXY" or not function:
            return set()
        key = self.value(properties["RouteKey"])
        method, path = ("ANY", key) if key == "$default" else key.split(" ", 1)
        return {(api[1], method, path, function)}


def parsed(path):
    text = path.read_text(errors="replace")
    if path.suffix != ".json":
        without_twins(yaml.compose(text, Loader=yaml.SafeLoader))
    return json.loads(text) if path.suffix == ".json" else without_dates(yaml_parse(text))


def without_twins(node):
    """YAML has no map with a key twice, though PyYAML reads one."""
    if isinstance(node, yaml.MappingNode):
        keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        if len(set(keys)) < len(keys):
            raise ValueError("a key stands twice")
    for child in node.value if isinstance(node, yaml.CollectionNode) else ():
        for part in child if isinstance(child, tuple) else (child,):
            without_twins(part)


def without_dates(node):
    """`Version: 2012-10-17` without quotes is text for AWS."""
    if isinstance(node, dict):
        return {key: without_dates(value) for key, value in node.items()}
    if isinstance(node, list):
        return [without_dates(item) for item in node]
    return node.isoformat() if isinstance(node, datetime.date) else node


def is_template(document):
    resources = document.get("Resources") if isinstance(document, dict) else None
    if not isinstance(resources, dict):
        return False
    kinds = [resource.get("Type") for resource in resources.values() if isinstance(resource, dict)]
    return any(isinstance(kind, str) and READ.match(kind) for kind in kinds)


def uploaded(template, folder):
    """What `sam package` makes of local files: code is at S3, definitions are in the template."""

    def included(node):
        if isinstance(node, list):
            return [included(item) for item in node]
        if not isinstance(node, dict):
            return node
        include = node.get("Fn::Transform")
        if isinstance(include, dict) and include.get("Name") == "AWS::Include":
            place = (include.get("Parameters") or {}).get("Location")
            if isinstance(place, str) and (folder / place).is_file():
                rest = {key: included(item) for key, item in node.items() if key != "Fn::Transform"}
                return {**included(parsed(folder / place)), **rest}
        return {key: included(item) for key, item in node.items()}

    template = included(template)
    sections = [resource.get("Properties") for resource in template["Resources"].values() if isinstance(resource, dict)]
    sections += (template.get("Globals") or {}).values() if isinstance(template.get("Globals"), dict) else []
    for properties in sections:
        if not isinstance(properties, dict):
            continue
        for name in ("CodeUri", "ContentUri", "DefinitionUri"):
            place = properties.get(name)
            if not isinstance(place, str) or place.startswith("s3:"):
                continue
            if name == "DefinitionUri" and (folder / place).is_file() and "asl" not in place:
                del properties[name]
                properties["DefinitionBody"] = parsed(folder / place)
            else:
                properties[name] = "s3://bucket/" + re.sub(r"^[./]+", "", place) + "x"
        if properties.get("PackageType") == "Image" and "ImageUri" not in properties:
            properties["ImageUri"] = "123456789012.dkr.ecr.us-east-1.amazonaws.com/x:y"
    return template


def expected(path, document):
    """The routes by the translator, or why there are none to compare, and the APIs that cannot be compared."""
    template = uploaded(copy.deepcopy(document), path.parent)
    transforms = template.get("Transform") or []
    transforms = [transforms] if isinstance(transforms, (str, dict)) else transforms
    if "AWS::LanguageExtensions" in transforms:
        return None, "its language extensions are not the translator's", set()
    if "AWS::Serverless-2016-10-31" in transforms or "AWS::Serverless::" in json.dumps(document, default=str):
        values = {name: one["Default"] for name, one in (template.get("Parameters") or {}).items() if "Default" in one}
        values.update({name: value for name, value in PSEUDO.items()})
        template = transform(template, values, NoManagedPolicies())
    try:
        stack = Stack(template)
        if missing := stack.dangling():
            raise ValueError(f"{missing} is not in the template")
        elsewhere = set(stack.elsewhere())
        return {route for route in stack.routes() if route[0] not in elsewhere}, None, elsewhere
    except Unknown as error:
        return None, f"{error} is not computed here", set()


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--reader", required=True, help="the program of emulator/aws/examples/template_routes.rs")
    arguments.add_argument("--verbose", action="store_true", help="print every template that differs or is refused")
    arguments.add_argument("folders", nargs="+", type=pathlib.Path)
    options = arguments.parse_args()
    found, broken = [], 0
    for folder in options.folders:
        for path in sorted(folder.rglob("*")):
            if path.suffix in (".yaml", ".yml", ".json") and path.is_file() and "node_modules" not in path.parts:
                try:
                    document = parsed(path)
                except Exception:  # noqa: BLE001  not YAML
                    broken += 1
                    continue
                try:
                    if is_template(document):
                        found.append((path, document))
                except Exception:  # noqa: BLE001  not a template
                    broken += 1
    reading = subprocess.run(
        [options.reader], input="".join(f"{path}\n" for path, _ in found), capture_output=True, text=True, check=True
    )
    figures, reasons = collections.Counter(), collections.Counter()
    for (path, document), line in zip(found, reading.stdout.splitlines(), strict=True):
        read = json.loads(line)
        try:
            routes, why, elsewhere = expected(path, document)
        except Exception as error:  # noqa: BLE001  whatever the translator says, it refuses
            figures["refused by SAM"] += 1
            figures["refused by SAM, read here" if "error" not in read else "refused by SAM and here"] += 1
            if options.verbose and "error" not in read:
                print(f"lenient {path}: {str(getattr(error, 'message', error))[:200]}")
            continue
        figures["valid"] += 1
        if "error" in read:
            figures["refused here"] += 1
            reason = re.sub(r"`[^`]*`", "`…`", read["error"].splitlines()[0].split(": ", 1)[-1])
            reasons[reason] += 1
            if options.verbose:
                print(f"refused {path}\n{read['error']}")
            continue
        figures["read"] += 1
        if routes is None:
            figures[f"not compared: {why}"] += 1
            continue
        figures["compared"] += 1
        ours = {tuple(route) for route in read["routes"] if route[0] not in elsewhere}
        if ours == routes:
            figures["routes equal"] += 1
            figures["routes"] += len(routes)
        else:
            figures["routes differ"] += 1
            if options.verbose:
                print(f"differ {path}")
                for route in sorted(routes - ours):
                    print("   missing", *route)
                for route in sorted(ours - routes):
                    print("   extra  ", *route)
    print(f"{broken:6} files that are not YAML, or have a key twice")
    for name, number in figures.items():
        print(f"{number:6} {name}")
    for reason, number in reasons.most_common(40):
        print(f"{number:6} refused: {reason}")
    valid = figures["valid"] or 1
    print(f"{100 * figures['read'] / valid:.1f} % of the valid ones read, "
          f"{100 * figures['routes equal'] / (figures['compared'] or 1):.1f} % of those compared equal")
    sys.exit(figures["read"] < 0.99 * valid or figures["routes equal"] < 0.99 * figures["compared"])


if __name__ == "__main__":
    main()
