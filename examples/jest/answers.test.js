// What the backend of examples/python does.
"use strict";

const { spawn } = require("node:child_process");
const net = require("node:net");
const path = require("node:path");

const { World, setup } = require("./rehearse");

const { world, model, phone, rows } = setup();
const question = "Do you fix iPhone screens?";
let backend;

beforeAll(async () => {
  const { port } = new URL(process.env.BACKEND);
  const program = path.join(__dirname, "../python/backend.py");
  backend = spawn(process.env.REHEARSE_PYTHON || "python3", [program, port], { stdio: "inherit" });
  const listens = () =>
    new Promise((resolve) => {
      const socket = net.connect(Number(port), "127.0.0.1");
      socket.on("connect", () => resolve(true)).on("error", () => resolve(false));
      socket.on("connect", () => socket.destroy());
    });
  while (!(await listens())) {
    if (backend.exitCode !== null) throw new Error("the backend ended before it listened");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
});

afterAll(() => backend.kill());

test("a question is answered by the model and remembered", async () => {
  model.when(question).sees({ input: question }).say("Yes, for $79.");
  await phone.text(question);
  await phone.expectReply("Yes, for $79.");
  expect((await rows("Questions")).map((row) => row.question)).toEqual([question]);
});

test("when the model fails the customer hears of it", async () => {
  model.when(question).fail(503);
  await phone.text(question);
  await phone.expectReply({ contains: "try again" });
});

test("a fault strikes once", async () => {
  model.when(question).say("Yes, for $79.");
  const fault = await world.fail("openai.chat", 503, { times: 1 });
  await phone.text(question);
  await phone.expectReply({ contains: "try again" });
  expect((await world.call("GET", `/faults/${fault.id}`)).injected).toBe(1);
  expect((await phone.text(question)).replies).toEqual(["Yes, for $79."]);
});

// What `setup` does after each test, on a world of its own handle.
test("what is unmet is told as scenarios tell it", async () => {
  const other = new World();
  other.when("Hi").sees({ input: "Bye" }).say("Hello");
  await other.phone.text("Hi");
  await expect(other.verify()).rejects.toThrow(/model round 1: the request is not what it expected/);
  other.when("Hi").say("Hello");
  await expect(other.verify()).rejects.toThrow(/script \d+, text: Hi\n  model round 1: never reached/);
  await other.phone.text("Hi");
  await expect(other.verify()).rejects.toThrow(/requests that no script is for/);
});
