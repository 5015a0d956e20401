// The head of a list, as the browser reads it to fill in a form: nothing of it is sent or kept. The server reads
// lists by itself, in the same way (core/server/src/roster/read.rs).
import type { DateOrder, Delimiter, Encoding } from '../lib/api';

/** Every field that a column can hold, in the order of the form. */
export const FIELDS = [
  'external_id', 'last_name', 'first_name', 'middle_name', 'preferred_name', 'date_of_birth', 'language', 'mobile_phone', 'home_phone', 'work_phone', 'facility',
] as const;
export type RosterField = (typeof FIELDS)[number];
export const REQUIRED: readonly RosterField[] = ['external_id', 'last_name'];

/** So much of a file is read. */
export const HEAD_BYTES = 64 * 1024;
const MOST_ROWS = 100;

/** A column of the sample: what the settings call it, its heading, and what the first row has in it. */
export interface Column {
  /** Its heading where that is enough, else its place: `#3`. */
  name: string;
  heading: string;
  example: string;
}

export interface Sample {
  columns: Column[];
  rows: string[][];
  /** The first line looks like headings, and not like a patient. */
  headed: boolean;
}

/** As the server compares headings: without case, accents, spaces and punctuation. */
export const fold = (text: string): string => text.normalize('NFKD').toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');

/** The letters of a file's head, whose last one may be cut; null where it is no text. */
export function letters(bytes: Uint8Array, encoding: Encoding): string | null {
  const text = decode(bytes, encoding);
  return text === null || text.includes('\0') ? null : text;
}

function decode(bytes: Uint8Array, encoding: Encoding): string | null {
  const [first, second] = bytes;
  if (first === 0xff && second === 0xfe) return new TextDecoder('utf-16le').decode(bytes, { stream: true });
  if (first === 0xfe && second === 0xff) return new TextDecoder('utf-16be').decode(bytes, { stream: true });
  if (encoding !== 'windows-1252') {
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true });
    } catch {
      if (encoding === 'utf8') return null;
    }
  }
  return new TextDecoder('windows-1252').decode(bytes);
}

const DELIMITERS: Record<Exclude<Delimiter, 'auto'>, string> = { comma: ',', semicolon: ';', tab: '\t', pipe: '|' };

/** Whichever the first line has most of, outside of quotes. */
export function guessDelimiter(text: string): Exclude<Delimiter, 'auto'> {
  const counts = new Map<string, number>();
  let quoted = false;
  for (const letter of text) {
    if (letter === '"') quoted = !quoted;
    else if (!quoted && (letter === '\n' || letter === '\r')) break;
    else if (!quoted) counts.set(letter, (counts.get(letter) ?? 0) + 1);
  }
  let found: Exclude<Delimiter, 'auto'> = 'comma';
  for (const [name, letter] of Object.entries(DELIMITERS) as [typeof found, string][]) {
    if ((counts.get(letter) ?? 0) > (counts.get(DELIMITERS[found]) ?? 0)) found = name;
  }
  return found;
}

/** Records of the text, without empty lines; the last one only where `whole` says that the text isn't cut there. */
export function records(text: string, delimiter: string, whole: boolean): string[][] {
  const found: string[][] = [];
  let record: string[] = [];
  let field = '';
  let quoted = false;
  let begun = false;
  const endField = () => { record.push(field.trim()); [field, begun] = ['', false]; };
  const endRecord = () => { endField(); if (record.some(Boolean)) found.push(record); record = []; };
  for (let at = 0; at < text.length && found.length <= MOST_ROWS; at += 1) {
    const letter = text[at]!;
    if (quoted) {
      if (letter !== '"') field += letter;
      else if (text[at + 1] === '"') { field += '"'; at += 1; }
      else quoted = false;
    } else if (letter === '"' && !begun) [quoted, begun] = [true, true];
    else if (letter === delimiter) endField();
    else if (letter === '\n' || letter === '\r') endRecord();
    else { field += letter; begun = true; }
  }
  if (whole && !quoted && (field || record.length)) endRecord();
  return found;
}

