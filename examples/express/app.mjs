// A florist's SMS backend in Express: it checks Twilio's signature, asks the model, lets it note orders in DynamoDB, and answers
// with TwiML. It is deployed as it stands here, and knows nothing of rehearse.
//
//     node app.mjs 3000

import express from 'express';
import twilio from 'twilio';
import OpenAI from 'openai';
import { DynamoDBClient, PutItemCommand, ScanCommand } from '@aws-sdk/client-dynamodb';

const table = process.env.ORDERS_TABLE ?? 'flower-orders';
const database = new DynamoDBClient({});
// A text is answered within Twilio's 15 seconds, or not at all.
const model = new OpenAI({ timeout: 5000, maxRetries: 0 });
const prices = { roses: 30, tulips: 18 };

const tools = [
  {
    type: 'function',
    function: {
      name: 'order_flowers',
      description: 'Notes an order of the person who texts, and returns its price in dollars.',
      strict: true,
      parameters: {
        type: 'object',
        properties: {
          flowers: { type: 'string', enum: Object.keys(prices) },
          bunches: { type: 'integer' },
        },
        required: ['flowers', 'bunches'],
        additionalProperties: false,
      },
    },
  },
];

const app = express();
app.use(express.urlencoded({ extended: false }));

app.post('/sms', async (request, response) => {
  const url = `${request.protocol}://${request.get('host')}${request.originalUrl}`;
  const signature = request.get('X-Twilio-Signature') ?? '';
  if (!twilio.validateRequest(process.env.TWILIO_AUTH_TOKEN, signature, url, request.body)) {
    return response.status(403).send('not from Twilio');
  }
  let answer;
  try {
    answer = await converse(request.body.From, request.body.Body);
  } catch (error) {
    if (!(error instanceof OpenAI.OpenAIError)) throw error;
    // Twilio drops anything but a success, and the customer would hear nothing.
    console.error(`the model failed: ${error.message}`);
    answer = 'Sorry, please try again in a minute.';
  }
  const twiml = new twilio.twiml.MessagingResponse();
  twiml.message(answer);
  return response.type('text/xml').send(twiml.toString());
});

app.get('/orders', async (request, response) => {
  const { Items } = await database.send(new ScanCommand({ TableName: table }));
  response.json({ orders: Items.map((item) => `${item.bunches.N} ${item.flowers.S}`).sort() });
});

// Asks the model until it says something; it may note orders first.
async function converse(phone, text) {
  const messages = [
    { role: 'system', content: 'You answer for a florist. Take orders, and name the price.' },
    { role: 'user', content: text },
  ];
  for (let round = 0; round < 3; round += 1) {
    const completion = await model.chat.completions.create({ model: 'gpt-4o', messages, tools });
    const { message } = completion.choices[0];
    if (!message.tool_calls?.length) return message.content;
    messages.push(message);
    for (const call of message.tool_calls) {
      const result = await orderFlowers(phone, JSON.parse(call.function.arguments));
      messages.push({ role: 'tool', tool_call_id: call.id, content: JSON.stringify(result) });
    }
  }
  throw new OpenAI.OpenAIError('the model calls tools and says nothing');
}

async function orderFlowers(phone, { flowers, bunches }) {
  const Item = { phone: { S: phone }, flowers: { S: flowers }, bunches: { N: String(bunches) } };
  await database.send(new PutItemCommand({ TableName: table, Item }));
  return { dollars: prices[flowers] * bunches };
}

app.listen(Number(process.argv[2]), '127.0.0.1');
