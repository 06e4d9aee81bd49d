//! Other people's functions: started by the runtime that their template names, with nothing but a route
//! in rehearse.toml. This program has the shop's functions linked in, and leaves them alone here.

use std::process::{Command, Stdio};

use rehearse_testutils::Folder;

use crate::{
    process::{Finished, rehearse},
    up::Up,
};

const SETTINGS: &str = "[webhook]\nroute = \"/sms\"\n";

const TEMPLATE: &str = "Transform: AWS::Serverless-2016-10-31
Resources:
  Sms:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: src
      Handler: HANDLER
      Runtime: RUNTIME
      Timeout: 10
      Events:
        Any: { Type: HttpApi, Properties: { Method: ANY, Path: '/{proxy+}' } }
";

/// Keys of somebody's own, which no function may see.
const OWN_KEYS: [(&str, &str); 3] = [
    ("AWS_ACCESS_KEY_ID", "AKIAREAL"),
    ("AWS_SECRET_ACCESS_KEY", "real"),
    ("AWS_PROFILE", "production"),
];

fn has(program: &str) -> bool {
    let mut command = Command::new(program);
    let there = command.arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    let there = there.is_ok_and(|status| status.success());
    if !there {
        eprintln!("skipped: there is no {program}");
    }
    there
}

fn project(handler: &str, runtime: &str, code: (&str, &str), scenario: &str) -> Folder {
    let folder = Folder::new();
    folder.write("rehearse.toml", SETTINGS);
    let template = TEMPLATE.replace("HANDLER", handler).replace("RUNTIME", runtime);
    folder.write("template.yaml", template);
    folder.write(code.0, code.1);
    folder.write("scenarios/a.yaml", format!("name: Hello\nsteps:\n{scenario}"));
    folder
}

fn run(folder: &Folder) -> Finished {
    let mut command = crate::process::command(folder.path(), &["run"]);
    command.envs(OWN_KEYS).output().unwrap().into()
}

const PYTHON: &str = r#"
import base64, json, os, urllib.error, urllib.parse, urllib.request

SIGNED = ("AWS4-HMAC-SHA256 Credential=k/20260101/us-east-1/s3/aws4_request, "
          "SignedHeaders=host, Signature=0")

def post(url, body, headers):
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    return json.load(urllib.request.urlopen(request))

def handler(event, context):
    path = event["rawPath"]
    if path == "/environment":
        aws = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
        return {"statusCode": 200, "body": json.dumps(aws)}
    if path == "/fail":
        print("about to fail")
        raise KeyError("no such booking")
    if path == "/s3":
        url = os.environ["AWS_ENDPOINT_URL"] + "/photos/a.png"
        try:
            urllib.request.urlopen(urllib.request.Request(url, headers={"Authorization": SIGNED}))
        except urllib.error.HTTPError as error:
            return {"statusCode": 500, "body": error.read().decode()}
    text = urllib.parse.parse_qs(base64.b64decode(event["body"]).decode())["Body"][0]
    body = {"model": "gpt-4o", "messages": [{"role": "user", "content": text}]}
    key = {"Authorization": "Bearer " + os.environ["OPENAI_API_KEY"], "Content-Type": "application/json"}
    answer = post(os.environ["OPENAI_BASE_URL"] + "/chat/completions", body, key)
    reply = answer["choices"][0]["message"]["content"]
    return {"statusCode": 200, "headers": {"content-type": "text/xml"},
            "body": f"<Response><Message>{reply}</Message></Response>"}
"#;

#[test]
fn a_python_function_finds_the_fakes_and_not_the_keys_of_the_shell() {
    if !has("python3") {
        return;
    }
    let scenario = "  - customer: Hello
    model: [{ say: 'Hi!' }]
    reply: 'Hi!'
  - request: GET /environment
    response:
      json: { AWS_ACCESS_KEY_ID: rehearse, AWS_REGION: us-east-1, AWS_PROFILE: { absent: true },
              AWS_SHARED_CREDENTIALS_FILE: /dev/null, AWS_ENDPOINT_URL: { contains: /fn/Sms } }
";
    let folder = project("app.handler", "python3.12", ("src/app.py", PYTHON), scenario);
    run(&folder).expect(0, &["1 passed"]);
    assert!(!folder.path().join("src/__pycache__").exists(), "nothing is written beside the code");
}

