// The official Node SDKs against a running world (`rehearse up`).
//
//     npm install openai twilio @aws-sdk/client-dynamodb
//     eval "$(rehearse env)" && node tests/sdk/check.js
//
// Reads the environment that `rehearse env` prints. Exits 77 when a package is missing;
// NODE_PATH names a folder that has them.

const assert = require("node:assert/strict");

function packages() {
  try {
    const { DynamoDBClient, ListTablesCommand, PutItemCommand, GetItemCommand } =
      require("@aws-sdk/client-dynamodb");
    const { OpenAI } = require("openai");
    const twilio = require("twilio");
    return { DynamoDBClient, ListTablesCommand, PutItemCommand, GetItemCommand, OpenAI, twilio };
  } catch (error) {
    if (error.code !== "MODULE_NOT_FOUND") throw error;
    console.log(`skipped: ${error.message.split("\n")[0]}`);
    process.exit(77);
  }
}

const sdk = packages();

async function dynamodb() {
  const client = new sdk.DynamoDBClient();
  const { TableNames } = await client.send(new sdk.ListTablesCommand({}));
  assert(TableNames.includes("Repairs_Schedule"), TableNames);
  const key = { schedule_date: { S: "2026-02-11" }, slot_time: { S: "11:00 AM" } };
  const TableName = "Repairs_Schedule";
  await client.send(new sdk.PutItemCommand({ TableName, Item: { ...key, status: { S: "x" } } }));
  const { Item } = await client.send(new sdk.GetItemCommand({ TableName, Key: key }));
  assert.equal(Item.status.S, "x");
}

async function openai() {
  const client = new sdk.OpenAI({ maxRetries: 0 });
  const answer = await client.responses.create({
    model: "gpt-4o",
    input: "Do you fix iPhone screens?",
  });
  assert.match(answer.output_text, /\$79/);
}

async function twilio() {
  const client = sdk.twilio(process.env.TWILIO_ACCOUNT_SID, process.env.TWILIO_AUTH_TOKEN);
  // The line as `rehearse env` prints it.
  const line = process.env.TWILIO_LINE || "client.api.baseUrl = process.env.TWILIO_API_BASE_URL;";
  new Function("client", "process", line)(client, process);
  const from = process.env.TWILIO_PHONE_NUMBER;
  const to = "+15555550124";
  const sent = await client.messages.create({ to, from, body: "one" });
  assert.equal(sent.status, "queued");
  for (const body of ["two", "three"]) await client.messages.create({ to, from, body });
  assert.equal((await client.messages(sent.sid).fetch()).body, "one");
  assert.equal((await client.messages.list({ to, pageSize: 2 })).length, 3, "pages are followed");
  await assert.rejects(client.messages.create({ to, from, body: "" }), { code: 21602 });
}

(async () => {
  for (const check of [dynamodb, openai, twilio]) {
    await check();
    console.log(`ok ${check.name}`);
  }
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
