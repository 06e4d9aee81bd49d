// Node's SDKs as they are without a base URL: what they reach is the world behind `rehearse exec --proxy`.
'use strict';
const assert = require('node:assert');
const { DynamoDBClient, PutItemCommand, GetItemCommand } = require('@aws-sdk/client-dynamodb');
const OpenAI = require('openai');
const twilio = require('twilio');

const PERSON = '+15555550123';

async function sms() {
  const client = twilio(process.env.TWILIO_ACCOUNT_SID, process.env.TWILIO_AUTH_TOKEN);
  assert.equal(client.api.baseUrl, 'https://api.twilio.com');
  const sent = await client.messages.create({ to: PERSON, from: process.env.TWILIO_PHONE_NUMBER, body: 'from Node' });
  const listed = await client.messages.list({ to: PERSON });
  assert(listed.some((message) => message.sid === sent.sid), 'the message is in the list');
}

async function model() {
  const client = new OpenAI();
  assert.equal(client.baseURL, 'https://api.openai.com/v1');
  const asked = { model: 'gpt-4.1', messages: [{ role: 'user', content: 'Hello?' }] };
  const answer = await client.chat.completions.create(asked);
  assert.equal(answer.choices[0].message.content, 'Hello back.');
  const parts = [];
  for await (const chunk of await client.chat.completions.create({ ...asked, stream: true })) {
    parts.push(chunk.choices[0]?.delta.content ?? '');
  }
  assert.equal(parts.join(''), 'Hello back.');
  assert(parts.length > 2, 'the answer comes in parts');
}

async function dynamodb() {
  const client = new DynamoDBClient({ region: 'us-east-1' });
  const item = { phone: { S: PERSON }, question: { S: 'from Node' + 'x'.repeat(100_000) } };
  await client.send(new PutItemCommand({ TableName: 'questions', Item: item }));
  const got = await client.send(new GetItemCommand({ TableName: 'questions', Key: { phone: item.phone } }));
  assert.deepEqual(got.Item, item);
}

async function others() {
  const here = await fetch(`${process.env.REHEARSE_CONTROL}/openapi.json`);
  assert.equal(here.status, 200, 'this machine is reached without the proxy');
  await assert.rejects(fetch('https://example.com/'), (error) => /refused by rehearse/.test(String(error.cause)));
}

(async () => {
  await sms();
  await model();
  await dynamodb();
  await others();
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