#[test]
fn a_failing_step_says_what_the_function_failed_with_and_which_service_it_called() {
    if !has("python3") {
        return;
    }
    let fails = "  - request: GET /fail\n    response: { status: 200 }\n";
    let folder = project("app.handler", "python3.12", ("src/app.py", PYTHON), fails);
    let says =
        ["Sms: the function failed: KeyError: 'no such booking'", "about to fail", "line 18"];
    run(&folder).expect(1, &says);

    let calls = "  - request: GET /s3\n    response: { status: 200 }\n";
    folder.write("scenarios/a.yaml", format!("name: Hello\nsteps:\n{calls}"));
    let says =
        ["rehearse does not emulate Amazon S3 (s3: GET /photos/a.png)", "AWS_ENDPOINT_URL_S3"];
    run(&folder).expect(1, &says);
}

#[test]
fn what_cannot_start_is_told_by_its_reason() {
    if !has("python3") {
        return;
    }
    let scenario = "  - request: GET /x\n    response: { status: 200 }\n";
    let code = ("src/app.py", "import no_such_package\n");
    let folder = project("app.handler", "python3.12", code, scenario);
    let says = "Runtime.ImportModuleError: Unable to import module 'app': No module named 'no_such_package'";
    run(&folder).expect(1, &[says]);

    let folder = project("main.handler", "python3.12", code, scenario);
    let ran = run(&folder);
    assert_eq!(ran.code, 3, "{}", ran.err);
    assert!(ran.err.contains("main.py is not in"), "{}", ran.err);
}

/// Says the year, whether the time left is within the timeout, and whether sleeping takes as long as it says.
const PYTHON_CLOCK: &str = r#"
import datetime, time

def handler(event, context):
    left = context.get_remaining_time_in_millis()
    began = time.monotonic()
    time.sleep(0.05)
    slept = time.monotonic() - began >= 0.05
    year = datetime.datetime.now(datetime.timezone.utc).year
    return {"statusCode": 200, "body": f"{year} {0 < left <= 10000} {slept}".lower()}
"#;

const NODE_CLOCK: &str = r"
export const handler = async (event, context) => {
  const left = context.getRemainingTimeInMillis();
  const began = performance.now();
  await new Promise((resolve) => setTimeout(resolve, 50));
  // A timer counts whole milliseconds.
  const slept = performance.now() - began >= 49;
  const body = `${new Date().getUTCFullYear()} ${left > 0 && left <= 10000} ${slept}`;
  return { statusCode: 200, body };
};
";

#[test]
fn handlers_see_the_scenarios_time_and_have_their_time_left() {
    for (program, runtime, file, code) in [
        ("python3", "python3.12", "src/app.py", PYTHON_CLOCK),
        ("node", "nodejs20.x", "src/app.mjs", NODE_CLOCK),
    ] {
        if !has(program) {
            continue;
        }
        let folder = project("app.handler", runtime, (file, code), "");
        let scenario = "name: Hello\nnow: 2031-06-01T12:00:00Z\nsteps:\n  - request: GET /x\n    \
                        response: { status: 200, text: 2031 true true }\n";
        folder.write("scenarios/a.yaml", scenario);
        let ran = run(&folder);
        if ran.err.contains("the clock of handlers is the machine's") {
            eprintln!("skipped: {}", ran.err);
            continue;
        }
        ran.expect(0, &[]);
        // The machine's, when that is asked for.
        let own = format!("{SETTINGS}[functions.Sms]\nclock = \"machine\"\n");
        folder.write("rehearse.toml", own);
        // How much is left then, the clocks of two programs say, which may differ.
        run(&folder).expect(1, &[" true"]);
    }
}

const NODE: &str = r"
export const handler = (event, context, callback) => {
  if (event.rawPath === '/fail') {
    console.log('about to fail');
    setTimeout(() => { throw new RangeError('no such booking'); });
    return;
  }
  const left = context.getRemainingTimeInMillis();
  // How much it is, only the clocks of both processes say, which a test may set apart.
  const body = `${context.functionName} ${Number.isInteger(left) && left >= 0}`;
  callback(null, { statusCode: 200, body });
};
";

