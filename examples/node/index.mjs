// A whole SMS backend as one Lambda function: it checks Twilio's signature, asks the model, lets it look
// up prices, remembers the question and answers with TwiML. Deployed, it needs nothing but what
// template.yaml gives it.

import { createHmac, timingSafeEqual } from 'node:crypto';

import { DynamoDBClient, PutItemCommand, ScanCommand } from '@aws-sdk/client-dynamodb';

const { OPENAI_API_KEY, OPENAI_BASE_URL = 'https://api.openai.com/v1', QUESTIONS_TABLE } = process.env;
const database = new DynamoDBClient({});

const PRICES = { screen: 79, battery: 49 };

const TOOL = {
  type: 'function',
  function: {
    name: 'price_of',
    description: 'The price of a repair in dollars.',
    strict: true,
    parameters: {
      type: 'object',
      properties: { repair: { type: 'string', enum: Object.keys(PRICES) } },
      required: ['repair'],
      additionalProperties: false,
    },
  },
};

export async function handler(event) {
  const { method } = event.requestContext.http;
  if (method === 'GET') return questions();
  const body = event.isBase64Encoded ? Buffer.from(event.body, 'base64').toString() : event.body ?? '';
  const form = new URLSearchParams(body);
  if (!isFromTwilio(event, form)) return { statusCode: 403, body: 'not from Twilio' };
  let reply;
  try {
    reply = await answer(form.get('Body'));
  } catch (error) {
    // Twilio drops anything but a success, and the customer would hear nothing.
    console.error('the model failed:', error.message);
    reply = 'Sorry, please try again in a minute.';
  }
  const item = { phone: { S: form.get('From') }, question: { S: form.get('Body') } };
  await database.send(new PutItemCommand({ TableName: QUESTIONS_TABLE, Item: item }));
  const twiml = `<Response><Message>${escape(reply)}</Message></Response>`;
  return { statusCode: 200, headers: { 'content-type': 'text/xml' }, body: twiml };
}

async function questions() {
  const { Items } = await database.send(new ScanCommand({ TableName: QUESTIONS_TABLE }));
  return { statusCode: 200, body: JSON.stringify({ questions: Items.map((item) => item.question.S) }) };
}

// The signature covers the URL as Twilio called it and the form's fields in order.
function isFromTwilio({ headers, rawPath, rawQueryString }, form) {
  const query = rawQueryString ? `?${rawQueryString}` : '';
  const url = `${headers['x-forwarded-proto']}://${headers.host}${rawPath}${query}`;
  const fields = [...form].sort(([a], [b]) => (a < b ? -1 : 1)).flat();
  const hash = createHmac('sha1', process.env.TWILIO_AUTH_TOKEN).update(url + fields.join(''));
  const expected = Buffer.from(hash.digest('base64'));
  const given = Buffer.from(headers['x-twilio-signature'] ?? '');
  return expected.length === given.length && timingSafeEqual(expected, given);
}

// Asks the model until it says something; it may ask for prices first.
async function answer(question) {
  const messages = [
    { role: 'system', content: 'You answer for a phone-repair shop. Look prices up, never guess.' },
    { role: 'user', content: question },
  ];
  for (let round = 0; round < 3; round += 1) {
    const message = await ask(messages);
    if (!message.tool_calls?.length) return message.content;
    messages.push(message);
    for (const call of message.tool_calls) {
      const { repair } = JSON.parse(call.function.arguments);
      const content = JSON.stringify({ dollars: PRICES[repair] });
      messages.push({ role: 'tool', tool_call_id: call.id, content });
    }
  }
  throw new Error('the model asks for prices and says nothing');
}

async function ask(messages) {
  const response = await fetch(`${OPENAI_BASE_URL}/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${OPENAI_API_KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'gpt-4o', messages, tools: [TOOL] }),
    signal: AbortSignal.timeout(10_000),
  });
  const body = await response.json();
  if (!response.ok) throw new Error(`${response.status} ${body.error?.message}`);
  return body.choices[0].message;
}

function escape(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
