// What each carrier's account needs, in the carrier's own field names (docs/carriers), and how a form makes
// credentials of it.

export interface CredentialField {
  name: string;
  /** `list`: one a line; `json`: parts that have parts. A plain text else. */
  kind?: 'secret' | 'pem' | 'list' | 'json';
  optional?: boolean;
  choices?: readonly string[];
  /** Where the carrier shows it, in the words of its own pages. */
  where?: string;
}

export interface Carrier {
  name: string;
  /** As a rule it confirms STOP and answers HELP itself. */
  answersOptOuts?: boolean;
  /** Added by the server's operator only: it says which host is called. */
  byOperator?: boolean;
  fields: readonly CredentialField[];
}

/** What says where a carrier is: the operator's, and it stays as it was, whatever is sent. */
export const PLACES: ReadonlySet<string> = new Set(['api_base_url', 'messaging_api_base_url', 'numbers_api_base_url', 'rest_base_url', 'host', 'port', 'tls']);

const secret = (name: string, where?: string): CredentialField => ({ name, kind: 'secret', where });

export const CARRIERS: Record<string, Carrier> = {
  twilio: {
    name: 'Twilio', answersOptOuts: true,
    fields: [
      { name: 'account_sid', where: 'Console, Account Info: AC…' }, secret('auth_token', 'Console, Account Info'),
      { name: 'messaging_service_sid', optional: true, where: 'Messaging, Services: MG…' },
      { name: 'subaccounts', kind: 'json', optional: true }, { name: 'previous_auth_tokens', kind: 'list', optional: true },
    ],
  },
  signalwire: {
    name: 'SignalWire',
    fields: [
      { name: 'project_id', where: 'API' }, secret('api_token', 'API: PT…'), secret('signing_key', 'API, Show signing key: PSK_…'),
      { name: 'space_url', where: 'https://example.signalwire.com' },
    ],
  },
  telnyx: {
    name: 'Telnyx',
    fields: [secret('api_key', 'API Keys: KEY…'), { name: 'public_key', where: 'Keys & Credentials, Public key' }, { name: 'messaging_profile_id', optional: true, where: 'Messaging' }],
  },
  bandwidth: {
    name: 'Bandwidth',
    fields: [
      { name: 'account_id', where: 'Dashboard' }, { name: 'application_id', where: 'Applications' }, { name: 'username', where: 'API user, role Messaging' }, secret('password', 'API user'),
      { name: 'callback_user_id', where: 'Applications, Callback' }, secret('callback_password', 'Applications, Callback'),
    ],
  },
  plivo: {
    name: 'Plivo',
    fields: [
      { name: 'auth_id', where: 'Console, Overview: MA… / SA…' }, secret('auth_token', 'Console, Overview'),
      { name: 'signature_version', optional: true, choices: ['v3', 'v2'] }, { name: 'powerpack_uuid', optional: true, where: 'Powerpack' },
    ],
  },
  vonage: {
    name: 'Vonage',
    fields: [
      { name: 'api_key', where: 'Dashboard' }, secret('api_secret', 'Dashboard'), secret('signature_secret', 'API settings, Signature secret'),
      { name: 'api', optional: true, choices: ['messages', 'sms'], where: 'API settings, SMS settings' },
      { name: 'signature_method', optional: true, choices: ['sha256', 'sha512', 'sha1', 'md5', 'md5hash'], where: 'API settings, Signed webhooks' },
      { name: 'application_id', optional: true, where: 'Applications' }, { name: 'private_key', kind: 'pem', optional: true, where: 'Applications' },
    ],
  },
  sinch: {
    name: 'Sinch',
    fields: [{ name: 'service_plan_id', where: 'SMS, APIs' }, secret('api_token', 'SMS, APIs'), secret('webhook_secret')],
  },
  infobip: {
    name: 'Infobip',
    fields: [
      secret('api_key', 'Developer tools, API keys'), { name: 'base_url', where: 'https://xxxxx.api.infobip.com' }, { name: 'webhook_username', where: 'Security settings, Basic' },
      secret('webhook_password', 'Security settings, Basic'),
    ],
  },
  aws: {
    name: 'AWS End User Messaging',
    fields: [
      { name: 'access_key_id', where: 'IAM' }, secret('secret_access_key', 'IAM'), { name: 'region', where: 'us-east-1' }, { name: 'topic_arns', kind: 'list', where: 'SNS: arn:aws:sns:…' },
      { name: 'signature_version', optional: true, choices: ['2', '1'], where: 'SNS, SignatureVersion' }, { name: 'configuration_set_name', optional: true },
    ],
  },
  smpp: {
    name: 'SMPP', byOperator: true,
    fields: [
      { name: 'system_id' }, secret('password'), { name: 'system_type', optional: true }, { name: 'interface_version', optional: true, choices: ['3.4', '5.0'] },
      { name: 'ca_certificate', kind: 'pem', optional: true }, { name: 'default_alphabet', optional: true, choices: ['gsm7', 'latin1'] },
      { name: 'window', kind: 'json', optional: true }, { name: 'enquire_link_seconds', kind: 'json', optional: true },
    ],
  },
  sandbox: { name: 'Sandbox', fields: [secret('secret')] },
};

/** What a carrier is called. */
export const carrierName = (carrier: string): string => CARRIERS[carrier]?.name ?? carrier;

/** The fields that an account has already, all of them to be filled in; what is not among those of its carrier is a secret. */
export const fieldsOf = (carrier: string, names: readonly string[]): CredentialField[] =>
  names.filter((name) => !PLACES.has(name)).map((name) => ({ ...(CARRIERS[carrier]?.fields.find((field) => field.name === name) ?? secret(name)), optional: false }));

/** Thrown where a field's text is not of its form. */
export class Malformed extends Error {
  readonly field: string;

  constructor(field: string) {
    super(field);
    this.field = field;
  }
}

function read(field: CredentialField, text: string): unknown {
  if (field.kind === 'list') return text.split('\n').map((line) => line.trim()).filter(Boolean);
  if (field.kind !== 'json') return text;
  try {
    return JSON.parse(text);
  } catch {
    throw new Malformed(field.name);
  }
}

/** Credentials as the API takes them: what is empty is left out. */
export function credentialsOf(fields: readonly CredentialField[], texts: Record<string, string>): Record<string, unknown> {
  const filled = fields.map((field) => [field, (texts[field.name] ?? '').trim()] as const).filter(([, text]) => text !== '');
  return Object.fromEntries(filled.map(([field, text]) => [field.name, read(field, text)]));
}
