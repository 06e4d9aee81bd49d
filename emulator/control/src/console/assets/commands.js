// An exchange as a command for a terminal. What could act in a terminal by itself is escaped, and secrets
// are variables, since the journal has none.
import { jsonText } from './dom.js';
import { store } from './store.js';

/** What a terminal obeys while it is pasted, even between quotes: all control characters but line breaks and tabs. */
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;

/** One word of a shell, whatever is in it. */
export const quote = (text) => `'${String(text).replace(CONTROLS, '?').replaceAll("'", "'\\''")}'`;

const partUrl = (word) => store.endpoints.parts.find(({ name }) => name.toLowerCase().includes(word))?.url;
const form = (params) => quote(new URLSearchParams(params).toString());
const json = (value) => quote(jsonText(value, 0));

/** The forms in which an exchange can be copied: `[{ label, text }]`. */
export function copies(exchange) {
  const forms = [{ label: 'JSON', text: jsonText(exchange) }];
  const curl = curlOf(exchange);
  if (curl) forms.unshift({ label: 'curl', text: curl });
  const aws = awsOf(exchange);
  if (aws) forms.unshift({ label: 'AWS CLI', text: aws });
  return forms;
}

function curlOf({ crossing, name }) {
  switch (crossing.kind) {
    case 'sms_received': {
      const { from, to, body, media } = crossing;
      return `curl ${quote(`${location.origin}/sms`)} --data-binary ${json({ from, to, body, media })}`;
    }
    case 'webhook': {
      if (crossing.method !== 'POST') return `curl -G ${quote(crossing.url)} -d ${form(crossing.params)}`;
      return `curl -X POST ${quote(crossing.url)} -d ${form(crossing.params)}`;
    }
    case 'http': {
      const url = (partUrl('gateway') ?? '') + crossing.path;
      const body = crossing.body ? ` --data-binary ${quote(crossing.body)}` : '';
      return `curl -X ${quote(crossing.method)} ${quote(url)}${body}`;
    }
    case 'model': {
      const path = name === 'openai.chat' ? '/v1/chat/completions' : '/v1/responses';
      return `curl ${quote((partUrl('openai') ?? '') + path)} -H "Authorization: Bearer $OPENAI_API_KEY" -H 'Content-Type: application/json' --data-binary ${json(crossing.request)}`;
    }
    case 'twilio': {
      const url = (partUrl('twilio') ?? '') + crossing.path;
      const data = crossing.params.length ? ` -d ${form(crossing.params)}` : '';
      return `curl -X ${quote(crossing.method)} ${quote(url)} -u "$TWILIO_ACCOUNT_SID:$TWILIO_AUTH_TOKEN"${data}`;
    }
    case 'database':
      return `curl ${quote(partUrl('dynamodb') ?? '')} -H ${quote(`X-Amz-Target: DynamoDB_20120810.${crossing.operation}`)} -H 'Content-Type: application/x-amz-json-1.0' -H 'Authorization: AWS4-HMAC-SHA256 Credential=rehearse/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0' --data-binary ${json(crossing.request)}`;
    default:
      return undefined;
  }
}

function awsOf({ crossing }) {
  const kebab = (operation) => operation.replace(/(?<=[a-z])(?=[A-Z])/g, '-').toLowerCase();
  switch (crossing.kind) {
    case 'database':
      // The operation is a word of the command, and the client says it.
      if (!/^[A-Za-z]+$/.test(crossing.operation)) return undefined;
      return `aws dynamodb ${kebab(crossing.operation)} --endpoint-url ${quote(partUrl('dynamodb') ?? '')} --cli-input-json ${json(crossing.request)}`;
    case 'invoke':
      return `aws lambda invoke --endpoint-url ${quote(partUrl('lambda') ?? '')} --function-name ${quote(crossing.target_name)} --invocation-type ${quote(crossing.invocation_type)} --cli-binary-format raw-in-base64-out --payload ${json(crossing.payload)} /dev/stdout`;
    case 'secret': {
      const service = crossing.operation.startsWith('GetSecret') ? 'secretsmanager get-secret-value --secret-id' : 'ssm get-parameter --with-decryption --name';
      return `aws ${service} ${quote(crossing.name)}`;
    }
    default:
      return undefined;
  }
}
