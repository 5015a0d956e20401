// A source as a form holds it, and back.
import type { AfterImport, DateOrder, Delimiter, Encoding, MissingRows, RosterSecretsForm, RosterSettings, RosterSourceForm, RosterSourceView } from '../lib/api';
import { FIELDS, fold, type RosterField } from './roster-sample';

/** As the server has them where nobody says otherwise: docs/roster.md. */
export const USUAL_LIMITS = { rows: 250_000, bytes: 64 * 1024 * 1024, refused_percent: 20, changed_percent: 50, missing_percent: 10 };
export const MEGABYTE = 1024 * 1024;
const MINUTE = 60;

export interface FacilityWord {
  key: number;
  word: string;
  /** Id of a facility; '' until one is chosen. */
  facility: string;
}

export interface Folder {
  host: string;
  port: number;
  user: string;
  /** A key a line. */
  hostKeys: string;
  folder: string;
  pattern: string;
  minutes: number;
  settle: number;
  finalNewline: boolean;
  noticeAfter: number;
  after: 'keep' | 'move';
  moveTo: string;
  signIn: 'private_key' | 'password';
  privateKey: string;
  passphrase: string;
  password: string;
}

export interface Draft {
  name: string;
  enabled: boolean;
  /** '': no column holds it. */
  columns: Record<RosterField, string>;
  hasHeader: boolean;
  dateOrder: DateOrder;
  idKind: string;
  defaultFacility: string;
  facilities: FacilityWord[];
  skipBadPhones: boolean;
  missing: MissingRows;
  encoding: Encoding;
  delimiter: Delimiter;
  limits: { rows: number; megabytes: number; refused: number; changed: number; missing: number };
  pulled: boolean;
  folder: Folder;
}

let keys = 0;
export const facilityWord = (word = '', facility = ''): FacilityWord => ({ key: (keys += 1), word, facility });

export function toDraft(source?: RosterSourceView): Draft {
  const from: Partial<RosterSettings> = source?.settings ?? {};
  const { sftp } = from;
  const limits = { ...USUAL_LIMITS, ...from.limits };
  const after = sftp?.after ?? 'keep';
  return {
    name: source?.name ?? '',
    enabled: source?.enabled ?? true,
    columns: Object.fromEntries(FIELDS.map((field) => [field, from.columns?.[field] ?? ''])) as Draft['columns'],
    hasHeader: from.has_header ?? true,
    dateOrder: from.date_order ?? 'ymd',
    idKind: from.id_kind ?? 'mrn',
    defaultFacility: from.default_facility ?? '',
    facilities: Object.entries(from.facilities ?? {}).map(([word, facility]) => facilityWord(word, facility)),
    skipBadPhones: from.skip_bad_phones ?? false,
    missing: from.missing ?? 'ignore',
    encoding: from.encoding ?? 'auto',
    delimiter: from.delimiter ?? 'auto',
    limits: { rows: limits.rows, megabytes: limits.bytes / MEGABYTE, refused: limits.refused_percent, changed: limits.changed_percent, missing: limits.missing_percent },
    pulled: Boolean(sftp),
    folder: {
      host: sftp?.host ?? '',
      port: sftp?.port ?? 22,
      user: sftp?.user ?? '',
      hostKeys: (sftp?.host_keys ?? []).join('\n'),
      folder: sftp?.folder ?? '.',
      pattern: sftp?.pattern ?? '*.csv',
      minutes: (sftp?.every_seconds ?? 15 * MINUTE) / MINUTE,
      settle: sftp?.settle_seconds ?? 60,
      finalNewline: sftp?.final_newline ?? true,
      noticeAfter: sftp?.notice_after ?? 3,
      after: after === 'keep' ? 'keep' : 'move',
      moveTo: after === 'keep' ? '' : after.move_to,
      signIn: source?.has_password && !source.has_private_key ? 'password' : 'private_key',
      privateKey: '',
      passphrase: '',
      password: '',
    },
  };
}

const filled = (text: string): boolean => text.trim() !== '';
/** Lines of a field; what `ssh-keyscan` remarks besides is left out. */
const lines = (text: string): string[] => text.split(/\r?\n/).map((line) => line.trim()).filter((line) => line && !line.startsWith('#'));

/** What the server is told. A secret that is left empty stays as it was; without a folder there is none. */
export function toForm(draft: Draft, before?: RosterSourceView): RosterSourceForm {
  const { folder, limits } = draft;
  const after: AfterImport = folder.after === 'keep' ? 'keep' : { move_to: folder.moveTo.trim() };
  const secrets = secretsOf(draft, before);
  return {
    name: draft.name.trim(),
    enabled: draft.enabled,
    settings: {
      columns: Object.fromEntries(FIELDS.filter((field) => filled(draft.columns[field])).map((field) => [field, draft.columns[field].trim()])),
      has_header: draft.hasHeader,
      date_order: draft.dateOrder,
      encoding: draft.encoding,
      delimiter: draft.delimiter,
      id_kind: draft.idKind.trim(),
      default_facility: draft.defaultFacility || null,
      facilities: Object.fromEntries(draft.facilities.filter(({ word, facility }) => filled(word) && facility).map(({ word, facility }) => [word.trim(), facility])),
      skip_bad_phones: draft.skipBadPhones,
      missing: draft.missing,
      limits: { rows: limits.rows, bytes: Math.round(limits.megabytes * MEGABYTE), refused_percent: limits.refused, changed_percent: limits.changed, missing_percent: limits.missing },
      sftp: draft.pulled
        ? {
            host: folder.host.trim(), port: folder.port, user: folder.user.trim(), host_keys: lines(folder.hostKeys), folder: folder.folder.trim(), pattern: folder.pattern.trim(),
            every_seconds: Math.round(folder.minutes * MINUTE), settle_seconds: folder.settle, final_newline: folder.finalNewline, notice_after: folder.noticeAfter, after,
          }
        : null,
    },
    ...(secrets ? { secrets } : {}),
  };
}

function secretsOf({ pulled, folder }: Draft, before?: RosterSourceView): RosterSecretsForm | null {
  if (!pulled) return before?.has_password || before?.has_private_key ? {} : null;
  if (folder.signIn === 'password') return folder.password ? { password: folder.password } : null;
  if (!filled(folder.privateKey)) return null;
  return { private_key: `${folder.privateKey.trim()}\n`, ...(folder.passphrase ? { passphrase: folder.passphrase } : {}) };
}

/** Whether the server has what this way to sign in needs, so that its field may stay empty. */
export const isKept = (signIn: Folder['signIn'], before?: RosterSourceView): boolean => Boolean(signIn === 'password' ? before?.has_password && !before.has_private_key : before?.has_private_key);

/** The same source, switched on or off; everything else as it is. */
export const switched = (source: RosterSourceView, enabled: boolean): RosterSourceForm => ({ name: source.name, settings: source.settings, enabled });

/** Words of a list that are no facility's own name, and that nothing is said of yet. */
export function wordsToExplain(values: string[], names: string[], known: FacilityWord[]): string[] {
  const said = new Set([...names, ...known.map(({ word }) => word)].map(fold));
  return values.filter((value) => {
    const folded = fold(value);
    if (!folded || said.has(folded)) return false;
    said.add(folded);
    return true;
  });
}
