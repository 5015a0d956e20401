import { expect, test } from 'vitest';

import { fold, guessColumns, guessDateOrder, guessDelimiter, letters, placeOf, readSample, records, valuesOf } from './roster-sample';

const utf8 = (text: string) => new TextEncoder().encode(text);

test('headings are compared as the server does', () => {
  for (const [one, other] of [['Last Name', 'last_name'], ['Núñez', 'nunez'], ['D.O.B.', 'dob']] as const) expect(fold(one)).toBe(fold(other));
  expect(fold('…')).toBe('');
});

test('letters of UTF-8, cut or not, of UTF-16 and of Windows; a spreadsheet is none', () => {
  expect(letters(utf8('﻿MRN;Zoë'), 'auto')).toBe('MRN;Zoë');
  expect(letters(utf8('MRN;Zoë').slice(0, -1), 'auto')).toBe('MRN;Zo');
  expect(letters(Uint8Array.of(0xff, 0xfe, 0x4d, 0, 0x52, 0), 'auto')).toBe('MR');
  expect(letters(Uint8Array.of(0xfe, 0xff, 0, 0x4d), 'auto')).toBe('M');
  expect(letters(Uint8Array.of(0x5a, 0x6f, 0xeb, 0x3b), 'auto')).toBe('Zoë;');
  expect(letters(Uint8Array.of(0x5a, 0x6f, 0xeb, 0x3b), 'utf8')).toBeNull();
  expect(letters(Uint8Array.of(0x50, 0x4b, 3, 4, 0, 0), 'auto')).toBeNull();
});

test('the delimiter is what the first line has most of', () => {
  expect(guessDelimiter('a,b;c,d\n;;;;;;')).toBe('comma');
  expect(guessDelimiter('"Name, first";"Name, last";MRN\n')).toBe('semicolon');
  expect(guessDelimiter('a\tb\tc')).toBe('tab');
  expect(guessDelimiter('a|b')).toBe('pipe');
  expect(guessDelimiter('alone')).toBe('comma');
});

test('records with quotes, line ends of every kind, and a last one that is cut', () => {
  const text = 'a,"b ""c"", d"\r\n1,"two\nlines"\r\r\n,\n3, x \n4,cut';
  expect(records(text, ',', false)).toEqual([['a', 'b "c", d'], ['1', 'two\nlines'], ['3', 'x']]);
  expect(records(text, ',', true).at(-1)).toEqual(['4', 'cut']);
  expect(records('a,"open', ',', true)).toEqual([]);
  expect(records('a,b\n'.repeat(5_000), ',', true).length).toBeLessThan(200);
});

test('columns are named by their heading, or by their place where that says nothing', () => {
  const sample = readSample('MRN,Phone,phone,,Name\n,1,2,3,Ana\n7,,,,\n', 'auto', true);
  expect(sample.headed).toBe(true);
  expect(sample.columns.map((column) => column.name)).toEqual(['MRN', '#2', '#3', '#4', 'Name']);
  expect(sample.columns.map((column) => column.example)).toEqual(['7', '1', '2', '3', 'Ana']);
});

test('a first line that is a patient is no heading, unless somebody says so', () => {
  const text = '10234,Morales,Ana,03/14/1985\n10235,Cohen,Leah,1/2/1990\n';
  const sample = readSample(text, 'auto', true);
  expect(sample.headed).toBe(false);
  expect(sample.columns.map((column) => [column.name, column.example])).toEqual([['#1', '10234'], ['#2', 'Morales'], ['#3', 'Ana'], ['#4', '03/14/1985']]);
  expect(readSample(text, 'auto', true, true).columns[1]!.name).toBe('Morales');
  expect(readSample('MRN,2nd\n', 'auto', true, false).columns.map((column) => column.name)).toEqual(['#1', '#2']);
});

test('columns of common systems are found', () => {
  const guess = (headings: string) => guessColumns(readSample(`${headings}\n`, 'comma', true, true).columns);
  expect(guess('MRN,First Name,MI,Last Name,Goes by,DOB,Language,Cell,Home Phone,Work Phone,Site')).toEqual({
    external_id: 'MRN', first_name: 'First Name', middle_name: 'MI', last_name: 'Last Name', preferred_name: 'Goes by', date_of_birth: 'DOB',
    language: 'Language', mobile_phone: 'Cell', home_phone: 'Home Phone', work_phone: 'Work Phone', facility: 'Site',
  });
  expect(guess('patient_id,patient_firstname,patient_lastname,patient_dob,patient_mobilephone')).toEqual({
    external_id: 'patient_id', first_name: 'patient_firstname', last_name: 'patient_lastname', date_of_birth: 'patient_dob', mobile_phone: 'patient_mobilephone',
  });
  expect(guess('Expediente,Apellidos,Nombre,Fecha de nacimiento,Teléfono móvil')).toMatchObject({ external_id: 'Expediente', last_name: 'Apellidos', first_name: 'Nombre', date_of_birth: 'Fecha de nacimiento', mobile_phone: 'Teléfono móvil' });
  // The surer name wins, and no column is taken twice.
  expect(guess('ID,Chart Number,Phone,Mobile')).toEqual({ external_id: 'Chart Number', mobile_phone: 'Mobile' });
  expect(guess('Insurance,Provider')).toEqual({});
});

test('a column is found again by its heading or its place, and its values are each told once', () => {
  const sample = readSample('MRN,Site\n1,North\n2,South\n3,North\n4,\n', 'auto', true);
  expect(placeOf(sample.columns, 'site')).toBe(1);
  expect(placeOf(sample.columns, '#2')).toBe(1);
  expect(placeOf(sample.columns, '#3')).toBe(-1);
  expect(placeOf(sample.columns, '')).toBe(-1);
  expect(valuesOf(sample, 'SITE')).toEqual(['North', 'South']);
  expect(valuesOf(sample, 'Elsewhere')).toEqual([]);
});

test('the order of dates is read from the days after the twelfth', () => {
  expect(guessDateOrder(['1985-03-04', '1990-1-2 00:00'])).toBe('ymd');
  expect(guessDateOrder(['03/04/1985', '3/14/1985'])).toBe('mdy');
  expect(guessDateOrder(['03/04/1985', '14/3/1985'])).toBe('dmy');
  expect(guessDateOrder(['03/04/1985'])).toBe('mdy');
  expect(guessDateOrder(['3.4.1985'])).toBe('dmy');
  expect(guessDateOrder(['3/4/85', 'Mar 4, 1985', ''])).toBeNull();
});