const isData = (cell: string) => /^[+(]?\d[\d\s()./-]*$/.test(cell);

/** The sample as it is to be chosen from. `hasHeader` undefined: as it looks. */
export function readSample(text: string, delimiter: Delimiter, whole: boolean, hasHeader?: boolean): Sample {
  const all = records(text, DELIMITERS[delimiter === 'auto' ? guessDelimiter(text) : delimiter], whole);
  const first = all[0] ?? [];
  const headed = first.some((cell) => FIELDS.some((field) => NAMES[field].includes(fold(cell)))) || !first.some(isData);
  const withHeadings = hasHeader ?? headed;
  const rows = withHeadings ? all.slice(1) : all;
  const width = Math.max(first.length, ...(withHeadings ? [] : rows.map((row) => row.length)));
  const folded = first.map(fold);
  const columns = Array.from({ length: width }, (_, at): Column => {
    const heading = withHeadings ? (first[at] ?? '') : '';
    // A heading that is there twice, or nothing but punctuation, says nothing.
    const clear = heading !== '' && folded[at] !== '' && folded.filter((other) => other === folded[at]).length === 1;
    return { name: clear ? heading : `#${at + 1}`, heading, example: rows.map((row) => row[at] ?? '').find(Boolean) ?? '' };
  });
  return { columns, rows, headed };
}

/** What practice systems call their columns, folded, the surest first. */
const NAMES: Record<RosterField, readonly string[]> = {
  external_id: ['mrn', 'medicalrecordnumber', 'medicalrecordno', 'mrnumber', 'patientid', 'patientnumber', 'patientno', 'patid', 'ptid', 'chartnumber', 'chartno', 'chartid', 'chart', 'enterpriseid', 'externalid', 'personid', 'personnumber', 'accountnumber', 'accountno', 'acctno', 'account', 'id', 'expediente', 'numerodeexpediente', 'historiaclinica', 'numerodehistoriaclinica', 'numerodepaciente'],
  last_name: ['lastname', 'last', 'lname', 'surname', 'familyname', 'namelast', 'apellido', 'apellidos', 'primerapellido'],
  first_name: ['firstname', 'first', 'fname', 'givenname', 'forename', 'namefirst', 'nombre', 'nombres', 'primernombre'],
  middle_name: ['middlename', 'middle', 'mname', 'middleinitial', 'mi', 'namemiddle', 'segundonombre'],
  preferred_name: ['preferredname', 'preferred', 'preferredfirstname', 'nickname', 'goesby', 'chosenname', 'knownas', 'nombrepreferido', 'apodo'],
  date_of_birth: ['dateofbirth', 'dob', 'birthdate', 'birthday', 'bdate', 'born', 'fechadenacimiento', 'fechanacimiento', 'nacimiento'],
  language: ['language', 'preferredlanguage', 'primarylanguage', 'languagepreference', 'lang', 'idioma', 'lengua'],
  mobile_phone: ['mobilephone', 'mobile', 'mobilenumber', 'mobilephonenumber', 'cellphone', 'cell', 'cellnumber', 'cellphonenumber', 'cellular', 'phonemobile', 'phonecell', 'celular', 'movil', 'telefonomovil', 'telefonocelular', 'phone', 'phonenumber', 'primaryphone', 'telephone', 'telefono'],
  home_phone: ['homephone', 'home', 'homenumber', 'homephonenumber', 'phonehome', 'hometelephone', 'telefonodecasa', 'telefonocasa', 'telefonofijo'],
  work_phone: ['workphone', 'work', 'worknumber', 'workphonenumber', 'phonework', 'businessphone', 'officephone', 'telefonodetrabajo', 'telefonotrabajo', 'telefonooficina'],
  facility: ['facility', 'facilityname', 'site', 'sitename', 'location', 'locationname', 'primarylocation', 'clinic', 'clinicname', 'office', 'department', 'departmentname', 'primarydepartment', 'practice', 'practicename', 'sede', 'clinica', 'consultorio', 'sucursal', 'centro'],
};
/** Put before a name where a file has other people too. */
const PREFIXES = /^(?:patients?|pt|pat|paciente)(?=.)/;

/** Which column holds which field, by their headings; each column once. */
export function guessColumns(columns: Column[]): Partial<Record<RosterField, string>> {
  const found: Partial<Record<RosterField, string>> = {};
  const taken = new Set<string>();
  const names = columns.map((column) => {
    const whole = fold(column.heading);
    return { column: column.name, whole, bare: whole.replace(PREFIXES, '') };
  });
  for (const fits of [(one: (typeof names)[number], name: string) => one.whole === name, (one: (typeof names)[number], name: string) => one.bare === name]) {
    for (const field of FIELDS) {
      if (found[field]) continue;
      for (const name of NAMES[field]) {
        const one = names.find((candidate) => !taken.has(candidate.column) && fits(candidate, name));
        if (!one) continue;
        found[field] = one.column;
        taken.add(one.column);
        break;
      }
    }
  }
  return found;
}

/** Where that column is among those of the sample; -1 where it isn't. */
export function placeOf(columns: Column[], name: string): number {
  const number = /^#(\d+)$/.exec(name.trim())?.[1];
  if (number) return Number(number) <= columns.length ? Number(number) - 1 : -1;
  const wanted = fold(name);
  return wanted ? columns.findIndex((column) => fold(column.heading) === wanted) : -1;
}

/** What the rows have in a column, each once, in their order. */
export function valuesOf(sample: Sample, name: string): string[] {
  const at = placeOf(sample.columns, name);
  return at < 0 ? [] : [...new Set(sample.rows.map((row) => row[at] ?? '').filter(Boolean))];
}

/** How dates are written; null where the values leave it open. */
export function guessDateOrder(values: string[]): DateOrder | null {
  const parts = values.map((value) => /^(\d{1,4})([/.\s-])(\d{1,2})\2(\d{1,4})\b/.exec(value.trim())).filter((found) => found !== null);
  if (parts.length === 0) return null;
  if (parts.every((part) => part[1]!.length === 4)) return 'ymd';
  const last = parts.filter((part) => part[4]!.length === 4);
  if (last.length === 0) return null;
  if (last.some((part) => Number(part[1]) > 12)) return 'dmy';
  if (last.some((part) => Number(part[3]) > 12)) return 'mdy';
  // Up to the twelfth of each month nobody can tell: as who writes with that mark mostly does.
  return last[0]![2] === '.' ? 'dmy' : 'mdy';
}