#[test]
fn a_node_function_answers_by_a_callback_behind_its_function_url() {
    if !has("node") {
        return;
    }
    let scenario = "  - request: GET /anything
    response: { status: 200, text: Sms true }
  - request: GET /fail
    response: { status: 500 }
  - request: GET /anything
    response: { status: 200, text: Sms true }
  - request: GET /fail
    response: { status: 200 }
";
    let folder = project("app.handler", "nodejs20.x", ("src/app.mjs", NODE), scenario);
    let template = std::fs::read_to_string(folder.path().join("template.yaml")).unwrap();
    let (before, _) = template.split_once("      Events:").unwrap();
    folder
        .write("template.yaml", format!("{before}      FunctionUrlConfig: {{ AuthType: NONE }}\n"));
    run(&folder).expect(1, &["step 4", "Sms: the function failed: RangeError: no such booking"]);
}

#[test]
fn node_24_takes_no_callback_and_an_async_handler_as_before() {
    if !has("node") {
        return;
    }
    let asked = "  - request: GET /x\n    response: { status: 200, text: Sms undefined }\n";
    let folder = project("app.handler", "nodejs24.x", ("src/app.mjs", NODE), asked);
    run(&folder).expect(
        1,
        &["Runtime.CallbackHandlerDeprecated: app.handler takes a callback, which Lambda no longer"],
    );
    let code = "export const handler = async (event, context) =>
  ({ statusCode: 200, body: `${context.functionName} ${context.succeed}` });\n";
    let folder = project("app.handler", "nodejs24.x", ("src/app.mjs", code), asked);
    run(&folder).expect(0, &[]);
}

#[test]
fn every_function_that_nothing_runs_is_named_at_once() {
    let folder = project("app.handler", "java21", ("src/x", ""), "  - wait: 1m\n");
    let template = std::fs::read_to_string(folder.path().join("template.yaml")).unwrap();
    let more = "  Picture:
    Type: AWS::Serverless::Function
    Properties: { PackageType: Image }
  Inline:
    Type: AWS::Serverless::Function
    Properties: { Runtime: python3.12, Handler: index.handler, InlineCode: 'def handler(e, c): pass',
                  Layers: ['arn:aws:lambda:us-east-1:1:layer:deps:1'] }
";
    folder.write("template.yaml", template + more);
    let ran = run(&folder);
    assert_eq!(ran.code, 3, "{}", ran.err);
    for says in [
        "java21",
        "function Picture: it is an image",
        "function Inline: its code is in the template",
    ] {
        assert!(ran.err.contains(says), "no '{says}' in {}", ran.err);
    }
    let checked = rehearse(folder.path(), &["check"]);
    assert_eq!(checked.code, 0, "{}", checked.err);
    for says in ["Picture: an image", "Inline: InlineCode", "ignoring the layer arn:aws:lambda"] {
        assert!(checked.err.contains(says), "no '{says}' in {}", checked.err);
    }
}

#[test]
fn up_prints_what_a_function_failed_with() {
    if !has("python3") {
        return;
    }
    let folder = project("app.handler", "python3.12", ("src/app.py", PYTHON), "  - wait: 1m\n");
    let mut up = Up::in_folder_and_read_errors(folder.path());
    assert!(up.get("/fail").starts_with("HTTP/1.1 500"));
    let err = up.interrupt_and_take_errors();
    assert!(err.contains("KeyError: 'no such booking'"), "{err}");
}

#[test]
fn init_writes_a_project_whose_scenario_passes_and_overwrites_nothing() {
    if !has("python3") {
        return;
    }
    let folder = project("app.handler", "python3.12", ("src/app.py", PYTHON), "  - wait: 1m\n");
    for name in ["rehearse.toml", "scenarios/a.yaml"] {
        std::fs::remove_file(folder.path().join(name)).unwrap();
    }
    let template = std::fs::read_to_string(folder.path().join("template.yaml")).unwrap();
    std::fs::remove_file(folder.path().join("template.yaml")).unwrap();
    folder.write("template.yml", template.replace("Path: '/{proxy+}'", "Path: /texts/in"));
    rehearse(folder.path(), &["init", "--ci"]).expect(0, &["wrote rehearse.toml"]);
    run(&folder).expect(0, &["1 passed"]);
    folder.write("rehearse.toml", "# mine\n[webhook]\nroute = \"/texts/in\"\n");
    rehearse(folder.path(), &["init"]).expect(0, &["kept rehearse.toml"]);
    let kept = std::fs::read_to_string(folder.path().join("rehearse.toml")).unwrap();
    assert!(kept.starts_with("# mine"), "{kept}");
}
