// openai-node: Responses and Chat Completions with a tool, embeddings, conversations.

const assert = require("node:assert/strict");
const { OpenAI } = require("openai");

const client = new OpenAI({ maxRetries: 0 });
const model = "gpt-4o";
const ask = "What is free tomorrow?";
const parameters = {
  type: "object",
  properties: { date: { type: "string" } },
  required: ["date"],
  additionalProperties: false,
};
const tool = { type: "function", name: "check_availability", parameters, strict: true };

async function responses() {
  for (const streamed of [false, true]) {
    const answer = (request) =>
      streamed
        ? client.responses.stream({ model, tools: [tool], ...request }).finalResponse()
        : client.responses.create({ model, tools: [tool], ...request });
    const first = await answer({ input: ask });
    const call = first.output.find((item) => item.type === "function_call");
    assert.equal(call.arguments, '{"date":"2026-02-11"}');
    const input = [{ type: "function_call_output", call_id: call.call_id, output: "[]" }];
    const second = await answer({ previous_response_id: first.id, input });
    assert.equal(second.output_text, "2:00 PM is free.");
  }
}

async function chat() {
  const { name, strict } = tool;
  for (const stream of [false, true]) {
    const runner = client.chat.completions.runTools({
      model,
      stream,
      messages: [{ role: "user", content: ask }],
      tools: [
        {
          type: "function",
          function: { name, strict, parameters, parse: JSON.parse, function: () => '["2:00 PM"]' },
        },
      ],
    });
    assert.equal(await runner.finalContent(), "2:00 PM is free.");
  }
}

async function others() {
  const got = await client.embeddings.create({ model: "text-embedding-3-small", input: "one" });
  assert.equal(got.data[0].embedding.length, 1536);
  const { id } = await client.conversations.create({});
  await client.responses.create({ model, conversation: id, input: "Ann as JSON" });
  const items = [];
  for await (const item of client.conversations.items.list(id, { limit: 1 })) items.push(item);
  assert.equal(items.length, 2, "pages are followed");
  await assert.rejects(client.responses.retrieve("resp_none"), { status: 404 });
}

(async () => {
  for (const check of [responses, chat, others]) {
    await check();
    console.log(`ok openai-node ${check.name}`);
  }
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
