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
// Without `-g` curl makes many requests of one whose URL has braces, and `--data-raw` alone reads no file for an `@`.
const curl = (url) => `curl -g ${quote(url)}`;
const raw = (quoted) => `--data-raw ${quoted}`;

/** The forms in which an exchange can be copied: `[{ label, text }]`. */
export function copies(exchange) {
  const forms = [{ label: 'JSON', text: jsonText(exchange) }];
  const curl = curlOf(exchange);
  if (curl) forms.unshift({ label: 'curl', text: curl });
  const aws = awsOf(exchange);
  if (aws) forms.unshift({ label: 'AWS CLI', text: aws });
  return forms;
}

function curlOf(exchange) {
  const { crossing } = exchange;
  switch (crossing.kind) {
    case 'sms_received': {
      const { from, to, body, media } = crossing;
      return `${curl(`${location.origin}/sms`)} ${raw(json({ from, to, body, media }))}`;
    }
    case 'webhook':
      // Another scheme, or an option, would have curl do something else.
      if (!/^https?:\/\//i.test(crossing.url)) return undefined;
      return `${curl(crossing.url)} ${crossing.method === 'POST' ? '-X POST' : '-G'} -d ${form(crossing.params)}`;
    default: {
      const url = partUrl(PART_OF[crossing.kind] ?? 'none');
      return url && curlOfPart(exchange, url);
    }
  }
}

/** The part of the world that a kind of exchange is with. */
const PART_OF = { http: 'gateway', model: 'openai', twilio: 'twilio', database: 'dynamodb', secret: 'secrets' };

function curlOfPart({ crossing, name }, url) {
  switch (crossing.kind) {
    case 'http':
      return `${curl(url + crossing.path)} -X ${quote(crossing.method)}${crossing.body ? ` ${raw(quote(crossing.body))}` : ''}`;
    case 'model': {
      const path = name === 'openai.chat' ? '/v1/chat/completions' : '/v1/responses';
      return `${curl(url + path)} -H "Authorization: Bearer $OPENAI_API_KEY" -H 'Content-Type: application/json' ${raw(json(crossing.request))}`;
    }
    case 'twilio': {
      const data = crossing.params.length ? ` -d ${form(crossing.params)}` : '';
      return `${curl(url + crossing.path)} -X ${quote(crossing.method)} -u "$TWILIO_ACCOUNT_SID:$TWILIO_AUTH_TOKEN"${data}`;
    }
    case 'database':
      return `${curl(url)} -H ${quote(`X-Amz-Target: DynamoDB_20120810.${crossing.operation}`)} -H 'Content-Type: application/x-amz-json-1.0' -H 'Authorization: AWS4-HMAC-SHA256 Credential=rehearse/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0' ${raw(json(crossing.request))}`;
    case 'secret': {
      // As the extension is asked, which here takes any token. The AWS CLI would ask the account of whoever pastes it.
      const [path, query] = crossing.operation.startsWith('GetSecret')
        ? ['/secretsmanager/get', { secretId: crossing.name }]
        : ['/systemsmanager/parameters/get', { name: crossing.name, withDecryption: true }];
      return `${curl(`${url}${path}?${new URLSearchParams(query)}`)} -H 'X-Aws-Parameters-Secrets-Token: rehearse'`;
    }
    default:
      return undefined;
  }
}

/** Not what the AWS CLI takes for an option, or for a file to read by its prefix. */
const isWord = (text) => /^\w[\w:$-]*$/.test(text);

function awsOf({ crossing }) {
  const kebab = (operation) => operation.replace(/(?<=[a-z])(?=[A-Z])/g, '-').toLowerCase();
  // Without an endpoint it would be the account of whoever pastes it.
  const endpoint = partUrl({ database: 'dynamodb', invoke: 'lambda' }[crossing.kind] ?? 'none');
  if (!endpoint) return undefined;
  if (crossing.kind === 'database') {
    // The operation is a word of the command, and the client says it.
    if (!/^[A-Za-z]+$/.test(crossing.operation)) return undefined;
    return `aws dynamodb ${kebab(crossing.operation)} --endpoint-url ${quote(endpoint)} --cli-input-json ${json(crossing.request)}`;
  }
  if (![crossing.target_name, crossing.invocation_type].every(isWord)) return undefined;
  return `aws lambda invoke --endpoint-url ${quote(endpoint)} --function-name ${quote(crossing.target_name)} --invocation-type ${quote(crossing.invocation_type)} --cli-binary-format raw-in-base64-out --payload ${json(crossing.payload)} /dev/stdout`;
}
